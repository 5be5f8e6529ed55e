// SPDX-License-Identifier: Apache-2.0
// Whole models in one HDF5 file, the form of Keras 1 and 2 that Keras 3 calls legacy:
//
//   @model_config                                      layers, as JSON
//   @training_config                                   optimizer, loss and metrics, as JSON; only if compiled
//   model_weights@layer_names                          ["dense", "encoder"]; a long one in pieces @layer_names0, ...
//   model_weights/dense@weight_names                   ["dense/kernel:0", "dense/bias:0"]
//   model_weights/dense/dense/kernel:0                 the dataset of that name, below the layer's group
//   optimizer_weights@weight_names                     ["iteration:0", "SGD/m/dense/kernel:0", ...], likewise
//
// A model within counts as one layer: first its trained weights, layer by layer, then the others.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/data/tensor.h"
#include "fusebox/runtime/describe/model_config.h"

namespace fusebox {

struct KerasH5 {
  struct Layer {
    std::string name;
    std::vector<Tensor> weights;
  };

  ModelConfig config;
  std::vector<Layer> layers;                 // Of the outermost model, those that have weights.
  std::vector<Tensor> optimizer_vars;        // As the file has them: the iteration, then, if they are there, others.
  std::vector<std::string> optimizer_names;  // Their names.
};

// What Keras 2 or 3 saved as .h5. Errors name the file and what is wrong: no model in it, weights that are missing or
// belong to no layer, a layer that is not supported.
absl::StatusOr<KerasH5> ParseKerasH5(std::string_view bytes, const std::string& who);

}  // namespace fusebox
