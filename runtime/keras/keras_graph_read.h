// SPDX-License-Identifier: Apache-2.0
// Reads a functional model, whose calls Keras lists layer by layer.
#pragma once
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "fusebox/runtime/describe/model_config.h"
#include "fusebox/runtime/files/json_text.h"

namespace fusebox {

// What reads the layers of the model, which may be models themselves.
struct KerasLayerReaders {
  std::function<absl::StatusOr<InputConfig>(const Json& config, const std::string& who)> input;
  std::function<absl::StatusOr<LayerConfig>(const Json& layer, const std::string& who)> layer;
};

// Fills in the model's inputs, layers, calls and outputs. Inputs and outputs that are dicts keep their keys, and stand
// in the order of the sorted keys, as Keras flattens dicts. Operations whose values serve as masks alone are left out:
// fusebox computes those masks by itself. Errors: a call or an output of what is no value of the model; a mask of the
// user's own; calls in a cycle; two layers of one name.
absl::Status GraphFromJson(const Json& json, const std::string& who, const KerasLayerReaders& readers,
                           ModelConfig& model);

}  // namespace fusebox
