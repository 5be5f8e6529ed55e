// SPDX-License-Identifier: Apache-2.0
// All that a Model is. Inside runtime/ only.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "fusebox/runtime/execute/bound_program.h"
#include "fusebox/runtime/execute/variables.h"
#include "fusebox/runtime/model.h"
#include "fusebox/runtime/model/model_form.h"

namespace fusebox {

class Model::Impl {
 public:
  // Without a form, which the caller gives it.
  explicit Impl(ModelOptions options);
  static const Impl& Of(const Model& model) { return *model.impl_; }

  // ---- Declaring.
  // Chooses how to learn. What the optimizer has remembered is kept only if asked for, and if it is of the same kind.
  absl::Status Compile(CompileConfig compile, bool keep_optimizer_state);
  // Infers the types of the outputs; `lines` are those of the calls, for errors.
  void InferOutputs(const std::vector<std::string>& lines);

  // What AddLoss and AddMetric, `what`, come to. Error (it sticks): the model's form takes none, or not now.
  void AddToDeclaration(const char* what, const std::source_location& where,
                        const std::function<void(Declaration&)>& add);

  // Whether a file can hold what it was traced to.
  absl::Status CanBeFrozen() const;
  // Copies what the optimizer of the same model has remembered, and all else that is not the layers' own.
  absl::Status TakeOptimizer(const Impl& from);
  bool DiffersInTraining() const { return training_config.has_value(); }
  const ModelConfig& ConfigFor(ProgramKind kind) const {
    return kind == ProgramKind::kTraining && training_config ? *training_config : config;
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
  absl::StatusOr<BoundProgram*> CompiledForBatch(ProgramKind kind, const BatchTypes& types, int64_t rows,
                                                 const std::string& target_cpu);
  void DropPrograms() { compiled_.clear(); }
  // Forgets what the optimizer has remembered if other layers are trained now than when it began.
  void SettleOptimizer();

  // The weights of the layers within `path`, or of all, in the order of Keras's files: each layer's (LeafLayers), those
  // that are trained first.
  std::vector<std::vector<const Variable*>> WeightsByLayer() const { return WeightsByLayer(config); }
  std::vector<std::vector<const Variable*>> WeightsByLayer(const ModelConfig& of) const;
  std::vector<const Variable*> Weights(std::string_view path = {}) const;

  ModelConfig config;
  std::optional<ModelConfig> training_config;  // Of a class whose Call gives something else in training.
  std::unique_ptr<ModelForm> form;
  Expansions embedded;
  absl::Status status;
  int64_t seed;
  // As a layer of other models.
  std::shared_ptr<LayerVariables> own = std::make_shared<LayerVariables>();
  Variables variables;
  bool named;                 // By the user, not by default.
  std::vector<Type> outputs;  // Empty while the input's shape is unknown.
  Logs results;               // Of the last run; empty before one.

 private:
  int64_t layer_id_ = NextSymbolNumber();            // As a layer of other models.
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
}  // namespace fusebox
