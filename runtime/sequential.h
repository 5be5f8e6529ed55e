// SPDX-License-Identifier: Apache-2.0
// A plain stack of layers, from one input to one output, that learns. Names and defaults are Keras's.
//
//   fb::Sequential model({fb::Flatten({.input_shape = {28, 28}}), fb::Dense(300, "relu"), fb::Dense(10, "softmax")});
//   absl::Status ok = model.Compile({.optimizer = "sgd", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
//   absl::StatusOr<fb::History> history = model.Fit(x_train, y_train, {.epochs = 30});
//
// Nothing needs checking while a model is declared: its first error sticks, and Compile returns it, with the layer's name
// and the line that made it. A model is used by one thread at a time; different models by as many as there are.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"
#include "fusebox/runtime/history.h"
#include "fusebox/runtime/layers.h"
#include "fusebox/runtime/model_config.h"
#include "fusebox/runtime/program.h"
#include "fusebox/runtime/sample_weights.h"
#include "fusebox/runtime/tensor.h"

namespace fusebox {

struct ModelOptions {
  std::string name = "sequential";
  // Of the weights' first values; also Fit's, unless it is given another. Without one: what SetRandomSeed says, else
  // another one in every run.
  std::optional<int64_t> seed = {};
};

// Models that are made from now on, and have no seed of their own, get theirs from this one: each another, but the same in
// every run.
void SetRandomSeed(int64_t seed);

// An optimizer, loss, metric or callback: its name, with or without attributes, "sgd" or "sgd:learning_rate=0.1,momentum=0.9".
struct ItemArg {
  ItemArg(const char* text) : ItemArg(std::string(text)) {}
  ItemArg(const std::string& text) : spec(ParseItemSpec(text)) {}
  ItemArg(ItemSpec item) : spec(std::move(item)) {}

  absl::StatusOr<ItemSpec> spec;
};

struct CompileArgs {
  ItemArg optimizer = "rmsprop";
  ItemArg loss = ItemSpec{};  // There is no default.
  std::vector<ItemArg> metrics = {};
  std::vector<ItemArg> weighted_metrics = {};  // Those in which samples count by their weights, where they have some.
  bool keep_optimizer_state = false;           // What it has remembered, if it is the same kind of optimizer as before.
};

// Samples and what the model should say of them: x [n, ...], y [n] or [n, ...]. Any dtype: the arrays are read as they
// are, and the rows of a batch converted where they are used, x to the model's input dtype (f32 unless it says another
// one), y to i32 for losses that take classes, else to f32. So pictures may stay u8: see the layer `rescaling`.
//
// Samples may count unequally: each one's loss is multiplied by its weight, one number a sample of any dtype, and then
// reduced over all as ever (sum_over_batch_size: divided by their number, not by their weight).
struct Data {
  Tensor x, y;
  Tensor sample_weight = {};
};

struct FitArgs {
  int64_t epochs = 1;
  int64_t batch_size = 32;
  std::optional<Data> validation_data = {};
  Tensor sample_weight = {};         // See Data. Not with class_weight.
  ClassWeights class_weight = {};    // {{3, 2.5}}: samples of class 3 count 2.5 times. Not of the validation data.
  double validation_split = 0;       // This fraction of the samples, the last ones, cut off before shuffling.
  bool shuffle = true;               // Anew in every epoch.
  std::optional<int64_t> seed = {};  // Of shuffling and of random layers; else the model's.
  int64_t initial_epoch = 0;
  std::vector<ItemArg> callbacks = {};
  int64_t threads = 0;  // 0: FUSEBOX_NUM_THREADS, else the cores that this process may use.
  int64_t verbose = 1;  // On stderr. 0: nothing; 1: a bar where that is a terminal; 2: one line an epoch.
  // The CPU to generate code for, as in CompileOptions: "x86-64-v3", say. Empty: FUSEBOX_TARGET_CPU, else this machine.
  std::string target_cpu = {};
};

struct EvaluateArgs {
  int64_t batch_size = 32;
  Tensor sample_weight = {};  // See Data.
  int64_t threads = 0;
  std::string target_cpu = {};
};

struct PredictArgs {
  int64_t threads = 0;
  std::string target_cpu = {};
};

class Sequential {
 public:
  explicit Sequential(ModelOptions options = {});
  Sequential(std::vector<Layer> layers, ModelOptions options = {});
  Sequential(Sequential&&) noexcept;
  Sequential& operator=(Sequential&&) noexcept;
  ~Sequential();

  // A model from its description. `embedded` has the symbols of plugins that may be missing here. Error: what Compile
  // would return.
  static absl::StatusOr<Sequential> FromConfig(const ModelConfig& config, const Expansions& embedded = {},
                                               std::optional<int64_t> seed = {});

  // Puts a layer on top.
  Sequential& Add(Layer layer);
  // The first error of the declaration.
  const absl::Status& status() const;

  // Chooses how to learn. What an earlier optimizer has remembered is dropped, unless asked for; weights stay. Errors: the declaration's
  // first one; an unknown item, with the nearest known names; a loss that does not fit the last layer.
  absl::Status Compile(CompileArgs args);

  // Trains: `epochs` times over all samples in batches of batch_size, the last of which may be smaller. The result has
  // loss and metrics of every epoch, and those of the validation data under "val_...". The same seed gives the same bits
  // for any number of threads.
  //
  // Errors, all before the first step: the model is not compiled; x or y of the wrong shape, with the layer's name,
  // expected and got; a class out of range, with the sample's index; arguments out of range. NaN in x or y is no error.
  // Cancelled, with all steps done so far kept, when a signal arrives: see StopOnSignals.
  absl::StatusOr<History> Fit(const Tensor& x, const Tensor& y, FitArgs args = {});

  // Loss and metrics, under the names that History has. Errors: as with Fit.
  absl::StatusOr<Logs> Evaluate(const Tensor& x, const Tensor& y, EvaluateArgs args = {});

  // What the last layer says of each sample: x [n, ...] -> f32 [n, ...]. Error: x of the wrong shape.
  absl::StatusOr<Tensor> Predict(const Tensor& x, PredictArgs args = {});

  // The table of layers, shapes and numbers of parameters that Keras prints. Shapes are unknown as long as the input's is.
  std::string Summary() const;

  // Copies of all weights, layer by layer: of a Dense layer, kernel and bias. Error: the input's shape is not known yet.
  absl::StatusOr<std::vector<Tensor>> GetWeights();
  // The other way round. Error: not as many, or another shape, with the weight's name. Nothing changes then.
  absl::Status SetWeights(const std::vector<Tensor>& weights);

  // Writes a .keras file, which Keras opens too: layers, weights, compile settings, the optimizer's state, and the symbols
  // of strangers' layers. The file is replaced whole or not at all.
  absl::Status Save(const std::string& path);
  absl::Status SaveWeights(const std::string& path);  // A .weights.h5 file.
  absl::Status LoadWeights(const std::string& path);

  const ModelConfig& config() const;
  // What goes into each layer and comes out of it. Error: the input's shape is not known.
  absl::StatusOr<std::vector<LayerTypes>> layer_types() const;
  // A program of this model as symbols, for data of the shape that the model expects, x of the dtype given or else of the
  // input's own. Error: as with Compile.
  absl::StatusOr<Graph> Program(ProgramKind kind, std::optional<DType> x_dtype = {}) const;
  // How many numbers all weights have. 0 as long as the input's shape is not known.
  int64_t CountParams() const;

  class Impl;

 private:
  friend absl::StatusOr<Sequential> LoadModel(const std::string& path);

  std::unique_ptr<Impl> impl_;
};

// Opens a .keras file that Save or Keras wrote. Errors: no such file, what is wrong in it, a layer that is unknown here.
absl::StatusOr<Sequential> LoadModel(const std::string& path);

}  // namespace fusebox
