// SPDX-License-Identifier: Apache-2.0
// Inputs whose sizes a file leaves open: [null, null] in front of a Normalization layer that saw its data by adapt.
#pragma once
#include "fusebox/runtime/files/json_text.h"

namespace fusebox {

// Fills in open sizes of the model's inputs from the shape that the layer behind was built for ("build_config"). Leaves
// alone what no layer tells.
void FillInputShapes(Json& model);

}  // namespace fusebox
