// SPDX-License-Identifier: Apache-2.0
// Reads compile_config, what a model was compiled with, as Keras writes it.
#pragma once
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/describe/model_config.h"
#include "fusebox/runtime/files/json_text.h"

namespace fusebox {

// Of a model with these outputs.
absl::StatusOr<CompileConfig> CompileFromJson(const Json& json, const std::vector<std::string>& outputs,
                                              const std::string& who);

}  // namespace fusebox
