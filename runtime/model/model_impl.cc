// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/model/model_impl.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <random>
#include <utility>

#include "fusebox/graph/philox.h"
#include "fusebox/graph/state_kind.h"
#include "fusebox/graph/status.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/data/layer_variables.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/expand/expand.h"
#include "fusebox/runtime/keras/keras_compile_read.h"
#include "fusebox/runtime/keras/program_facts.h"
#include "fusebox/runtime/model/declare.h"
#include "fusebox/runtime/plugins/item_flags.h"
#include "fusebox/runtime/plugins/optimizer_attributes.h"
#include "fusebox/runtime/programs/collect_symbols.h"
#include "fusebox/runtime/programs/optimizer_program.h"

namespace fusebox {
namespace {

struct GlobalSeed {
  std::mutex mutex;
  std::optional<int64_t> seed;
  uint64_t models = 0;
};
GlobalSeed& TheGlobalSeed() {
  static auto* const global = new GlobalSeed;
  return *global;
}

int64_t NewSeed() {
  GlobalSeed& global = TheGlobalSeed();
  const std::lock_guard lock(global.mutex);
  if (!global.seed) {
    std::random_device device;
    return int64_t(uint64_t{device()} << 32 | device());
  }
  const PhiloxCounter words = RandomWords(*global.seed, 0, 0, global.models++);
  return int64_t(uint64_t{words[0]} << 32 | words[1]);
}

// Whether any layer's `trainable` differs from the description's.
bool IsTrainedOtherwise(const ModelConfig& model) {
  return std::ranges::any_of(model.layers, [](const LayerConfig& layer) {
    return (layer.variables != nullptr && layer.variables->trainable != layer.trainable) ||
           (layer.model != nullptr && IsTrainedOtherwise(*layer.model));
  });
}

void TakeTrainable(ModelConfig& model) {
  for (LayerConfig& layer : model.layers) {
    if (layer.variables != nullptr) layer.trainable = layer.variables->trainable;
    if (layer.model == nullptr || !IsTrainedOtherwise(*layer.model)) continue;
    auto inner = std::make_shared<ModelConfig>(*layer.model);
    TakeTrainable(*inner);
    layer.model = std::move(inner);
  }
}

// Sets the weights to the initial values that users gave with layers. After an error the values of that layer are kept,
// so that the next call reports the error again.
absl::Status TakeFirstValues(const ModelConfig& model, const std::string& scope, Variables& variables) {
  for (const LayerConfig& layer : model.layers) {
    if (layer.variables != nullptr) {
      for (const NamedTensor& value : layer.variables->given) {
        FUSEBOX_RETURN_IF_ERROR(variables.Set(fmt::format("{}{}/{}", scope, layer.name, value.name), value.value));
      }
      layer.variables->given.clear();
    }
    if (layer.model != nullptr) {
      FUSEBOX_RETURN_IF_ERROR(TakeFirstValues(*layer.model, scope + layer.name + "/", variables));
    }
  }
  return absl::OkStatus();
}

}  // namespace

void SetRandomSeed(int64_t seed) {
  GlobalSeed& global = TheGlobalSeed();
  const std::lock_guard lock(global.mutex);
  global.seed = seed;
  global.models = 0;
}

Model::Impl::Impl(ModelOptions options) : seed(options.seed ? *options.seed : NewSeed()), named(!options.name.empty()) {
  config.name = std::move(options.name);
}

void Model::Impl::AddToDeclaration(const char* what, const std::source_location& where,
                                   const std::function<void(Declaration&)>& add) {
  if (form->AddToDeclaration(add) || !status.ok()) return;
  status = Refuse("{}:{}: model '{}': {} works only in models declared from fb::Input, and within the Call of a class",
                  where.file_name(), where.line(), config.name, what);
}

std::vector<Type> Model::Impl::InputTypes() const {
  std::vector<Type> types;
  for (const InputConfig& input : config.inputs) types.push_back(BatchType(input.dtype, input.shape));
  return types;
}

absl::Status Model::Impl::SettleInput(const Arrays& x) {
  FUSEBOX_RETURN_IF_ERROR(status);
  return form->SettleInput(x);
}

BatchTypes Model::Impl::UsualData() const {
  BatchTypes types;
  if (!HasInput()) return types;
  types.x = InputTypes();
  const std::vector<OutputLoss> losses = LossesOf(config);
  for (const size_t target : TargetOutputs(config)) {
    const Type& output = outputs[target];
    const OutputLoss& learns = losses[target];
    // If an output has no loss, its metrics decide.
    const bool classes =
        output.rank() > 0 && (learns.HasLoss() ? HasClassLabels(learns.loss)
                                               : std::ranges::any_of(learns.metrics, [](const ItemSpec& metric) {
                                                   return HasClassLabels(metric, FB_METRIC);
                                                 }));
    types.y.push_back(classes ? Type{DType::kI32, Shape(output.shape.begin(), output.shape.end() - 1)} : output);
  }
  return types;
}

absl::StatusOr<Graph> Model::Impl::Program(ProgramKind kind, const BatchTypes& data) const {
  FUSEBOX_RETURN_IF_ERROR(status);
  FUSEBOX_RETURN_IF_ERROR(form->CheckComplete());
  FUSEBOX_ASSIGN_OR_RETURN(const std::shared_ptr<const Graph> built,
                           program_memo.Get(kind, ConfigFor(kind), data, embedded));
  Graph program = *built;
  WriteFacts(ConfigFor(kind), program);
  return program;
}

Expansions Model::Impl::KeptSymbols() const {
  if (!HasInput()) return embedded;
  program_memo.Clear();  // A recorder sees only what is built.
  return CollectExpansions(config, outputs, UsualData(), embedded,
                           [this](ProgramKind kind, const BatchTypes& data) { return Program(kind, data); });
}

absl::Status Model::Impl::Resolve(
    CompileConfig& compile, const std::function<absl::Status(ItemSpec& item, const absl::Status& why)>& unknown) const {
  if (!compile.problem.empty()) return absl::OkStatus();
  const auto resolve = [&](uint32_t kind, ItemSpec& item) {
    if (!item.problem.empty()) return absl::OkStatus();
    absl::StatusOr<ItemSpec> resolved = ResolveItem(kind, item, embedded);
    if (!resolved.ok()) return unknown(item, resolved.status());
    item = *std::move(resolved);
    return absl::OkStatus();
  };
  FUSEBOX_RETURN_IF_ERROR(resolve(FB_OPTIMIZER, compile.optimizer));
  if (!compile.loss.id.empty()) FUSEBOX_RETURN_IF_ERROR(resolve(FB_LOSS, compile.loss));
  for (ItemSpec& metric : compile.metrics) FUSEBOX_RETURN_IF_ERROR(resolve(FB_METRIC, metric));
  for (ItemSpec& metric : compile.weighted_metrics) FUSEBOX_RETURN_IF_ERROR(resolve(FB_METRIC, metric));
  for (OutputLoss& output : compile.outputs) {
    if (!output.loss.id.empty()) FUSEBOX_RETURN_IF_ERROR(resolve(FB_LOSS, output.loss));
    for (ItemSpec& metric : output.metrics) FUSEBOX_RETURN_IF_ERROR(resolve(FB_METRIC, metric));
    for (ItemSpec& metric : output.weighted_metrics) FUSEBOX_RETURN_IF_ERROR(resolve(FB_METRIC, metric));
  }
  return absl::OkStatus();
}

absl::Status Model::Impl::CompileAsFound(CompileConfig compile) {
  // What a file says wrongly is an error of the program that needs it.
  const bool of_a_file = !compile.problem.empty() || compile.optimizer.keras_json != nullptr;
  FUSEBOX_RETURN_IF_ERROR(Resolve(compile, [&](ItemSpec& item, const absl::Status& why) {
    if (item.keras_json == nullptr) return why;
    item.problem = fmt::format("{}: {}", KerasOrigin(*item.keras_json), Message(why));
    return absl::OkStatus();
  }));
  config.compile = std::move(compile);
  if (training_config) training_config->compile = config.compile;
  program_memo.Clear();
  if (of_a_file || !form->CheckComplete().ok()) return absl::OkStatus();
  return Program(ProgramKind::kTraining, UsualData()).status();
}

absl::Status Model::Impl::Compile(CompileConfig compile, bool keep_optimizer_state) {
  FUSEBOX_RETURN_IF_ERROR(status);
  SettleTrainable();
  if (!compile.HasLoss() && !AddsLosses(ConfigFor(ProgramKind::kTraining)))
    return Refuse("model '{}': a loss is needed to compile it", config.name);
  FUSEBOX_RETURN_IF_ERROR(Resolve(compile, [](const ItemSpec&, const absl::Status& why) { return why; }));
  std::optional<CompileConfig> before = std::exchange(config.compile, std::move(compile));
  if (training_config) training_config->compile = config.compile;
  program_memo.Clear();
  if (form->CheckComplete().ok()) {
    // What has been kept of a file and cannot be used is for later; the rest is looked at now.
    const auto usable = [&](ProgramKind of) { return CheckUsable(of, ConfigFor(of)).ok(); };
    const ProgramKind most = usable(ProgramKind::kTraining)     ? ProgramKind::kTraining
                             : usable(ProgramKind::kEvaluation) ? ProgramKind::kEvaluation
                                                                : ProgramKind::kPrediction;
    const absl::StatusOr<Graph> program = Program(most, UsualData());
    if (!program.ok()) {
      config.compile = std::move(before);
      if (training_config) training_config->compile = config.compile;
      return program.status();
    }
  }
  const auto kind = [&](const ItemSpec& optimizer) {
    const std::optional<ItemSpec> inner = InnerOptimizer(optimizer, embedded);
    return std::pair(optimizer.id, inner ? inner->id : "");
  };
  const bool same_kind = before && kind(before->optimizer) == kind(config.compile->optimizer);
  if (!keep_optimizer_state || !same_kind) variables.DropOptimizer();
  variables.DropLossScalars();
  trained_.reset();
  compiled_.clear();
  results.clear();
  if (keep_optimizer_state && same_kind) {
    if (!restore_optimizer || !CheckUsable(ProgramKind::kTraining, config).ok()) return absl::OkStatus();
    waiting_optimizer.clear();
    return std::exchange(restore_optimizer, nullptr)(*this);
  }
  waiting_optimizer.clear();
  restore_optimizer = nullptr;
  return absl::OkStatus();
}

void Model::Impl::SettleTrainable() {
  bool changed = false;
  for (ModelConfig* const part : {&config, training_config ? &*training_config : nullptr}) {
    if (part == nullptr || !IsTrainedOtherwise(*part)) continue;
    TakeTrainable(*part);
    changed = true;
  }
  if (changed) DropPrograms();
}

void Model::Impl::SettleOptimizer() {
  std::vector<std::string> trained;
  for (const LeafLayer& leaf : LeafLayers(config)) {
    if (leaf.trainable) trained.push_back(leaf.path);
  }
  if (trained_ && *trained_ != trained) {
    variables.DropOptimizer();
    DropPrograms();
  }
  trained_ = std::move(trained);
}

absl::Status Model::Impl::MakeVariables(const Graph& program) {
  FUSEBOX_RETURN_IF_ERROR(variables.Declare(program, OwnersIn(config)));
  return variables.Initialize(seed);
}

absl::Status Model::Impl::DeclareWeights() {
  SettleTrainable();
  FUSEBOX_ASSIGN_OR_RETURN(const Graph program, Program(ProgramKind::kPrediction, UsualData()));
  return variables.Declare(program, OwnersIn(config));
}

absl::Status Model::Impl::EnsureWeights() {
  SettleTrainable();
  FUSEBOX_ASSIGN_OR_RETURN(const Graph program, Program(ProgramKind::kPrediction, UsualData()));
  // The weights of a class's other traces are declared already.
  FUSEBOX_RETURN_IF_ERROR(MakeVariables(program));
  return TakeFirstValues(config, "", variables);
}

absl::Status Model::Impl::EnsureOptimizer() {
  FUSEBOX_RETURN_IF_ERROR(EnsureWeights());
  SettleOptimizer();
  FUSEBOX_ASSIGN_OR_RETURN(const Graph program, Program(ProgramKind::kTraining, UsualData()));
  return MakeVariables(program);
}

absl::Status Model::Impl::TakeAverages() {
  const ItemSpec& optimizer = config.compile->optimizer;
  const std::optional<ItemSpec> inner = InnerOptimizer(optimizer, embedded);
  if (!ReadOptimizerOptions((inner ? *inner : optimizer).attributes).use_ema) return absl::OkStatus();
  for (const Variable* weight : Weights()) {
    const Variable* const average = variables.Find(AverageOf(weight->name));
    if (average == nullptr) continue;
    FUSEBOX_RETURN_IF_ERROR(variables.Set(weight->name, average->value));
  }
  return absl::OkStatus();
}

Model::Impl::Use::Use(Impl& model) {
  thread_local const char me = 0;  // Its address tells threads apart.
  const void* user = nullptr;
  if (model.user_.compare_exchange_strong(user, &me, std::memory_order_acquire)) {
    user_ = &model.user_;
  } else if (user != &me) {
    status_ = absl::FailedPreconditionError(
        fmt::format("model '{}' is in use by another thread: use it from one thread at a time, and for predictions on "
                    "several threads what MakePredictor returns",
                    model.config.name));
  }
}

Model::Impl::Use::~Use() {
  if (user_ != nullptr) user_->store(nullptr, std::memory_order_release);
}

absl::StatusOr<BoundProgram*> Model::Impl::Compiled(ProgramKind kind, const BatchTypes& data, int64_t row_capacity,
                                                    const std::string& target_cpu) {
  if (kind == ProgramKind::kTraining) SettleOptimizer();
  for (CompiledProgram& known : compiled_) {
    if (known.kind == kind && known.data == data && known.row_capacity == row_capacity &&
        known.target_cpu == target_cpu) {
      return known.program.get();
    }
  }
  FUSEBOX_RETURN_IF_ERROR(EnsureWeights());
  FUSEBOX_ASSIGN_OR_RETURN(const Graph program, Program(kind, data));
  FUSEBOX_RETURN_IF_ERROR(MakeVariables(program));
  CompileOptions options;
  options.row_capacity = row_capacity;
  options.target_cpu = target_cpu;
  FUSEBOX_ASSIGN_OR_RETURN(std::unique_ptr<BoundProgram> bound, BoundProgram::Make(program, options, variables));
  // Drop the oldest programs of this kind.
  const auto same = [&](const CompiledProgram& old) { return old.kind == kind; };
  while (size_t(std::ranges::count_if(compiled_, same)) >= form->ProgramsKept()) {
    compiled_.erase(std::ranges::find_if(compiled_, same));
  }
  compiled_.push_back({kind, data, row_capacity, target_cpu, std::move(bound)});
  return compiled_.back().program.get();
}

absl::StatusOr<BoundProgram*> Model::Impl::CompiledForBatch(ProgramKind kind, const BatchTypes& types, int64_t rows,
                                                            const std::string& target_cpu) {
  for (CompiledProgram& known : compiled_) {
    if (known.kind == kind && known.data == types && known.row_capacity >= rows && known.target_cpu == target_cpu) {
      return known.program.get();
    }
  }
  return Compiled(kind, types, rows, target_cpu);
}

std::vector<std::vector<const Variable*>> Model::Impl::WeightsByLayer(const ModelConfig& of) const {
  const std::vector<LeafLayer> leaves = LeafLayers(of);
  const std::map<std::string, std::string> shared = SharedPaths(of);
  std::vector<std::vector<const Variable*>> all(leaves.size());
  std::map<std::string_view, size_t> leaf_of_path;
  for (size_t i = 0; i < leaves.size(); ++i) leaf_of_path[leaves[i].path] = i;
  for (const bool trainable : {true, false}) {
    for (const Variable& variable : variables.all()) {
      if (variable.kind != StateKindName(FB_WEIGHT) || variable.trainable != trainable) continue;
      // A layer may add scopes of its own to its path.
      for (std::string_view scope = variable.scope;; scope = scope.substr(0, scope.rfind('/'))) {
        if (const auto leaf = leaf_of_path.find(scope); leaf != leaf_of_path.end()) {
          all[leaf->second].push_back(&variable);
          break;
        }
        if (scope.find('/') == std::string_view::npos) break;
      }
    }
  }
  for (const auto& [path, first] : shared) all[leaf_of_path.at(path)] = all[leaf_of_path.at(first)];
  return all;
}

void SetTrainableOf(const LayerConfig& layer, bool trainable) {
  layer.variables->trainable = trainable;
  if (layer.model == nullptr) return;
  for (const LayerConfig& inner : layer.model->layers) SetTrainableOf(inner, trainable);
}

FindWeightOwner OwnersIn(const ModelConfig& model) {
  std::map<std::string, std::shared_ptr<LayerVariables>> layers;
  for (const LeafLayer& leaf : LeafLayers(model)) layers[leaf.path] = leaf.layer->variables;
  return [layers = std::move(layers)](const std::string& weight) -> WeightOwner {
    for (size_t slash = weight.rfind('/'); slash != std::string::npos && slash > 0;
         slash = weight.rfind('/', slash - 1)) {
      const auto layer = layers.find(weight.substr(0, slash));
      if (layer != layers.end()) return {layer->second, weight.substr(slash + 1)};
    }
    return {};
  };
}

std::vector<const Variable*> Model::Impl::Weights(std::string_view path) const {
  std::vector<const Variable*> all;
  const std::vector<LeafLayer> leaves = LeafLayers(config);
  const auto by_layer = WeightsByLayer();
  for (size_t i = 0; i < leaves.size(); ++i) {
    const std::string& leaf = leaves[i].path;
    const bool inside = path.empty() || leaf == path || (leaf.starts_with(path) && leaf[path.size()] == '/');
    if (!inside) continue;
    // A layer that occurs at several places counts once.
    for (const Variable* weight : by_layer[i]) {
      if (std::ranges::find(all, weight) == all.end()) all.push_back(weight);
    }
  }
  return all;
}

void Model::Impl::InferOutputs(const std::vector<std::string>& lines) {
  size_t failed = 0;
  const absl::StatusOr<std::vector<CallTypes>> types = InferTypes(config, InputTypes(), embedded, &failed);
  if (!types.ok()) {
    status = Refuse("{}{}", failed < lines.size() ? lines[failed] : "", Message(types.status()));
    return;
  }
  for (size_t i = 0; i < types->size(); ++i) {
    SettleModel(config.layers[config.calls[i].layer], (*types)[i].inputs[0]);
  }
  const std::vector<Type> inputs = InputTypes();
  for (const ValueRef& output : config.outputs) {
    const size_t source = output.source;
    outputs.push_back(source < inputs.size() ? inputs[source]
                                             : (*types)[source - inputs.size()].outputs[output.output]);
  }
}

SymbolicCall Model::Impl::CallAsLayer(SymbolicTensors inputs, bool trains, const std::source_location& where) const {
  SymbolicCall call;
  call.number = NextSymbolNumber();
  call.layer_id = layer_id_;
  auto copy = std::make_shared<ModelConfig>(trains ? ConfigFor(ProgramKind::kTraining) : config);
  copy->compile.reset();
  call.layer = {.item = {},
                .name = named ? config.name : "",
                .trainable = own->trainable,
                .variables = own,
                .model = std::move(copy)};
  call.inputs = std::move(inputs);
  call.where = where;
  return call;
}

absl::Status Model::Impl::CanBeFrozen() const {
  if (DiffersInTraining()) {
    return absl::FailedPreconditionError(fmt::format(
        "model '{}' computes something else in training, which one trace cannot hold: leave the difference to layers "
        "that know about training, such as Dropout",
        config.name));
  }
  if (!config.IsSubclass()) return absl::OkStatus();
  for (const InputConfig& input : config.inputs) {
    const size_t number = size_t(&input - config.inputs.data());
    const auto reads = [&](const CallConfig& call) {
      return std::ranges::any_of(call.inputs, [&](ValueRef value) { return value.source == number; });
    };
    const bool is_output = std::ranges::any_of(config.outputs, [&](ValueRef v) { return v.source == number; });
    if (is_output || std::ranges::any_of(config.calls, reads)) continue;
    return Refuse("model '{}': no output uses '{}', but a functional model has to use all of its inputs", config.name,
                  input.name);
  }
  return absl::OkStatus();
}

absl::Status Model::Impl::TakeOptimizer(const Impl& from) {
  FUSEBOX_RETURN_IF_ERROR(EnsureWeights());
  if (config.compile) FUSEBOX_RETURN_IF_ERROR(EnsureOptimizer());
  std::vector<Assignment> assignments;
  for (const Variable& variable : from.variables.all()) {
    if (variable.value.empty() || variable.layer != nullptr || variables.Find(variable.name) == nullptr) continue;
    assignments.push_back({variable.name, &variable.value});
  }
  return variables.SetAll(assignments);
}

}  // namespace fusebox
