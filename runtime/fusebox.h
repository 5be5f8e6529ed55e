// SPDX-License-Identifier: Apache-2.0
// fusebox: neural networks, compiled into one native function that runs whole training steps.
//
//   #include <fusebox/fusebox.h>
//   namespace fb = fusebox;
//
// Includes everything that a program needs to define, train and use models. To write plugins, include
// fusebox/plugins/sdk/sdk.h instead.
//
// runtime/ is the users' API: tensors, models, data, files. The folder itself holds the public face of the API; its
// sub-rooms hold the implementation, one subject each. It sees graph/, compiler/ and plugins/sdk. tools/ sees it.
#pragma once
#include "fusebox/runtime/data/data_source.h"  // IWYU pragma: export
#include "fusebox/runtime/data/tensor.h"       // IWYU pragma: export
#include "fusebox/runtime/describe/history.h"  // IWYU pragma: export
#include "fusebox/runtime/fit/interrupt.h"     // IWYU pragma: export
#include "fusebox/runtime/layers.h"            // IWYU pragma: export
#include "fusebox/runtime/model.h"             // IWYU pragma: export
#include "fusebox/runtime/model_plugin.h"      // IWYU pragma: export
#include "fusebox/runtime/perceptron.h"        // IWYU pragma: export
#include "fusebox/runtime/sequential.h"        // IWYU pragma: export
