// SPDX-License-Identifier: Apache-2.0
// Reads compile_config, what a model was compiled with, as Keras writes it.
#pragma once
#include <string>

#include "absl/status/statusor.h"
#include "fusebox/runtime/describe/model_config.h"
#include "fusebox/runtime/files/json_text.h"

namespace fusebox {

// Sets the model's `compile`, or its `unused_compile` if a part cannot be read. Error: the JSON is no object.
absl::Status CompileFromJson(const Json& json, const std::string& who, ModelConfig& model);

}  // namespace fusebox
