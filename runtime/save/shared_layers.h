// SPDX-License-Identifier: Apache-2.0
// Which layers of a model are one layer at several places (SharedPaths), beside the model's description in files:
// Keras's own form cannot say it of layers within different models, and reads a file as if they were several.
//
// runtime/save/ writes models to files and opens them (model_file.cc). Of runtime/ it sees keras/, files/, describe/,
// expand/, programs/ and model/.
#pragma once
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "fusebox/runtime/describe/model_config.h"

namespace fusebox {

// A JSON object with a member more, "shared_layers": {"B/dense": "A/dense", ...}. Without such layers it stays as it
// is.
std::string WithSharedLayers(const std::string& json, const ModelConfig& model);
// Shares the model's layers as such an object says. Errors: a member of another form; a layer that the model lacks.
absl::Status ShareLayersAsIn(std::string_view json, const std::string& who, ModelConfig& model);

}  // namespace fusebox
