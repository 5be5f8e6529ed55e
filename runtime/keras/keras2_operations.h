// SPDX-License-Identifier: Apache-2.0
// TensorFlow's functions in functional models of Keras 2, as Keras 3's operations.
#pragma once
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "fusebox/runtime/files/json_text.h"

namespace fusebox {

// Whether a layer of a file is a TFOpLambda or a SlicingOpLambda.
bool IsKeras2Operation(const Json& layer);

// The layer as Keras 3 would write it:
//     {"class_name": "TFOpLambda", "config": {"function": "math.multiply"}, "inbound_nodes": [["x", 0, 0, {"y": 2.0}]]}
// becomes {"module": "keras.src.ops.numpy", "class_name": "Multiply", "inbound_nodes": [{"args": [<x>, 2.0]}]}.
// Error: a function without a counterpart; an argument that the counterpart does not have.
absl::StatusOr<Json> UpgradeKeras2Operation(const Json& layer, const std::string& who);

// Where Keras 3 has the class of an operation: "keras.src.ops.numpy" for most.
std::string KerasModuleOf(std::string_view class_name);

}  // namespace fusebox
