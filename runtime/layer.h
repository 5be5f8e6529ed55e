// SPDX-License-Identifier: Apache-2.0
// A layer as users name it: a handle to a plugin's item with attributes. The handle computes nothing. Errors in it are
// reported when the model is compiled, with the layer's name and the line that made it. layers.h has functions for the
// common layers.
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

// Options that every layer takes.
struct LayerOptions {
  std::string name = {};                  // Name of the layer. If empty, counted as in Keras: "dense", "dense_1".
  std::vector<int64_t> input_shape = {};  // Shape of a sample, without the batch. Only for a Sequential's first layer.
  bool trainable = true;                  // Whether Fit changes the layer's weights.
  // Initial values of weights, by their names within the layer ("kernel"). They replace the initializers' values.
  std::vector<NamedTensor> weights = {};
};

// Any layer of any plugin: fb::Layer("acme/gated", {{"units", 30}}). Attributes that are left out take the defaults
// that `fusebox plugins describe acme/gated` prints. Copies of a Layer object refer to the same layer.
//
// A layer owns its variables. Every model that contains the layer refers to them, so training one of these models
// trains all of them. Use models that share a layer with weights from one thread at a time, as if they were one model.
// Only Model::Clone copies variables.
class Layer {
 public:
  // The line of the user's code that makes or calls a layer. Error messages name it.
  using Where = std::source_location;

  // Makes a layer from the id of a plugin's item, "dense" or "acme/gated", and the item's attributes.
  Layer(std::string id, ItemAttributes attributes = {}, LayerOptions options = {}, Where where = Where::current());

  // Makes a layer from an item. `variables` are those of the layer or model that this layer wraps. If null, the layer
  // gets variables of its own.
  Layer(ItemSpec item, LayerOptions options, Where where = Where::current(),
        std::shared_ptr<LayerVariables> variables = nullptr);

  // Applies the layer to one value or to several. All calls of the same layer use the same weights.
  SymbolicTensor operator()(SymbolicTensors inputs, Where where = Where::current()) const;

  // The description of the layer: its item with attributes, and its name.
  const LayerConfig& config() const { return state_->config; }
  // LayerOptions::input_shape.
  const std::vector<int64_t>& input_shape() const { return state_->input_shape; }
  // The line that made the layer.
  const Where& where() const { return state_->where; }
  int64_t id() const { return state_->id; }  // A unique number. Layers made later have greater numbers.
  // Copies of the weights, by their names within the layer ("kernel"). Before a model has made the weights, these are
  // the initial values that the layer was given.
  std::vector<NamedTensor> weights() const;
  // Whether training changes the layer's weights. Applies to all models that contain the layer: see
  // Model::SetTrainable.
  bool trainable() const;
  // Sets trainable().
  void SetTrainable(bool trainable);
  // The error of the layer, if one is known already. Otherwise empty.
  const std::string& error() const { return state_->error; }

  // Marks the layer as part of a model or call. Models and calls copy its description at that moment, so it must not
  // change afterwards: see CheckUnused.
  void MarkUsed() const { state_->used = true; }

 protected:
  // Error: a model or call has the layer's description already, so a change would not reach it. `verb` is the method
  // that would change the layer.
  absl::Status CheckUnused(std::string_view verb) const;
  // The description, to be changed before the layer is used.
  LayerConfig& mutable_config() { return state_->config; }
  // Sets the initial values of weights. They take effect when a model makes the weights.
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

// Names layers as a list, for a class derived from Model that keeps them in a member of this name:
//
//   std::vector<fb::Layer> hidden_ = fb::LayerList("hidden", {fb::Dense(30, "relu"), fb::Dense(30, "relu")});
//
// Call can loop over the list. In weight files its layers are hidden/dense and hidden/dense_1, which is how Keras names
// those of self.hidden = [Dense(...), Dense(...)]. Make the list before its layers are called. Source: keras.saving.
std::vector<Layer> LayerList(std::string name, std::vector<Layer> layers);

// The types of a call's values, inferred when they are first asked for. Threads may share it.
struct SymbolicTypes {
  std::once_flag once;        // Done once the types are inferred.
  std::vector<Type> outputs;  // One type for each output. Empty after an error.
};

// One call of a layer, or one input, as the functions that read declarations see it.
struct SymbolicCall {
  int64_t number = 0;                       // A unique number. Calls made later have greater numbers.
  int64_t layer_id = 0;                     // Layer::id. Calls of the same layer have the same number.
  LayerConfig layer = {};                   // The layer that is called. Unset for an input.
  std::optional<InputConfig> input = {};    // The input. Set for an input only.
  std::vector<SymbolicTensor> inputs = {};  // The arguments of the call.
  std::source_location where = {};          // The line that made the call.
  std::string error = {};                   // The reason that a model cannot be called as a layer. Otherwise empty.
  // The types of the call's values. All copies of the call share them.
  std::shared_ptr<SymbolicTypes> types = std::make_shared<SymbolicTypes>();
};

// Returns the next number for SymbolicCall's `number` and `layer_id`.
int64_t NextSymbolNumber();

}  // namespace fusebox
