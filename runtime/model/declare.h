// SPDX-License-Identifier: Apache-2.0
// Turns the layers and calls that a user declares into a model's description.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/expand/kept_symbols.h"
#include "fusebox/runtime/layer.h"

namespace fusebox {

// A model as the user declares it: all values that it computes. Each value knows what it is computed from.
struct Declaration {
  SymbolicTensors inputs, outputs;
  std::vector<std::string> output_names = {};  // The names that a class gives its outputs, if any.
  std::vector<SymbolicTensor> losses = {};     // Values of AddLoss.
  std::vector<std::pair<SymbolicTensor, std::string>> metrics = {};  // Values and names of AddMetric.
};

// The layers of a class that some trace has called, by their ids. They have names.
using Members = std::map<int64_t, LayerConfig>;

// A description, and where its parts come from.
struct Described {
  ModelConfig config;
  std::vector<int64_t> layers;     // The ids of the layers.
  std::vector<std::string> lines;  // The source lines of the calls: "main.cc:12: ".
};

// Describes a declaration. Layers and calls are in the order in which they were made. `known` are the layers of a class
// that have names already. It is null for other models; an unused input is an error for them. An error of a layer is a
// FailedPreconditionError and names the layer; errors of the model as a whole are InvalidArgument errors.
absl::StatusOr<Described> Describe(const Declaration& declared, const Members* known, const Expansions& embedded);

// Completes the item of a layer, and those of a model's layers, to the full key and all attributes. Gives a layer
// without variables variables of its own.
absl::Status RegisterLayer(LayerConfig& layer, const Expansions& embedded);

// Gives a stack within a model its input type, x, which is that of the first call.
void SettleModel(LayerConfig& layer, const Type& x);

// "main.cc:12: "
std::string LineOf(const std::source_location& where);
// "'dense', " for a layer with a name, in front of what is wrong with it; empty without one.
std::string Quoted(const std::string& name);
// The first free name among base, base_1, base_2, ..., as Keras counts.
std::string FreeName(const std::string& base, const std::set<std::string>& taken);

}  // namespace fusebox
