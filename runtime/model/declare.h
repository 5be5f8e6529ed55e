// SPDX-License-Identifier: Apache-2.0
// From layers and calls as a user declares them to a model's description.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/layer.h"
#include "fusebox/runtime/plugins/expansions.h"

namespace fusebox {

// What a user declares: all that a model computes, as values that know where they come from.
struct Declaration {
  SymbolicTensors inputs, outputs;
  std::vector<std::string> output_names = {};  // Of a class, or none.
  std::vector<SymbolicTensor> losses = {};
  std::vector<std::pair<SymbolicTensor, std::string>> metrics = {};
};

// A class's layers by their ids: those that some trace calls, with their names.
using Members = std::map<int64_t, LayerConfig>;

struct Described {
  ModelConfig config;
  std::vector<int64_t> layers;     // Their ids.
  std::vector<std::string> lines;  // Of the calls: "main.cc:12: ".
};

// Layers in the order in which they were made, calls likewise. `known` are a class's layers that have names already; for
// other models there is none, and an input that is not used is an error. An error that is not of the model as a whole is a
// FailedPreconditionError, and names the layer.
absl::StatusOr<Described> Describe(const Declaration& declared, const Members* known, const Expansions& embedded);

// Puts full keys and all attributes into what names items, and gives the layer variables of its own if it has none.
absl::Status RegisterLayer(LayerConfig& layer, const Expansions& embedded);

// Gives a stack within a model its input, which is that of the first call.
void SettleModel(LayerConfig& layer, const Type& x);

// "main.cc:12: "
std::string LineOf(const std::source_location& where);
// base, base_1, base_2, ...: the first that is free, as Keras counts.
std::string FreeName(const std::string& base, const std::set<std::string>& taken);

}  // namespace fusebox
