// SPDX-License-Identifier: Apache-2.0
// A layer as a user names it: a handle to a plugin's item with attributes. It computes nothing, and what is wrong with it is
// said when the model is compiled, with its name and the line that made it. Functions for common ones are in layers.h.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "fusebox/runtime/data/named_tensor.h"
#include "fusebox/runtime/describe/item_spec.h"
#include "fusebox/runtime/describe/model_config.h"
#include "fusebox/runtime/symbolic_tensor.h"

namespace fusebox {

class Model;

// What every layer may be given.
struct LayerOptions {
  std::string name = {};                  // Else as Keras counts: "dense", "dense_1".
  std::vector<int64_t> input_shape = {};  // Of a Sequential's first layer, without the batch.
  bool trainable = true;                  // Whether Fit changes its weights.
  // First values of weights, by their names within the layer ("kernel"), in place of what the initializers make.
  std::vector<NamedTensor> weights = {};
};

// Any layer of any plugin: fb::Layer("acme/gated", {{"units", 30}}). Attributes that are not given have the defaults that
// `fusebox plugins describe acme/gated` tells. Copies are the same layer.
//
// A layer owns its variables. Every model that it is part of refers to them: training one of these models trains all. Models
// that share a layer with weights are used by one thread at a time, as if they were one model. Only Model::Clone copies.
class Layer {
 public:
  using Where = std::source_location;

  Layer(std::string id, ItemAttributes attributes = {}, LayerOptions options = {}, Where where = Where::current());

  // `variables` are those of the layer or model that this one wraps; null: its own.
  Layer(ItemSpec item, LayerOptions options, Where where = Where::current(),
        std::shared_ptr<LayerVariables> variables = nullptr);

  // What the layer makes of a value, or of several. Each call of the same layer has the same weights.
  SymbolicTensor operator()(SymbolicTensors inputs, Where where = Where::current()) const;

  const LayerConfig& config() const { return state_->config; }
  const std::vector<int64_t>& input_shape() const { return state_->input_shape; }
  const Where& where() const { return state_->where; }
  int64_t id() const { return state_->id; }  // Layers made later have greater ones.
  // Copies of its weights by name, "kernel"; before a model has made them, the first values that it was given.
  std::vector<NamedTensor> weights() const;
  // Whether training changes its weights, in all models that it is part of: see Model::SetTrainable.
  bool trainable() const;
  void SetTrainable(bool trainable);
  // What is wrong with it, where that is known already; else empty.
  const std::string& error() const { return state_->error; }

  // What goes into models is a copy of what the layer is now: for those that take it.
  void MarkUsed() const { state_->used = true; }

 protected:
  // Error: the layer is in use, so a change would reach nobody.
  absl::Status CheckUnused(std::string_view verb) const;
  LayerConfig& mutable_config() { return state_->config; }
  // First values of weights, until a model has made them.
  void SetFirstValues(std::vector<NamedTensor> values);
  friend Layer TimeDistributed(const Model& model, LayerOptions options, Where where);
  friend std::vector<Layer> LayerList(std::string name, std::vector<Layer> layers);

 private:
  struct State {
    LayerConfig config;
    std::vector<int64_t> input_shape;
    Where where;
    int64_t id;
    bool used = false;
    std::string error = {};
  };
  std::shared_ptr<State> state_;
};

// Layers that a class derived from Model has as a list, a member of this name:
//
//   std::vector<fb::Layer> hidden_ = fb::LayerList("hidden", {fb::Dense(30, "relu"), fb::Dense(30, "relu")});
//
// The list is for loops in Call. In files of weights its layers are hidden/dense and hidden/dense_1, as Keras has those of
// self.hidden = [Dense(...), Dense(...)]. To be called before the layers are. Source: keras.saving.
std::vector<Layer> LayerList(std::string name, std::vector<Layer> layers);

// What the values of a call are, found when it is first asked for. Threads may share it.
struct SymbolicTypes {
  std::once_flag once;
  std::vector<Type> outputs;  // None after an error.
};

// One call, or an input; for what reads declarations.
struct SymbolicCall {
  int64_t number = 0;                     // Calls made later have greater ones.
  int64_t layer_id = 0;                   // Equal for calls of one layer.
  LayerConfig layer = {};                 // Of an input: its name alone.
  std::optional<InputConfig> input = {};  // Of an input.
  std::vector<SymbolicTensor> inputs = {};
  std::source_location where = {};
  std::string error = {};  // Of a model that is called and cannot be.
  std::shared_ptr<SymbolicTypes> types = std::make_shared<SymbolicTypes>();
};

// The next number for `number` and `layer_id`.
int64_t NextSymbolNumber();

}  // namespace fusebox
