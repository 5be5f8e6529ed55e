// SPDX-License-Identifier: Apache-2.0
// All that a Model is. Inside runtime/ only.
#pragma once
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "fusebox/runtime/bound_program.h"
#include "fusebox/runtime/model.h"
#include "fusebox/runtime/variables.h"

namespace fusebox {

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

  // ---- Declaring.
  // A layer on top of a stack, or a model with its weights (`weights`).
  void Add(const LayerConfig& layer, const std::vector<int64_t>& input_shape, const std::source_location* where,
           const std::vector<NamedTensor>& weights = {});
  // The input of a stack without layers.
  void AddInput(const InputConfig& input, const std::source_location& where);
  // Takes the last layer of a stack away.
  void Pop();
  // All that the outputs need of what was declared.
  void Declare(const SymbolicTensors& inputs, const SymbolicTensors& outputs, const std::source_location& where);
  // A whole description.
  void Take(const ModelConfig& whole);
  absl::Status Compile(CompileConfig compile, bool keep_optimizer_state);
  SymbolicCall CallAsLayer(SymbolicTensors inputs, const std::source_location& where) const;

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

  // Makes the weights, unless they are there.
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

  // ---- Data: in order, if the model can take them. Their dtypes do not matter, as the programs convert.
  absl::StatusOr<std::vector<Tensor>> TakeInputs(const Arrays& x) const;
  absl::StatusOr<PortData> TakeData(const Arrays& x, const Arrays& y, std::string_view prefix) const;
  // Into the data: see DataArg and FitArgs. Errors: see SampleWeights; both; class_weight of a model with several outputs.
  absl::Status TakeWeights(const Arrays& sample_weight, const ClassWeights& class_weight, PortData& data) const;

  // The weights of the layers within `path`, or of all, in the order of Keras's files: each layer's (LeafLayers), those
  // that are trained first.
  std::vector<std::vector<const Variable*>> WeightsByLayer() const;
  std::vector<const Variable*> Weights(std::string_view path = {}) const;

  ModelConfig config;
  Expansions embedded;
  absl::Status status;
  int64_t seed;
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
  absl::Status CheckInput(size_t input, const Tensor& x) const;
  // One array for each of TargetOutputs; all outputs may be given, in order. `alias` is what a single one may be called.
  absl::StatusOr<std::vector<Tensor>> ForTargets(const Arrays& arrays, std::string_view alias) const;

  bool named_;                             // By the user, not by default.
  int64_t layer_id_ = NextSymbolNumber();  // As a layer of other models.
  std::vector<std::string> where_;         // Of each layer of a stack: "main.cc:12: ", or empty.
  std::vector<NamedTensor> given_;         // First values of weights that models within have brought.
  struct CompiledProgram {
    ProgramKind kind;
    BatchTypes data;
    int64_t row_capacity;
    std::string target_cpu;
    std::unique_ptr<BoundProgram> program;
  };
  std::vector<CompiledProgram> compiled_;
};

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
