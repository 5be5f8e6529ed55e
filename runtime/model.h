// SPDX-License-Identifier: Apache-2.0
// A model that learns: any graph of layers without a cycle, between any number of inputs and outputs. Names and defaults are
// Keras's.
//
//   auto wide = fb::Input({5}, {.name = "wide_input"}), deep = fb::Input({6}, {.name = "deep_input"});
//   auto h = fb::Dense(30, "relu")(fb::Dense(30, "relu")(deep));
//   fb::Model model({wide, deep}, {fb::Dense(1, {.name = "main_output"})(fb::Concatenate()({wide, h})),
//                                  fb::Dense(1, {.name = "aux_output"})(h)});
//   absl::Status ok = model.Compile({.optimizer = "sgd", .loss = {{"main_output", "mse"}, {"aux_output", "mse"}},
//                                    .loss_weights = {{"main_output", 0.9}, {"aux_output", 0.1}}});
//   absl::StatusOr<fb::History> history = model.Fit({x_wide, x_deep}, {y, y}, {.epochs = 20});
//
// Or a class of one's own, whose Call is ordinary C++ that calls layers (Keras's subclassing API):
//
//   class Ranker : public fb::Model {
//    public:
//     fb::CallOutputs Call(const fb::SymbolicTensors& inputs, bool training) const override {
//       return score_(hidden_(inputs[0]));
//     }
//    private:
//     fb::Layer hidden_ = fb::Dense(30, "relu", {.name = "hidden"}), score_ = fb::Dense(1, {.name = "score"});
//   };
//
// Call runs for each kind of input once without `training` and once with it, as soon as shapes are known: from the first
// data, or from Build. What it calls is the model, described and compiled as any other; loops and branches on shapes
// and attributes have run by then. Inputs of other shapes are traced anew, and layers keep their weights.
//
// Nothing needs checking while a model is declared: its first error sticks, and Compile returns it, with the layer's name
// and the line that made it. A model is used by one thread at a time; different models by as many as there are.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"
#include "fusebox/runtime/data/arrays.h"
#include "fusebox/runtime/data/sample_weights.h"
#include "fusebox/runtime/data/tensor.h"
#include "fusebox/runtime/describe/compile_args.h"
#include "fusebox/runtime/describe/history.h"
#include "fusebox/runtime/describe/model_config.h"
#include "fusebox/runtime/layer.h"
#include "fusebox/runtime/programs/program.h"

namespace fusebox {

struct ModelOptions {
  std::string name = {};  // "functional", of a Sequential "sequential", if it is not given.
  // Of the weights' first values; also Fit's, unless it is given another. Without one: what SetRandomSeed says, else
  // another one in every run.
  std::optional<int64_t> seed = {};
};

// Models that are made from now on, and have no seed of their own, get theirs from this one: each another, but the same in
// every run.
void SetRandomSeed(int64_t seed);

// Samples and what the model should say of them: x [n, ...], y [n] or [n, ...]. Any dtype: the arrays are read as they
// are, and the rows of a batch converted where they are used, x to the model's input dtype (f32 unless it says another
// one), y to i32 for losses that take classes, else to f32. So pictures may stay u8: see the layer `rescaling`.
//
// Samples may count unequally: each one's loss is multiplied by its weight, one number a sample of any dtype, and then
// reduced over all as ever (sum_over_batch_size: divided by their number, not by their weight). Of several outputs the
// losses of all are. Where the output has steps, [n, steps, ...], there may be a weight for each, [n, steps].
struct Data {
  Tensor x, y;
  Tensor sample_weight = {};
};

// The same for a model with several inputs or outputs: y has one array for each output with a loss or metrics.
struct DataArg {
  DataArg(Arrays inputs, Arrays targets, Arrays weights = {})
      : x(std::move(inputs)), y(std::move(targets)), sample_weight(std::move(weights)) {}
  DataArg(const Data& data) : x(data.x), y(data.y), sample_weight(data.sample_weight) {}

  Arrays x, y;
  // See Data. One for all outputs; or one for each that y has, in order or by its name, where an empty Tensor says none.
  Arrays sample_weight;
};

// After which epochs Fit looks at the validation data: every n-th, or those of a list. They count from 1, as in Keras.
struct ValidationFreq {
  ValidationFreq(int64_t n) : every(n) {}
  ValidationFreq(std::initializer_list<int64_t> list) : epochs(list) {}
  ValidationFreq(std::vector<int64_t> list) : epochs(std::move(list)) {}

  int64_t every = 0;
  std::vector<int64_t> epochs = {};
};

struct FitArgs {
  int64_t epochs = 1;  // Where to end, counted from 0: of an initial_epoch so many fewer are done.
  std::optional<int64_t> batch_size =
      {};  // 32; of steps_per_epoch alone, as many as take all samples in so many steps.
  std::optional<DataArg> validation_data = {};
  Arrays sample_weight = {};  // See DataArg. Not with class_weight.
  // {{3, 2.5}}: samples of class 3 count 2.5 times. Not of the validation data. For one output.
  ClassWeights class_weight = {};
  double validation_split = 0;       // This fraction of the samples, the last ones, cut off before shuffling.
  bool shuffle = true;               // Anew in every epoch.
  std::optional<int64_t> seed = {};  // Of shuffling and of random layers; else the model's.
  int64_t initial_epoch = 0;
  // An epoch is so many steps, and the next one goes on where it ended: it is shorter where a pass over the samples ends,
  // and they are shuffled anew only after that. Else a whole pass.
  std::optional<int64_t> steps_per_epoch = {};
  std::optional<int64_t> validation_steps = {};       // Only so many batches, always the first ones.
  std::optional<int64_t> validation_batch_size = {};  // Else batch_size; of validation_steps alone, as batch_size.
  ValidationFreq validation_freq = 1;
  std::vector<ItemArg> callbacks = {};
  // 0: FUSEBOX_NUM_THREADS, else the cores that this process may use; fewer if steps are so short that threads would
  // mostly wait for each other.
  int64_t threads = 0;
  int64_t verbose = 1;  // On stderr. 0: nothing; 1: a bar where that is a terminal; 2: one line an epoch.
  // The CPU to generate code for, as in CompileOptions: "x86-64-v3", say. Empty: FUSEBOX_TARGET_CPU, else this machine.
  std::string target_cpu = {};
};

struct EvaluateArgs {
  std::optional<int64_t> batch_size = {};  // 32; of steps alone, as many as take all samples in so many steps.
  Arrays sample_weight = {};               // See DataArg.
  std::optional<int64_t> steps = {};       // Only so many batches.
  int64_t threads = 0;
  std::string target_cpu = {};
};

struct PredictArgs {
  // How many samples at once. What comes out is the same for layers that look at each sample by itself, and so is the
  // default, 1024, in place of Keras's 32.
  std::optional<int64_t> batch_size = {};
  std::optional<int64_t> steps = {};  // Only so many batches; without a batch_size, of as many samples as it takes.
  int64_t threads = 0;
  std::string target_cpu = {};
};

struct TrainOnBatchArgs {
  Arrays sample_weight = {};  // See DataArg. Not with class_weight.
  ClassWeights class_weight = {};
  std::optional<int64_t> seed = {};  // Of random layers; else the model's.
  int64_t threads = 0;
  std::string target_cpu = {};
};

struct TestOnBatchArgs {
  Arrays sample_weight = {};
  int64_t threads = 0;
  std::string target_cpu = {};
};

class Model {
 public:
  // The model that computes outputs from inputs. Errors (they stick): an input that no output needs; an output that needs
  // something that is none of the inputs; two layers of one name; a layer that refuses its inputs.
  Model(SymbolicTensors inputs, SymbolicTensors outputs, ModelOptions options = {},
        Layer::Where where = Layer::Where::current());
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  virtual ~Model();

  // Of a class: what its outputs are. Layers that have weights are the object's members, all others may be made on the
  // spot. Outputs are called as CallOutputs says, else "output_1", "output_2". What is wrong in it is an error of whoever
  // asked for the tracing. Moved into a fb::Model, the object is what was traced by then.
  virtual CallOutputs Call(const SymbolicTensors& inputs, bool training) const;
  // Of a class: traces it for inputs of these shapes, without the batch; or for these, which have names and dtypes. Errors:
  // those of Call; a weight that has another shape than it had, with the layer's name, expected and got; outputs of other
  // names than before. The model then is as it was.
  absl::Status Build(const std::vector<std::vector<int64_t>>& shapes);
  absl::Status Build(const SymbolicTensors& inputs);
  // The model as layers alone, which a file can hold: functional, with copies of all weights, and compiled likewise. Its
  // outputs are named as their layers. Error: a class that is not traced, or that has other layers in training.
  absl::StatusOr<Model> Traced();

  // Adds a value's sum to the loss; of a functional model one that comes from its inputs, of a class within Call. So it
  // may be trained without any other loss. No .keras file can hold it. Error (it sticks): it needs something else, or has
  // not one number a batch or a sample. Source: keras.layers.Layer.add_loss.
  void AddLoss(const SymbolicTensor& value, Layer::Where where = Layer::Where::current()) const;
  // Logs a value's mean over the epoch under this name. Keras 3 dropped it: keras.layers.Layer.add_metric of Keras 2.
  void AddMetric(const SymbolicTensor& value, std::string name, Layer::Where where = Layer::Where::current()) const;

  // A model from its description. `embedded` has the symbols of plugins that may be missing here. Error: what Compile
  // would return.
  static absl::StatusOr<Model> FromConfig(const ModelConfig& config, const Expansions& embedded = {},
                                          std::optional<int64_t> seed = {});

  // The first error of the declaration.
  const absl::Status& status() const;

  // The model as a layer of another one, which gets a copy of it, with its weights as they are now; all calls within one
  // model are of the same copy. Apply gives all outputs, the operator that of a model with one (else its first).
  SymbolicTensor operator()(SymbolicTensors inputs, Layer::Where where = Layer::Where::current()) const;
  std::vector<SymbolicTensor> Apply(SymbolicTensors inputs, Layer::Where where = Layer::Where::current()) const;

  // Chooses how to learn. What an earlier optimizer has remembered is dropped, unless asked for; weights stay. Errors: the declaration's
  // first one; an unknown item, with the nearest known names; a loss that does not fit its output, or an output that the
  // model lacks.
  absl::Status Compile(CompileArgs args);

  // Trains: in each epoch over all samples in batches of batch_size, the last of which may be smaller. The result has
  // losses and metrics of every epoch, and those of the validation data under "val_...". The same seed gives the same bits
  // for any number of threads. Source: keras.Model.fit.
  //
  // Errors, all before the first step: the model is not compiled; not as many arrays as the model has inputs, or outputs
  // with a loss, or none of their names; x or y of the wrong shape, with the layer's name, expected and got; a class out of
  // range or NaN in y, with the sample's index; a weight of a class that there is not; arguments out of range. NaN in x is
  // no error. Cancelled, with all steps done so far kept, when a signal arrives: see StopOnSignals.
  absl::StatusOr<History> Fit(const Arrays& x, const Arrays& y, FitArgs args = {});

  // Losses and metrics, under the names that History has. Errors: as with Fit.
  absl::StatusOr<Logs> Evaluate(const Arrays& x, const Arrays& y, EvaluateArgs args = {});

  // What the outputs say of each sample: x [n, ...] -> f32 [n, ...] under each output's name. Errors: as with Fit.
  absl::StatusOr<Arrays> Predict(const Arrays& x, PredictArgs args = {});

  // One step of training, or of evaluation, on one batch of any size: losses and metrics of this batch alone (in Keras 3
  // each call begins with reset_metrics). A program is compiled for the greatest batch so far. Errors: as with Fit.
  absl::StatusOr<Logs> TrainOnBatch(const Arrays& x, const Arrays& y, TrainOnBatchArgs args = {});
  absl::StatusOr<Logs> TestOnBatch(const Arrays& x, const Arrays& y, TestOnBatchArgs args = {});
  // What Predict gives, of all samples as one batch.
  absl::StatusOr<Arrays> PredictOnBatch(const Arrays& x, PredictArgs args = {});

  // Losses and metrics as the last run has left them, of Fit, Evaluate, TrainOnBatch or TestOnBatch; 0 before that, and
  // after ResetMetrics. Empty, if the model is not compiled. Source: keras.Model.get_metrics_result, reset_metrics.
  Logs GetMetricsResult() const;
  void ResetMetrics();

  // The table of layers, shapes and numbers of parameters that Keras prints. Shapes are unknown as long as the input's is.
  // Of a class the layers that are members; before it is traced there are none.
  std::string Summary() const;

  // Copies of all weights, layer by layer: of a Dense layer, kernel and bias. Error: the input's shape is not known yet.
  absl::StatusOr<std::vector<Tensor>> GetWeights();
  // The other way round. Error: not as many, or another shape, with the weight's name. Nothing changes then.
  absl::Status SetWeights(const std::vector<Tensor>& weights);

  // One layer's, by its name; "encoder/dense" is one of a model within, "encoder" all of that. Error: there is none of this
  // name, with the nearest.
  absl::StatusOr<LayerConfig> GetLayer(std::string_view name) const;
  absl::StatusOr<std::vector<Tensor>> GetLayerWeights(std::string_view name);
  absl::Status SetLayerWeights(std::string_view name, const std::vector<Tensor>& weights);
  // Whether Fit changes its weights. What the optimizer has remembered is dropped.
  absl::Status SetTrainable(std::string_view name, bool trainable);

  // Another model of the same layers, with first weights of its own, and not compiled. Error: a class (see Traced).
  // Source: keras.models.clone_model.
  absl::StatusOr<Model> Clone(std::optional<int64_t> seed = {}) const;

  // Writes a .keras file, which Keras opens too: layers, weights, compile settings, the optimizer's state, and the symbols
  // of strangers' layers. The file is replaced whole or not at all. Error: a class, which no file can hold: see Traced.
  absl::Status Save(const std::string& path);
  absl::Status SaveWeights(const std::string& path);  // A .weights.h5 file.
  absl::Status LoadWeights(const std::string& path);

  const ModelConfig& config() const;
  // What goes into each call of a layer and comes out of it, in the order of CallsOf(config()). Error: the input's shape is
  // not known.
  absl::StatusOr<std::vector<CallTypes>> call_types() const;
  // A program of this model as symbols, for data of the shape that the model expects, x of the dtype given or else of the
  // inputs' own. Error: as with Compile.
  absl::StatusOr<Graph> Program(ProgramKind kind, std::optional<DType> x_dtype = {}) const;
  // How many numbers all weights have. 0 as long as the input's shape is not known.
  int64_t CountParams() const;

  class Impl;

 protected:
  // Of a class; its name is the class's, "wide_and_deep_model", if it is not given.
  explicit Model(ModelOptions options = {});
  explicit Model(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;

 private:
  friend absl::StatusOr<Model> LoadModel(const std::string& path);
  friend class TrainingSetup;

  // The model for data of this kind: see Impl::SettleInput; of a class traced, unless it is so already.
  absl::Status Settle(const Arrays& x) const;
  absl::Status Trace(const std::vector<InputConfig>& inputs) const;
  SymbolicCall Called(SymbolicTensors inputs, Layer::Where where) const;
  // The name is known only when the object is whole.
  void NameByClass() const;
};

// Opens a .keras file that Save, Keras 3 or Keras 2 (tf.keras) wrote, or an .h5 file of either, which holds a whole model:
// the file's bytes tell which. The optimizer goes on with what it remembers; in Keras 2's files Nadam and Adafactor have not
// all of it, and begin anew but for the number of steps. Errors: no such file, what is wrong in it, a layer that is unknown
// here.
absl::StatusOr<Model> LoadModel(const std::string& path);

}  // namespace fusebox
