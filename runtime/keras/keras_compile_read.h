// SPDX-License-Identifier: Apache-2.0
// Reads compile_config, what a model was compiled with, as Keras writes it.
#pragma once
#include <string>
#include <vector>

#include "fusebox/runtime/describe/model_config.h"
#include "fusebox/runtime/files/json_text.h"

namespace fusebox {

// Of a model with these outputs. What cannot be read of it is no error: it is kept as it stands, with the reason, for
// programs that need it (ItemSpec::problem, CompileConfig::problem).
CompileConfig CompileFromJson(const Json& json, const std::vector<std::string>& outputs, const std::string& who);

// What an item's JSON names: "class MyLoss of module my_losses", "function my_loss".
std::string KerasOrigin(const std::string& json);

}  // namespace fusebox
