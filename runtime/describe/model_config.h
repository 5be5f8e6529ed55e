// SPDX-License-Identifier: Apache-2.0
// A model as data: what Sequential and Model build, what a .keras file and a model plugin carry. No weights, no graph.
//
// A model is a list of calls of its layers, in an order in which they can be computed. A plain stack (Sequential)
// leaves its calls out, because they follow from the layers:
//
//   layers {dense}                                        =  calls {{dense, of the input}}, outputs {of that call}
//   inputs {a, b}, layers {dense, add},
//   calls {{dense, {a}}, {dense, {b}}, {add, {2, 3}}}     the layer dense is shared; value 2 is its first call's
//
// runtime/describe/ is descriptions as plain values: a model, its items (item_spec.h) and their names (item_names.h),
// what Compile is told, what a run reports. Of runtime/ it sees data/ and files/.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fusebox/runtime/describe/item_spec.h"

namespace fusebox {

struct LayerVariables;
struct ModelConfig;

// An input of a model.
struct InputConfig {
  std::string name;           // Unique in the model.
  DType dtype = DType::kF32;  // What data are converted to.
  Shape shape;                // Without the batch.
  std::string key = {};       // Of a model whose inputs are a dict: its key there, by which data name it.

  bool operator==(const InputConfig&) const = default;
};

// A layer of a model.
struct LayerConfig {
  ItemSpec item;          // After registration: the full key, "fusebox/dense@1", and all attributes of the schema.
  std::string name;       // Unique in the model: "dense", "dense_1" as Keras counts them.
  bool trainable = true;  // Whether training changes its weights.
  // Whose variables it has: null in a description that no model was made of yet. Layers with the same pointer are one
  // layer, wherever they stand. No part of the description as text, and not compared.
  std::shared_ptr<LayerVariables> variables = {};
  // Of a model within the model, which is no item; or is what the item time_distributed does with each step.
  std::shared_ptr<const ModelConfig> model = {};
  std::string place =
      {};  // Of a class's layer in a list of layers: the list and the place, "hidden/dense_1". See LayerList.

  // Whether it is the item time_distributed of a model.
  bool IsTimeDistributedModel() const { return model != nullptr && !item.id.empty(); }
  // Models within are compared by what they hold.
  bool operator==(const LayerConfig& other) const;
};

// The layer that applies another layer, or a model, to each step of time.
inline constexpr char kTimeDistributed[] = "fusebox/time_distributed@1";

// A value of the model: output `output` of one of its inputs (0, 1, ...) or else of a call (inputs.size() + call).
struct ValueRef {
  size_t source = 0, output = 0;  // See above.

  bool operator==(const ValueRef&) const = default;
};

// A call of a layer.
struct CallConfig {
  size_t layer = 0;              // Its number among the layers.
  std::vector<ValueRef> inputs;  // What it is called with.
  // Whether the layer runs as in training, or as in prediction, whatever the model does; not given: as the model.
  std::optional<bool> training = {};

  bool operator==(const CallConfig&) const = default;
};

// What one output learns.
struct OutputLoss {
  std::string output;                           // Its name.
  ItemSpec loss;                                // Without an id: none.
  std::optional<double> weight;                 // The weight of the loss in the sum of losses; 1 if not given.
  std::vector<ItemSpec> metrics;                // Logged.
  std::vector<ItemSpec> weighted_metrics = {};  // Logged, with samples by their weights.

  // Whether a loss is given.
  bool HasLoss() const { return !loss.id.empty(); }
  bool operator==(const OutputLoss&) const = default;
};

// What Compile was told.
struct CompileConfig {
  // As in CompileArgs.
  ItemSpec optimizer;
  ItemSpec loss;
  std::vector<ItemSpec> metrics;
  std::vector<ItemSpec> weighted_metrics = {};
  // Of a model with several outputs, or where a loss has a weight: one for each output, in order, in place of loss and
  // metrics above.
  std::vector<OutputLoss> outputs = {};
  // Of a file whose settings cannot be read: why, and the settings as they stand there, JSON. They are written again as
  // they were, and whatever needs them is refused.
  std::string problem = {}, keras_json = {};

  bool HasLoss() const;  // Of any output, or of a file whose settings cannot be read.
  bool operator==(const CompileConfig&) const = default;
};

// A value whose mean over an epoch is logged under this name.
struct AddedMetric {
  std::string name;  // See above.
  ValueRef value;    // Of the model.

  bool operator==(const AddedMetric&) const = default;
};

// A model.
struct ModelConfig {
  std::string name = "sequential";     // "functional" as Keras names graphs of layers.
  std::vector<InputConfig> inputs;     // Of a stack: one, or none as long as the first batch of data has not decided.
  std::vector<LayerConfig> layers;     // In Keras's order: a stack's from first to last, others' as LayerOrder says.
  std::vector<CallConfig> calls = {};  // In an order in which they can be computed; none of a stack.
  std::vector<ValueRef> outputs = {};  // None of a stack.
  std::optional<CompileConfig> compile = {};  // None if the model is not compiled.
  // What the user has added to the losses and metrics.
  std::vector<ValueRef> added_losses = {};
  std::vector<AddedMetric> added_metrics = {};
  // Of a model that a C++ class's Call was traced to: the class. Its layers stand in the order in which they were made,
  // calls in that in which they are done.
  std::string class_name = {};
  // What the outputs are called, if not as their layers: in a class's words, or the keys of a dict of outputs.
  std::vector<std::string> output_names = {};
  size_t members = 0;  // The number of layers, at the front, that are the object's own. Call has made the others.

  // Whether it is a class; whether it is a plain stack.
  bool IsSubclass() const { return !class_name.empty(); }
  bool IsStack() const { return outputs.empty() && !IsSubclass(); }

  bool operator==(const ModelConfig&) const = default;
};

// The calls and outputs of any model, those of a stack written out.
std::vector<CallConfig> CallsOf(const ModelConfig& model);
std::vector<ValueRef> OutputsOf(const ModelConfig& model);
// Outputs are named as the layers that make them (an input that is an output, as itself). A layer that makes several
// has its later ones counted: "head", "head_1".
std::vector<std::string> OutputNames(const ModelConfig& model);
// What data call the inputs: the keys of a dict of inputs, else their names.
std::vector<std::string> InputNames(const ModelConfig& model);

// Inputs (0, 1, ...) and layers (inputs.size() + layer) in the order in which Keras lists them: the farther from an
// output the earlier, else as a search from the outputs back meets them.
std::vector<size_t> LayerOrder(const ModelConfig& model);

// The calls of CallsOf in the order in which Keras does them. It matters where calls of one layer change what it keeps,
// as BatchNormalization's moving statistics.
std::vector<size_t> CallOrder(const ModelConfig& model);

// Puts the layers in the order of LayerOrder. Of a stack nothing changes.
void SortLayers(ModelConfig& model);
// Puts the calls in the order in which Keras computes them when it opens a file: again and again over the layers, of
// each those calls that have all they need. Returns how they were numbered before, by the new numbers; nothing if some
// wait for each other.
std::optional<std::vector<size_t>> SortCalls(ModelConfig& model);
// The names of layers whose calls form a cycle; empty if there is no cycle.
std::vector<std::string> LayersInCycle(const ModelConfig& model);

// The same computation as a functional model, and likewise all models within: of a class the layers that are called, in
// Keras's order, and outputs that are named as their layers. Without a class it is the model itself.
ModelConfig Frozen(const ModelConfig& model);

// Whether AddLoss has added losses to the model or to a model within it; the names of the metrics that AddMetric has
// added.
bool AddsLosses(const ModelConfig& model);
std::vector<std::string> AddedMetricNames(const ModelConfig& model);

// "Dense"; "Sequential", "Functional" or the class's name of a model.
std::string KerasClassOf(const LayerConfig& layer);

// The layers that are no models, those of models within included, in Keras's order.
struct LeafLayer {
  std::string path;                    // "encoder/dense": the scope of its weights.
  const LayerConfig* layer = nullptr;  // Of the model that was asked.
  bool trainable = true;               // So are all models around it, too.
};
// All of them.
std::vector<LeafLayer> LeafLayers(const ModelConfig& model);

// By path, the leaf layers that stand at several places of the model (within models, say) and so share their variables:
// the first such place, after which the weights are named, for each of them. Paths that are not in the map are first
// themselves.
std::map<std::string, std::string> SharedPaths(const ModelConfig& model);
// Makes the layers at these places one, as SharedPaths tells of another model of the same layers. Error: no such layer.
absl::Status ShareLayers(const std::map<std::string, std::string>& shared_paths, ModelConfig& model);

// What each output learns, in order; also for a model with one output, whose compile config has a short form. Empty if
// the model is not compiled.
std::vector<OutputLoss> LossesOf(const ModelConfig& model);

// The ports of programs. A model's only input is "x", one of several "x/wide_input"; likewise targets and predictions
// "y", "y/main_output".
std::vector<std::string> InputPorts(const ModelConfig& model);
std::vector<std::string> OutputPorts(const ModelConfig& model);

}  // namespace fusebox
