// SPDX-License-Identifier: Apache-2.0
// A trainable model: any acyclic graph of layers between any number of inputs and outputs. Names and defaults are
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
// A model may also be a C++ class, whose Call is ordinary C++ that calls layers (Keras's subclassing API):
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
// Call is traced: for each kind of input it runs once without `training` and once with it, as soon as the input's
// shapes are known from the first data or from Build. The layers that it calls make up the model, which is described
// and compiled like any other. Loops and branches on shapes and attributes have run by then. Inputs of other shapes are
// traced anew; layers keep their weights.
//
// Declaring a model needs no error checks: the first error sticks, and Compile returns it with the layer's name and the
// line that made it. Use a model from one thread at a time. Different models may run in different threads, unless they
// share layers with weights: those count as one model (see Layer).
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

// Options of a model.
struct ModelOptions {
  std::string name = {};  // Name of the model. Default: "functional", or "sequential" for a Sequential.
  // Seed of the weights' initial values, and of Fit unless its arguments have another one. Default: derived from
  // SetRandomSeed's seed, or, without that, different in every run.
  std::optional<int64_t> seed = {};
};

// Sets the seed from which all models made from now on derive theirs, unless they are given one. Each model gets a
// different seed, the same one in every run.
void SetRandomSeed(int64_t seed);

// Samples and their targets: x [n, ...], y [n] or [n, ...]. Any dtype: the arrays are read as they are, and the rows of
// a batch are converted where they are used: x to the model's input dtype (f32 by default), y to i32 for losses that
// take classes and to f32 otherwise. So images may stay u8: see the layer `rescaling`.
//
// Samples may have unequal weights, one number of any dtype for each sample. The loss of a sample is multiplied by its
// weight and then reduced as usual (sum_over_batch_size divides by the number of samples, not by their total weight).
// In a model with several outputs this applies to the losses of all outputs. Where the output has steps, [n, steps,
// ...], each step may have a weight, [n, steps].
struct Data {
  Tensor x, y;                // The samples, [n, ...], and the targets, [n] or [n, ...].
  Tensor sample_weight = {};  // The samples' weights, [n] or [n, steps]. Empty: all samples count equally.
};

// Data of a model with several inputs or outputs. y has one array for each output that has a loss or metrics.
struct DataArg {
  // Arrays in order or by name: one for each input, target, and target's weights.
  DataArg(Arrays inputs, Arrays targets, Arrays weights = {})
      : x(std::move(inputs)), y(std::move(targets)), sample_weight(std::move(weights)) {}
  // Data of a model with one input and one output.
  DataArg(const Data& data) : x(data.x), y(data.y), sample_weight(data.sample_weight) {}

  Arrays x, y;  // The samples and the targets: see Data.
  // The samples' weights: see Data. Either one array for all outputs, or one for each array of y, in order or by name.
  // In the latter case an empty Tensor means that the output has no weights.
  Arrays sample_weight;
};

// The epochs after which Fit evaluates the validation data: every n-th, or those of a list. Epochs count from 1, as in
// Keras.
struct ValidationFreq {
  // After every n-th epoch.
  ValidationFreq(int64_t n) : every(n) {}
  // After the epochs of the list.
  ValidationFreq(std::initializer_list<int64_t> list) : epochs(list) {}
  ValidationFreq(std::vector<int64_t> list) : epochs(std::move(list)) {}

  int64_t every = 0;                 // n; 0 if there is a list.
  std::vector<int64_t> epochs = {};  // The list.
};

// Arguments of Model::Fit.
struct FitArgs {
  // The epoch to stop at. Epochs count from 0, so Fit runs the epochs initial_epoch, ..., epochs - 1.
  int64_t epochs = 1;
  // Samples in a step. Default: 32. If steps_per_epoch is given: as many as it takes to cover all samples in that many
  // steps.
  std::optional<int64_t> batch_size = {};
  // Data that are evaluated after epochs: see validation_freq.
  std::optional<DataArg> validation_data = {};
  // The samples' weights: see DataArg. Not together with class_weight.
  Arrays sample_weight = {};
  // Weights by class. {{3, 2.5}}: samples of class 3 count 2.5 times. Does not apply to the validation data. Only for
  // models with one output.
  ClassWeights class_weight = {};
  // Fraction of the samples to validate with in place of validation_data: the last ones, cut off before shuffling.
  double validation_split = 0;
  bool shuffle = true;               // Whether to shuffle the samples again in every epoch.
  std::optional<int64_t> seed = {};  // Seed of shuffling and of random layers. Default: the model's seed.
  int64_t initial_epoch = 0;         // The epoch to begin with, counted from 0.
  // Steps in an epoch. The next epoch continues where the last one ended. An epoch is shorter where a pass over the
  // samples ends; only then are the samples shuffled again. Default: an epoch is a whole pass.
  std::optional<int64_t> steps_per_epoch = {};
  std::optional<int64_t> validation_steps = {};  // Steps of each validation, always the first ones. Default: all.
  // Samples in a step of validation. Default: batch_size. If that is not given either: as many as it takes to cover the
  // validation data in validation_steps, or 32 without validation_steps.
  std::optional<int64_t> validation_batch_size = {};
  ValidationFreq validation_freq = 1;   // The epochs after which the validation data are evaluated.
  std::vector<ItemArg> callbacks = {};  // Callbacks, in the order in which they are called.
  // Threads to use. 0: FUSEBOX_NUM_THREADS, or, without that, the cores that this process may use. Steps that are so
  // short that threads would mostly wait for each other use fewer.
  int64_t threads = 0;
  int64_t verbose = 1;  // Output on stderr. 0: none; 1: a progress bar if stderr is a terminal; 2: one line per epoch.
  // The CPU to generate code for, as in CompileOptions: "x86-64-v3". Empty: FUSEBOX_TARGET_CPU, or, without that, this
  // machine's CPU.
  std::string target_cpu = {};
};

// Arguments of Model::Evaluate.
struct EvaluateArgs {
  // Samples in a step. Default: 32. If steps is given: as many as it takes to cover all samples in that many steps.
  std::optional<int64_t> batch_size = {};
  Arrays sample_weight = {};          // The samples' weights: see DataArg.
  std::optional<int64_t> steps = {};  // Steps to evaluate, the first ones. Default: all.
  int64_t threads = 0;                // As in FitArgs.
  std::string target_cpu = {};        // As in FitArgs.
};

// Arguments of Model::Predict.
struct PredictArgs {
  // Samples in a step. Default: 1024 in place of Keras's 32. If steps is given: as many as it takes to cover all
  // samples in that many steps. The batch size does not change the result where layers treat each sample separately.
  std::optional<int64_t> batch_size = {};
  std::optional<int64_t> steps = {};  // Steps to predict, the first ones. Default: all.
  int64_t threads = 0;                // As in FitArgs.
  std::string target_cpu = {};        // As in FitArgs.
};

// Arguments of Model::TrainOnBatch.
struct TrainOnBatchArgs {
  Arrays sample_weight = {};         // The samples' weights: see DataArg. Not together with class_weight.
  ClassWeights class_weight = {};    // As in FitArgs.
  std::optional<int64_t> seed = {};  // Seed of random layers. Default: the model's seed.
  int64_t threads = 0;               // As in FitArgs.
  std::string target_cpu = {};       // As in FitArgs.
};

// Arguments of Model::TestOnBatch.
struct TestOnBatchArgs {
  Arrays sample_weight = {};    // The samples' weights: see DataArg.
  int64_t threads = 0;          // As in FitArgs.
  std::string target_cpu = {};  // As in FitArgs.
};

// What stands for a class or function of a file: an item with attributes, a function (fb::LossFn, fb::MetricFn), or the
// item of a layer (fb::Lambda).
struct CustomItem : ItemArg {
  using ItemArg::ItemArg;
  CustomItem(const Layer& layer) : ItemArg(layer.config().item) {}
};

// Arguments of LoadModel. Names and defaults are Keras's.
struct LoadArgs {
  // Whether to compile the model as the file says. Without it, optimizer, losses and metrics of the file are not looked
  // at, and the optimizer's state is dropped.
  bool compile = true;
  // What to use for classes and functions of the file, by their names there, with or without the package that they are
  // registered under: "MyLoss", "my_package>MyLoss". An item gets the attributes of the file that it is not given here; a
  // function gets none. Names that the file does not have are ignored. Keras's name for this is custom_objects.
  std::vector<std::pair<std::string, CustomItem>> custom = {};
  // Whether weights whose number or shape does not fit their layer stay as they are initialised, with a line on stderr
  // for each of these layers, rather than being an error.
  bool skip_mismatch = false;
};

class Predictor;

// A trainable model. See above. Use it from one thread at a time: methods that compute or set something return
// FailedPrecondition while another thread is in one. For predictions on several threads see MakePredictor.
class Model {
 public:
  // Makes the model that computes outputs from inputs. Errors (they stick): an input that no output needs; an output
  // that needs an input that is not listed; two layers of the same name; a layer that rejects its inputs.
  Model(SymbolicTensors inputs, SymbolicTensors outputs, ModelOptions options = {},
        Layer::Where where = Layer::Where::current());
  // Models can be moved but not copied: see Clone.
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  virtual ~Model();

  // Computes the outputs of a model that is a class; override it there. Layers that have weights must be members of the
  // object; all others may be made within Call. Outputs have the names of CallOutputs, or "output_1", "output_2" if it
  // has none. Errors in Call are returned by the method that triggered the tracing. An object that is moved into a
  // fb::Model keeps the traces made so far, and can make no new ones.
  virtual CallOutputs Call(const SymbolicTensors& inputs, bool training) const;
  // Traces a class for inputs of these shapes, given without the batch. Errors: those of Call; a weight whose shape
  // differs from that of an earlier trace, with the layer's name, expected and got; outputs whose names differ from
  // those before. After an error the model is unchanged.
  absl::Status Build(const std::vector<std::vector<int64_t>>& shapes);
  // Traces a class for inputs with names and dtypes, made by fb::Input. Errors: as above.
  absl::Status Build(const SymbolicTensors& inputs);
  // Makes a functional model of a class, which a file can hold. It has the same layers, shares their weights, and is
  // compiled in the same way. Its outputs are named after their layers. Error: the class is not traced yet, or it calls
  // other layers in training.
  absl::StatusOr<Model> Traced();

  // Adds the sum of a value to the loss, so a model may be trained without any other loss. In a functional model the
  // value has to be computed from the model's inputs; in a class, call AddLoss within Call. A .keras file cannot hold
  // the added loss. Error (it sticks): the value needs other inputs, or does not have one number per batch or per
  // sample. Source: keras.layers.Layer.add_loss.
  void AddLoss(const SymbolicTensor& value, Layer::Where where = Layer::Where::current()) const;
  // Logs a value's mean over the epoch under this name. Source: keras.layers.Layer.add_metric of Keras 2, which Keras 3
  // has dropped.
  void AddMetric(const SymbolicTensor& value, std::string name, Layer::Where where = Layer::Where::current()) const;

  // Makes a model from its description, with variables of its own. `embedded` has the symbols of plugins that may be
  // missing here. Errors: as with Compile.
  static absl::StatusOr<Model> FromConfig(const ModelConfig& config, const Expansions& embedded = {},
                                          std::optional<int64_t> seed = {});

  // The first error of the declaration, or OK.
  const absl::Status& status() const;

  // Calls the model as a layer of another model. Both models have the same layers, hence the same weights: training
  // either one trains both. Returns the model's output, or the first one if there are several: see Apply.
  SymbolicTensor operator()(SymbolicTensors inputs, Layer::Where where = Layer::Where::current()) const;
  // As the operator above, but returns all outputs.
  std::vector<SymbolicTensor> Apply(SymbolicTensors inputs, Layer::Where where = Layer::Where::current()) const;

  // Sets optimizer, losses and metrics. Weights are kept. The state of an earlier optimizer is dropped, unless
  // keep_optimizer_state asks to keep it. Errors: the first error of the declaration; an unknown item, with the nearest
  // known names; a loss that does not fit its output; an output that the model lacks.
  absl::Status Compile(CompileArgs args);

  // Trains the model. Each epoch passes over all samples in batches of batch_size; the last batch may be smaller.
  // Returns the losses and metrics of every epoch, and those of the validation data under "val_...". The same seed
  // gives the same bits for any number of threads. Source: keras.Model.fit.
  //
  // Errors, all before the first step: the model is not compiled; the number or names of arrays differ from those of
  // the model's inputs, or of its outputs with a loss; x or y has the wrong shape, with the layer's name, expected and
  // got; y has a class out of range or NaN, with the sample's index; class_weight names a class that does not exist;
  // arguments are out of range. NaN in x is not an error. Returns Cancelled when a signal arrives, and keeps all steps
  // done so far: see StopOnSignals.
  absl::StatusOr<History> Fit(const Arrays& x, const Arrays& y, FitArgs args = {});

  // Computes losses and metrics, under the names that History uses. Errors: as with Fit.
  absl::StatusOr<Logs> Evaluate(const Arrays& x, const Arrays& y, EvaluateArgs args = {});

  // Computes the outputs for each sample: x [n, ...] -> f32 [n, ...] under each output's name. Errors: as with Fit.
  absl::StatusOr<Arrays> Predict(const Arrays& x, PredictArgs args = {});

  // Makes a predictor, which any number of threads may share, with a copy of the weights of now. Errors: the first error
  // of the declaration; the input's shape is not known yet.
  absl::StatusOr<Predictor> MakePredictor();

  // Does one training step on one batch of any size. Returns the losses and metrics of this batch alone (in Keras 3
  // each call begins with reset_metrics). A program is compiled whenever a batch is greater than all before. Errors: as
  // with Fit.
  absl::StatusOr<Logs> TrainOnBatch(const Arrays& x, const Arrays& y, TrainOnBatchArgs args = {});
  // As TrainOnBatch, but evaluates the batch without training.
  absl::StatusOr<Logs> TestOnBatch(const Arrays& x, const Arrays& y, TestOnBatchArgs args = {});
  // As Predict, with all samples as one batch.
  absl::StatusOr<Arrays> PredictOnBatch(const Arrays& x, PredictArgs args = {});

  // Losses and metrics of the last call of Fit, Evaluate, TrainOnBatch or TestOnBatch. All are 0 before the first call
  // and after ResetMetrics. Empty if the model is not compiled. Source: keras.Model.get_metrics_result.
  Logs GetMetricsResult() const;
  // Sets what GetMetricsResult returns to 0. Source: keras.Model.reset_metrics.
  void ResetMetrics();

  // The table that Keras prints: layers, their output shapes and numbers of parameters. Shapes are unknown until the
  // input's shape is known. For a class the table lists the layers that are members; it is empty before the first
  // trace.
  std::string Summary() const;

  // Copies of all weights, layer by layer. For a Dense layer: kernel, bias. Error: the input's shape is not known yet.
  absl::StatusOr<std::vector<Tensor>> GetWeights();
  // Sets all weights, in the order of GetWeights. Error: the number of weights or a shape differs, with the weight's
  // name. After an error no weight is changed.
  absl::Status SetWeights(const std::vector<Tensor>& weights);

  // The description of one layer, by its name. "encoder" is a model within this one, "encoder/dense" a layer of it.
  // Error: no layer has this name, with the nearest names.
  absl::StatusOr<LayerConfig> GetLayer(std::string_view name) const;
  // Copies of the weights of one layer, or of all layers of a model within this one. Errors: as with GetLayer and
  // GetWeights.
  absl::StatusOr<std::vector<Tensor>> GetLayerWeights(std::string_view name);
  // Sets the weights of one layer, or of all layers of a model within this one. Errors: as with GetLayer and
  // SetWeights.
  absl::Status SetLayerWeights(std::string_view name, const std::vector<Tensor>& weights);
  // Sets whether training changes the weights of a layer, or of all layers of a model within this one. This is a
  // property of the layers, so it applies to every model that has them. It takes effect when a model is trained next,
  // whether the model was compiled before or not, as in Keras 3.15. If a model then trains other layers than before,
  // the state of its optimizer is dropped (Keras requires another compile). Source: keras.layers.Layer.trainable.
  absl::Status SetTrainable(std::string_view name, bool trainable);
  // As above, for all layers.
  void SetTrainable(bool trainable);

  // Makes a model with the same layers, but with new variables and initial weights of its own. The clone is not
  // compiled. Error: the model is a class (see Traced). Source: keras.models.clone_model.
  absl::StatusOr<Model> Clone(std::optional<int64_t> seed = {}) const;

  // Writes a .keras file: layers, weights, compile settings, the optimizer's state, and the symbols of layers of
  // third-party plugins. Keras can open the file, too. An existing file is replaced as a whole or not at all. Error:
  // the model is a class, which no file can hold (see Traced).
  absl::Status Save(const std::string& path);
  // Writes the weights to a .weights.h5 file.
  absl::Status SaveWeights(const std::string& path);
  // Reads the weights from a .weights.h5 file that SaveWeights or Keras wrote, or from the files that a .weights.json of
  // Keras's names. Errors: no such file; a malformed file; layers or shapes that differ from the model's.
  absl::Status LoadWeights(const std::string& path);

  // The description of the model.
  const ModelConfig& config() const;
  // The types of the inputs and outputs of each call of a layer, in the order of CallsOf(config()). Error: the input's
  // shape is not known.
  absl::StatusOr<std::vector<CallTypes>> call_types() const;
  // A program of this model as symbols, for data of the shapes that the model expects. x has the dtype given, or that
  // of the inputs by default. Errors: as with Compile.
  absl::StatusOr<Graph> Program(ProgramKind kind, std::optional<DType> x_dtype = {}) const;
  // The number of elements of all weights. 0 if the input's shape is not known.
  int64_t CountParams() const;

  class Impl;

 protected:
  // Constructor of a class. The default name is the class's in snake case: "wide_and_deep_model".
  explicit Model(ModelOptions options = {});
  // Makes a model of its implementation.
  explicit Model(std::unique_ptr<Impl> impl);
  // The implementation.
  std::unique_ptr<Impl> impl_;

 private:
  friend absl::StatusOr<Model> LoadModel(const std::string& path, LoadArgs args);
  friend class TrainingSetup;

  // As FromConfig, but with the description's own variables, which other models may share.
  static absl::StatusOr<Model> Sharing(const ModelConfig& config, const Expansions& embedded,
                                       std::optional<int64_t> seed);

  // Settles what data of this kind decide, such as the input's shape: see Impl::SettleInput. Traces a class, unless it
  // has such a trace already.
  absl::Status Settle(const Arrays& x) const;
  // Makes the trace of a class for these inputs the model's description. Runs Call if there is no such trace yet.
  absl::Status Trace(const std::vector<InputConfig>& inputs) const;
  // The call of the model as a layer of another model.
  SymbolicCall Called(SymbolicTensors inputs, Layer::Where where) const;
  // Takes the name from the class, unless the user gave one. The constructor cannot do this, because the class of an
  // object is known only once the object is complete.
  void NameByClass() const;
};

// Opens a .keras file that Save, Keras 3 or Keras 2 (tf.keras) wrote, or an .h5 file of either Keras that holds a whole
// model. The format is recognized from the file's bytes. The optimizer continues from its saved state. Keras 2's files
// hold only part of the state of Adafactor, which starts from scratch, except for the number of steps.
// Whatever of the compile settings cannot be used (a loss, metric, optimizer or schedule that is unknown here, or whose
// settings are refused) is kept as the file has it, and written again by Save. It is an error of Fit and Evaluate alone,
// if they need it; Compile replaces it. Errors: no such file; a malformed file, with what is wrong in it; unknown layers,
// all of them at once.
// Source: keras.saving.load_model.
absl::StatusOr<Model> LoadModel(const std::string& path, LoadArgs args = {});

}  // namespace fusebox
