// SPDX-License-Identifier: Apache-2.0
// sdk/ is everything that the author of a plugin needs. It sees only the header-only face of graph/.
//
// Derive from one of the classes of symbolic.h (sdk::Layer, MergeLayer, Activation, Loss, Metric, Optimizer, Schedule,
// Initializer, Regularizer, Constraint) or host_side.h (sdk::Callback, Dataset), register the class with FUSEBOX_PLUGIN
// (plugin.h), and build with the CMake function fusebox_add_plugin.
// The SDK is header-only: a plugin links no library of the host. (Models, the remaining kind of item, are libraries
// that link libfusebox: see fusebox_add_model.)
#pragma once
#include "fusebox/plugins/sdk/plugin.h"  // IWYU pragma: export
