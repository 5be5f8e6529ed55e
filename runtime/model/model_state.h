// SPDX-License-Identifier: Apache-2.0
// All that a Model is. Inside runtime/ only.
#pragma once
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "fusebox/runtime/execute/bound_program.h"
#include "fusebox/runtime/execute/variables.h"
#include "fusebox/runtime/model.h"

namespace fusebox {

// What a user declares: all that a model computes, as values that know where they come from.
struct Declaration {
  SymbolicTensors inputs, outputs;
  std::vector<std::string> output_names = {};  // Of a class, or none.
  std::vector<SymbolicTensor> losses = {};
  std::vector<std::pair<SymbolicTensor, std::string>> metrics = {};
};

// A class's Call for inputs of one kind.
struct Tracing {
  std::vector<InputConfig> inputs;
  // Without training, and with it. Layers are those that are called; `members` of them, in order, are these.
  ModelConfig inference, training;
  std::vector<int64_t> inference_members, training_members;
};

// Data in the order of the model's inputs, and of TargetOutputs.
struct PortData {
  std::vector<Tensor> x, y;
  // f32[n] or f32[n, steps]: none; one for all targets; or one for each, where an empty one says none. As in BatchTypes.
  std::vector<Tensor> weights = {};

  int64_t rows() const { return x[0].rows(); }
  PortData Rows(int64_t begin, int64_t end) const;
  BatchTypes Types() const;
};

class Model::Impl {
 public:
  explicit Impl(ModelOptions options);
  static const Impl& Of(const Model& model) { return *model.impl_; }

  // ---- Declaring.
  // Puts a layer, or a model, on top of a stack.
  void Add(const LayerConfig& layer, const std::vector<int64_t>& input_shape, const std::source_location* where);
  // The input of a stack without layers.
  void AddInput(const InputConfig& input, const std::source_location& where);
  // Takes the last layer of a stack away.
  void Pop();
  // All that the outputs need of what was declared.
  void Declare(Declaration declared, const std::source_location& where);
  // What AddLoss and AddMetric of a functional model come to.
  void AddToDeclaration(const char* what, const std::source_location& where,
                        const std::function<void(Declaration&)>& add);
  // A whole description.
  void Take(const ModelConfig& whole);
  absl::Status Compile(CompileConfig compile, bool keep_optimizer_state);

  // ---- A class. Traced for inputs that were known before; whether it was.
  bool Activate(const std::vector<InputConfig>& inputs);
  // What the two runs of Call gave; what is made from `boundary` on was made within. Nothing changes after an error.
  absl::Status AddTrace(const std::vector<InputConfig>& inputs, const Declaration& inference,
                        const Declaration& training, int64_t boundary);
  // Keeps what Compile is told before outputs are known; and does it, as soon as they are.
  absl::Status CompileLater(CompileArgs args);
  absl::Status CompileNow();
  // Whether a file can hold what it was traced to.
  absl::Status CanBeFrozen() const;
  // Copies what the optimizer of the same model has remembered, and all else that is not the layers' own.
  absl::Status TakeOptimizer(const Impl& from);
  // While Call runs: where AddLoss and AddMetric put what they get.
  Declaration* calling = nullptr;
  bool DiffersInTraining() const { return training_config_.has_value(); }
  const ModelConfig& ConfigFor(ProgramKind kind) const {
    return kind == ProgramKind::kTraining && training_config_ ? *training_config_ : config;
  }
  // Takes over from the layers whether they are trained: they may have changed it since. Programs that were compiled
  // otherwise are dropped.
  void SettleTrainable();

  // `trains`: within a class's Call in training.
  SymbolicCall CallAsLayer(SymbolicTensors inputs, bool trains, const std::source_location& where) const;

  // ---- The programs. Types are known once the inputs' shapes are.
  bool HasInput() const { return !config.inputs.empty(); }
  std::vector<Type> InputTypes() const;
  // Takes the shape of the first data where none was declared.
  absl::Status SettleInput(const Arrays& x);
  // What the outputs give: f32[N,10].
  const std::vector<Type>& OutputTypes() const { return outputs; }
  // What programs read if no data are there to say: x of the inputs' dtypes, and what each loss expects, classes i32[N]
  // or the same as its output. Empty while the input is unknown.
  BatchTypes UsualData() const;
  absl::StatusOr<Graph> Program(ProgramKind kind, const BatchTypes& data) const;
  // The symbols that a file of the model keeps: see runtime/expand/kept_symbols.h.
  Expansions KeptSymbols() const;

  // Makes the weights, unless they are there, or the layers have them from another model.
  absl::Status EnsureWeights();
  // After training with use_ema: the weights become their moving averages.
  absl::Status TakeAverages();
  // The optimizer's variables too.
  absl::Status EnsureOptimizer();
  // The program, compiled, with variables bound. Compiled once for each type of data, capacity and CPU.
  absl::StatusOr<BoundProgram*> Compiled(ProgramKind kind, const BatchTypes& data, int64_t row_capacity,
                                         const std::string& target_cpu);
  // The same for one batch of so many rows. A program for a greater one will do.
  absl::StatusOr<BoundProgram*> CompiledForBatch(ProgramKind kind, const PortData& data, const std::string& target_cpu);
  void DropPrograms() { compiled_.clear(); }
  // Forgets what the optimizer has remembered if other layers are trained now than when it began.
  void SettleOptimizer();

  // ---- Data: in order, if the model can take them. Their dtypes do not matter, as the programs convert.
  absl::StatusOr<std::vector<Tensor>> TakeInputs(const Arrays& x) const;
  absl::StatusOr<PortData> TakeData(const Arrays& x, const Arrays& y, std::string_view prefix) const;
  // Into the data: see DataArg and FitArgs. Errors: see SampleWeights; both; class_weight of a model with several outputs.
  absl::Status TakeWeights(const Arrays& sample_weight, const ClassWeights& class_weight, PortData& data) const;

  // The weights of the layers within `path`, or of all, in the order of Keras's files: each layer's (LeafLayers), those
  // that are trained first.
  std::vector<std::vector<const Variable*>> WeightsByLayer() const { return WeightsByLayer(config); }
  std::vector<std::vector<const Variable*>> WeightsByLayer(const ModelConfig& of) const;
  std::vector<const Variable*> Weights(std::string_view path = {}) const;

  ModelConfig config;
  Expansions embedded;
  absl::Status status;
  int64_t seed;
  // As a layer of other models.
  std::shared_ptr<LayerVariables> own = std::make_shared<LayerVariables>();
  Variables variables;
  std::vector<Type> outputs;  // Empty while the input's shape is unknown.
  Logs results;               // Of the last run; empty before one.

 private:
  // Puts full keys and all attributes into what names items.
  absl::Status Register(LayerConfig& layer) const;
  void Extend(size_t layer);
  absl::Status SettleStack(Shape shape_of_a_sample);
  // The types of the outputs; `lines` are those of the calls, for errors.
  void InferOutputs(const std::vector<std::string>& lines);
  using Members = std::map<int64_t, LayerConfig>;
  struct Described {
    ModelConfig config;
    std::vector<int64_t> layers;     // Their ids.
    std::vector<std::string> lines;  // Of the calls: "main.cc:12: ".
  };
  // Layers in the order in which they were made, calls likewise. `known` are a class's layers that have names already;
  // for other models there is none, and an input that is not used is an error. An error that is not of the model as a
  // whole is a FailedPreconditionError, and names the layer.
  absl::StatusOr<Described> Describe(const Declaration& declared, const Members* known) const;
  // A class's description, of what it was traced to; `layers` gets the ids of those that are members.
  absl::StatusOr<ModelConfig> DescribeTrace(const Declaration& declared, int64_t boundary,
                                            std::vector<int64_t>& layers);
  ModelConfig WithAllMembers(const ModelConfig& traced, const std::vector<int64_t>& layers) const;
  absl::Status CheckInput(size_t input, const Tensor& x) const;
  // One array for each of TargetOutputs; all outputs may be given, in order. `alias` is what a single one may be called.
  absl::StatusOr<std::vector<Tensor>> ForTargets(const Arrays& arrays, std::string_view alias) const;

  bool named_;                             // By the user, not by default.
  int64_t layer_id_ = NextSymbolNumber();  // As a layer of other models.
  std::vector<std::string> where_;         // Of each layer of a stack: "main.cc:12: ", or empty.
  Declaration declared_;                   // Of a functional model.
  std::source_location declared_at_;
  // Of a class.
  std::vector<std::unique_ptr<Tracing>> traces_;
  Members members_;                             // By their ids: those that some trace calls, with their names.
  std::optional<ModelConfig> training_config_;  // If Call gives something else in training.
  std::optional<CompileArgs> compile_later_;
  std::optional<std::vector<std::string>> trained_;  // The layers that the optimizer trains; none before it has begun.
  struct CompiledProgram {
    ProgramKind kind;
    BatchTypes data;
    int64_t row_capacity;
    std::string target_cpu;
    std::unique_ptr<BoundProgram> program;
  };
  std::vector<CompiledProgram> compiled_;
};

// Whether training changes a layer's weights; of a model within those of its layers, too, as in Keras.
void SetTrainableOf(const LayerConfig& layer, bool trainable);
// The owners of weights, by the layers of a model.
FindWeightOwner OwnersIn(const ModelConfig& model);
// A stack within a model gets its input from the first call.
void SettleModel(LayerConfig& layer, const Type& x);
// The type of a batch of these rows: f32[N,28,28] of f32[60000,28,28].
Type BatchTypeOf(const Tensor& rows);
// Steps of a pass over n rows.
inline int64_t StepsFor(int64_t rows, int64_t batch) { return (rows + batch - 1) / batch; }
// Keras's batch size: what is asked for, else what takes n rows in so many steps, else 32.
int64_t BatchSizeFor(std::optional<int64_t> asked, std::optional<int64_t> steps, int64_t rows);
// Error unless a number that may be left out is 1 or more.
absl::Status CheckPositive(const char* name, std::optional<int64_t> number);
// The error of a run that a signal has ended.
absl::Status Interrupted();
// Binds each array to its port.
void BindData(BoundProgram& program, const ModelConfig& model, Port::Kind kind, const PortData& data);
// One evaluation pass over data that the program was compiled for, or its first steps.
absl::StatusOr<Logs> EvaluateChecked(BoundProgram& program, const ModelConfig& model, const PortData& data,
                                     int64_t batch_size, std::optional<int64_t> steps, int64_t threads);
// Losses and metrics that a program's outputs hold, in Keras's order.
Logs ReadLogs(const BoundProgram& program, const std::vector<std::string>& names);

}  // namespace fusebox
