// SPDX-License-Identifier: Apache-2.0
// fusebox: neural networks, compiled into one native function that runs whole training steps.
//
//   #include <fusebox/fusebox.h>
//   namespace fb = fusebox;
//
// All that a program which defines, trains and uses models needs. To write plugins see fusebox/plugins/sdk/sdk.h.
//
// runtime/ is the users' API: tensors, models, data, files. It sees graph/, compiler/ and plugins/sdk; tools see it.
#pragma once
#include "fusebox/runtime/data/tensor.h"       // IWYU pragma: export
#include "fusebox/runtime/describe/history.h"  // IWYU pragma: export
#include "fusebox/runtime/fit/interrupt.h"     // IWYU pragma: export
#include "fusebox/runtime/layers.h"            // IWYU pragma: export
#include "fusebox/runtime/load/data_source.h"  // IWYU pragma: export
#include "fusebox/runtime/model.h"             // IWYU pragma: export
#include "fusebox/runtime/model_plugin.h"      // IWYU pragma: export
#include "fusebox/runtime/perceptron.h"        // IWYU pragma: export
#include "fusebox/runtime/sequential.h"        // IWYU pragma: export
