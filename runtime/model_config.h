// SPDX-License-Identifier: Apache-2.0
// A model as data: what Sequential builds, what a .keras file and a model plugin carry. No weights, no graph.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "fusebox/runtime/item_spec.h"

namespace fusebox {

struct InputConfig {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;  // Without the batch.

  bool operator==(const InputConfig&) const = default;
};

struct LayerConfig {
  ItemSpec item;     // After registration: the full key, "fusebox/dense@1", and all attributes of the schema.
  std::string name;  // Unique in the model: "dense", "dense_1" as Keras counts them.
  bool trainable = true;

  bool operator==(const LayerConfig&) const = default;
};

struct CompileConfig {
  ItemSpec optimizer;
  ItemSpec loss;
  std::vector<ItemSpec> metrics;
  std::vector<ItemSpec> weighted_metrics = {};

  bool operator==(const CompileConfig&) const = default;
};

struct ModelConfig {
  std::string name = "sequential";
  std::optional<InputConfig> input;  // Without one, the first batch of data decides.
  std::vector<LayerConfig> layers;   // In the order of the calls (Sequential).
  std::optional<CompileConfig> compile;

  bool operator==(const ModelConfig&) const = default;
};

}  // namespace fusebox
