// SPDX-License-Identifier: Apache-2.0
// Operations in functional models: keras.ops.sum of Keras 3, tf.math.reduce_sum of Keras 2 (a TFOpLambda). They stand
// among the layers of a file, and become layers fusebox/operation whose attribute `call` is Keras 3's form of the call.
#pragma once
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/describe/item_spec.h"
#include "fusebox/runtime/files/json_text.h"
#include "fusebox/runtime/keras/keras_calls_read.h"

namespace fusebox {

// The item that operations become.
inline constexpr char kOperation[] = "fusebox/operation";

// Whether a layer of a file is an operation.
bool IsKerasOperation(const Json& layer);

struct KerasOperation {
  ItemSpec item;
  std::vector<KerasNode> calls;
};

// Reads an operation with its calls. Whether it is known is found when the model is built. Errors: an operation of
// Keras 2 without a meaning here; one whose calls differ in more than values.
absl::StatusOr<KerasOperation> OperationFromJson(const Json& layer, const std::string& who);

// The values of an operation's calls, for what depends on what. Never an error.
std::vector<std::string> ValuesOfOperation(const Json& layer);

// The operation as Keras 3 writes it, without its calls; and one of its calls with these arguments.
Json OperationJson(const ItemSpec& item, const std::string& name);
Json OperationNodeJson(const ItemSpec& item, const std::vector<Json>& arguments);

}  // namespace fusebox
