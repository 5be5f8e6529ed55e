// SPDX-License-Identifier: Apache-2.0
// save/ writes models to files and opens them (model_file.cc). Of runtime/ it sees keras/, files/, describe/, expand/,
// programs/ and model/.
//
// Saves which places of a model share a layer (SharedPaths), beside the model's description. Keras's own format cannot
// express this for layers within different models; Keras reads such a file as if the layers were separate.
#pragma once
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "fusebox/runtime/describe/model_config.h"

namespace fusebox {

// Adds the member "shared_layers": {"B/dense": "A/dense", ...} to a JSON object. Returns the object unchanged if no
// layers are shared.
std::string WithSharedLayers(const std::string& json, const ModelConfig& model);
// Makes the layers of a model shared as the member of such an object describes. `who` names the file in error messages.
// Errors: the member has another form; a layer that the model lacks.
absl::Status ShareLayersAsIn(std::string_view json, const std::string& who, ModelConfig& model);

}  // namespace fusebox
