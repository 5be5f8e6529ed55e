// SPDX-License-Identifier: Apache-2.0
// The implementation of Model, visible inside runtime/ only.
//
// model/ turns what a user declares into a model's description, and holds the state of the model: the three forms of
// declaration (model_form.h), the trace of a class's Call, the variables, the compiled programs, users' arrays as the
// programs' ports take them (port_data.h), and the summary. Training and evaluation are in fit/, files in save/ and
// keras/.
//
// It sees the public face, data/, describe/, plugins/, expand/, programs/, execute/ and the names of keras/. Outside
// runtime/ it sees graph/ and plugins/sdk. fit/ and save/ see it.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/data/out_of_memory.h"
#include "fusebox/runtime/execute/bound_program.h"
#include "fusebox/runtime/execute/variables.h"
#include "fusebox/runtime/model.h"
#include "fusebox/runtime/model/model_form.h"
#include "fusebox/runtime/programs/program_memo.h"

namespace fusebox {

// The state of a model.
class Model::Impl {
 public:
  // Makes a model without a form. The caller has to set `form`.
  explicit Impl(ModelOptions options);
  // The implementation of a model.
  static const Impl& Of(const Model& model) { return *model.impl_; }
  static Impl& Of(Model& model) { return *model.impl_; }

  // Marks the model as in use by this thread for as long as the mark lives. A method may call others of the same model.
  class Use {
   public:
    explicit Use(Impl& model);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    // Error: another thread uses the model.
    const absl::Status& status() const { return status_; }

   private:
    std::atomic<const void*>* user_ = nullptr;  // Set if this mark is the outermost of its thread.
    absl::Status status_;
  };

  // Calls f, the work of a public method, and returns what it returns. Errors: another thread uses the model; no memory
  // is left.
  template <class F>
  auto Exclusively(F f) -> decltype(f()) {
    const Use use(*this);
    FUSEBOX_RETURN_IF_ERROR(use.status());
    return WithoutBadAlloc(f);
  }

  // ---- Declaration.

  // Sets optimizer, losses and metrics. The optimizer's state is kept only if keep_optimizer_state is set and the new
  // optimizer is of the same kind.
  absl::Status Compile(CompileConfig compile, bool keep_optimizer_state);
  // The same with what a file says. What cannot be used of it is kept: see ItemSpec::problem.
  absl::Status CompileAsFound(CompileConfig compile);
  // Infers the types of the outputs. `lines` are the source lines of the calls, for error messages.
  void InferOutputs(const std::vector<std::string>& lines);

  // Implements AddLoss and AddMetric; `what` is the name of the method. Error (it sticks): the model's form does not
  // take added losses and metrics, or not at this moment.
  void AddToDeclaration(const char* what, const std::source_location& where,
                        const std::function<void(Declaration&)>& add);

  // Checks that a file can hold the traces of a class. OK for other models.
  absl::Status CanBeFrozen() const;
  // Copies the optimizer's state, and all other variables that no layer owns, from another object for the same model.
  absl::Status TakeOptimizer(const Impl& from);
  // Whether the Call of a class computes something else in training.
  bool DiffersInTraining() const { return training_config.has_value(); }
  // The description that programs of this kind are built from.
  const ModelConfig& ConfigFor(ProgramKind kind) const {
    return kind == ProgramKind::kTraining && training_config ? *training_config : config;
  }
  // Updates `trainable` in the description from the layers, where it may have changed. Drops the compiled programs if
  // it has.
  void SettleTrainable();

  // Calls the model as a layer of another model. `trains` is set within the Call of a class in training.
  SymbolicCall CallAsLayer(SymbolicTensors inputs, bool trains, const std::source_location& where) const;

  // ---- Programs.

  // Whether the inputs' shapes are known, and with them all types.
  bool HasInput() const { return !config.inputs.empty(); }
  // The types of a batch of the inputs: f32[N,28,28].
  std::vector<Type> InputTypes() const;
  // Takes the input's shape from the first data if none was declared.
  absl::Status SettleInput(const Arrays& x);
  // The types of the outputs: f32[N,10].
  const std::vector<Type>& OutputTypes() const { return outputs; }
  // The types that programs read if there are no data to take them from: x in the inputs' dtypes, and y as each loss
  // expects it, either classes i32[N] or values of the output's type. Empty while the input's shape is unknown.
  BatchTypes UsualData() const;
  // The program for data of these types, as symbols.
  absl::StatusOr<Graph> Program(ProgramKind kind, const BatchTypes& data) const;
  // The symbols that a file of the model keeps: see runtime/expand/kept_symbols.h.
  Expansions KeptSymbols() const;

  // Declares the weights, which have no values then unless the model or its layers have them. For weights that are about
  // to be set: an initializer may take more memory and time than the file that they come from.
  absl::Status DeclareWeights();
  // Makes the weights that neither this model nor its layers have yet.
  absl::Status EnsureWeights();
  // Sets the weights to their moving averages, after training with use_ema.
  absl::Status TakeAverages();
  // Makes the weights and the optimizer's variables.
  absl::Status EnsureOptimizer();
  // The compiled program, with variables bound. Each combination of types, capacity and CPU is compiled once.
  absl::StatusOr<BoundProgram*> Compiled(ProgramKind kind, const BatchTypes& data, int64_t row_capacity,
                                         const std::string& target_cpu);
  // As Compiled, for one batch of `rows` rows. Reuses a program that was compiled for more rows.
  absl::StatusOr<BoundProgram*> CompiledForBatch(ProgramKind kind, const BatchTypes& types, int64_t rows,
                                                 const std::string& target_cpu);
  // Drops the compiled programs.
  void DropPrograms() {
    program_memo.Clear();
    compiled_.clear();
  }
  // Drops the optimizer's state if other layers are trained now than when that state began.
  void SettleOptimizer();

  // The weights of each layer (LeafLayers), in the order of Keras's files: the trainable ones first.
  std::vector<std::vector<const Variable*>> WeightsByLayer() const { return WeightsByLayer(config); }
  std::vector<std::vector<const Variable*>> WeightsByLayer(const ModelConfig& of) const;
  // The weights of the layers within `path`, or of all layers, in the same order.
  std::vector<const Variable*> Weights(std::string_view path = {}) const;

  ModelConfig config;
  std::optional<ModelConfig> training_config;  // Set for a class whose Call computes something else in training.
  std::unique_ptr<ModelForm> form;
  Expansions embedded;  // Symbols of plugins that may be missing.
  absl::Status status;  // The first error of the declaration.
  int64_t seed;
  // The variables that the model has itself, as a layer of other models.
  std::shared_ptr<LayerVariables> own = std::make_shared<LayerVariables>();
  Variables variables;
  bool named;                        // Whether the user chose the name.
  std::vector<Type> outputs;         // The types of the outputs. Empty while the input's shape is unknown.
  mutable ProgramMemo program_memo;  // The programs that Program has built.
  Logs results;                      // Losses and metrics of the last run. Empty before the first run.
  // The optimizer's variables in a file whose optimizer cannot run yet, because something of the compile settings cannot
  // be used: written again by Save. `restore_optimizer`, if set, makes the optimizer go on from them, when Compile keeps
  // it and it can run.
  std::vector<Tensor> waiting_optimizer = {};
  std::function<absl::Status(Impl&)> restore_optimizer = {};

 private:
  // Replaces the items of the settings by what they are registered as. What an unknown one means, `unknown` says.
  absl::Status Resolve(CompileConfig& compile,
                       const std::function<absl::Status(ItemSpec& item, const absl::Status& why)>& unknown) const;
  // Makes those variables of the program that the model lacks.
  absl::Status MakeVariables(const Graph& program);

  std::atomic<const void*> user_ = nullptr;  // Stands for the thread that uses the model.
  int64_t layer_id_ = NextSymbolNumber();    // Layer::id of the model as a layer of other models.
  // The layers that the optimizer trains, by path. Unset until training begins.
  std::optional<std::vector<std::string>> trained_;
  // A compiled program, and what it was compiled for.
  struct CompiledProgram {
    ProgramKind kind;
    BatchTypes data;
    int64_t row_capacity;
    std::string target_cpu;
    std::unique_ptr<BoundProgram> program;
  };
  std::vector<CompiledProgram> compiled_;  // The oldest first.
};

// Sets whether training changes a layer's weights. For a model this also sets all of its layers, as in Keras.
void SetTrainableOf(const LayerConfig& layer, bool trainable);
// Finds the owners of weights among the layers of a model.
FindWeightOwner OwnersIn(const ModelConfig& model);
}  // namespace fusebox
