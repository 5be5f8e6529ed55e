// SPDX-License-Identifier: Apache-2.0
// All that an author of plugins needs: derive from sdk::Layer, Activation, Loss, Metric, Optimizer or Initializer
// (symbolic.h), or from sdk::Callback or Dataset (host_side.h), say FUSEBOX_PLUGIN (plugin.h), and build with the CMake
// function fusebox_add_plugin. Header-only: a plugin links nothing of the host's.
#pragma once
#include "fusebox/plugins/sdk/plugin.h"  // IWYU pragma: export
