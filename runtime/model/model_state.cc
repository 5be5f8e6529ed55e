// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/model/model_state.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <random>
#include <utility>

#include "fusebox/graph/philox.h"
#include "fusebox/graph/state_kind.h"
#include "fusebox/graph/status.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/data/labels.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/expand/expand.h"
#include "fusebox/runtime/keras/program_facts.h"
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

Shape ShapeOf(const Tensor& tensor) { return {tensor.shape().begin(), tensor.shape().end()}; }

// Whether a layer has changed whether it is trained since the description took it over.
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

// The weights' values that users have given with layers. Kept where one is wrong, so that the next call says so again.
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

PortData PortData::Rows(int64_t begin, int64_t end) const {
  PortData part;
  for (const Tensor& array : x) part.x.push_back(array.Rows(begin, end));
  for (const Tensor& array : y) part.y.push_back(array.Rows(begin, end));
  for (const Tensor& array : weights) part.weights.push_back(array.empty() ? array : array.Rows(begin, end));
  return part;
}

BatchTypes PortData::Types() const {
  BatchTypes types;
  for (const Tensor& array : x) types.x.push_back(BatchTypeOf(array));
  for (const Tensor& array : y) types.y.push_back(BatchTypeOf(array));
  for (const Tensor& array : weights) types.weights.push_back(array.empty() ? Type() : BatchTypeOf(array));
  return types;
}

Model::Impl::Impl(ModelOptions options)
    : seed(options.seed ? *options.seed : NewSeed()), named_(!options.name.empty()) {
  config.name = std::move(options.name);
}

std::vector<Type> Model::Impl::InputTypes() const {
  std::vector<Type> types;
  for (const InputConfig& input : config.inputs) types.push_back(BatchType(input.dtype, input.shape));
  return types;
}

absl::Status Model::Impl::SettleInput(const Arrays& x) {
  FUSEBOX_RETURN_IF_ERROR(status);
  if (!config.IsStack()) return absl::OkStatus();
  if (config.layers.empty()) return absl::FailedPreconditionError(fmt::format("model '{}' has no layers", config.name));
  if (HasInput()) return absl::OkStatus();
  if (x.size() != 1) return Refuse("model '{}' has 1 input, got {} arrays", config.name, x.size());
  if (x[0].rank() < 1) return Refuse("x: expected [samples, ...], got a scalar");
  return SettleStack(Shape(x[0].shape().begin() + 1, x[0].shape().end()));
}

BatchTypes Model::Impl::UsualData() const {
  BatchTypes types;
  if (!HasInput()) return types;
  types.x = InputTypes();
  const std::vector<OutputLoss> losses = LossesOf(config);
  for (const size_t target : TargetOutputs(config)) {
    const Type& output = outputs[target];
    const OutputLoss& learns = losses[target];
    // Of an output without a loss its metrics tell.
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
  if (config.IsStack() && config.layers.empty())
    return absl::FailedPreconditionError(fmt::format("model '{}' has no layers", config.name));
  if (!HasInput() && config.IsSubclass()) {
    return absl::FailedPreconditionError(
        fmt::format("model '{}': its inputs' shapes are not known: call Build, or give it data first", config.name));
  }
  if (!HasInput()) {
    return absl::FailedPreconditionError(
        fmt::format("model '{}': its input's shape is not known: give its first layer an input_shape", config.name));
  }
  FUSEBOX_ASSIGN_OR_RETURN(Graph program, BuildProgram(kind, ConfigFor(kind), data, embedded));
  WriteFacts(ConfigFor(kind), program);
  return program;
}

Expansions Model::Impl::KeptSymbols() const {
  if (!HasInput()) return embedded;
  return CollectExpansions(config, outputs, UsualData(), embedded,
                           [this](ProgramKind kind, const BatchTypes& data) { return Program(kind, data); });
}

absl::Status Model::Impl::Compile(CompileConfig compile, bool keep_optimizer_state) {
  FUSEBOX_RETURN_IF_ERROR(status);
  SettleTrainable();
  const auto resolve = [&](uint32_t kind, ItemSpec& item) {
    absl::StatusOr<ItemSpec> resolved = ResolveItem(kind, item, embedded);
    if (!resolved.ok()) return resolved.status();
    item = *std::move(resolved);
    return absl::OkStatus();
  };
  if (!compile.HasLoss() && !AddsLosses(ConfigFor(ProgramKind::kTraining)))
    return Refuse("model '{}': a loss is needed to compile it", config.name);
  FUSEBOX_RETURN_IF_ERROR(resolve(FB_OPTIMIZER, compile.optimizer));
  if (!compile.loss.id.empty()) FUSEBOX_RETURN_IF_ERROR(resolve(FB_LOSS, compile.loss));
  for (ItemSpec& metric : compile.metrics) FUSEBOX_RETURN_IF_ERROR(resolve(FB_METRIC, metric));
  for (ItemSpec& metric : compile.weighted_metrics) FUSEBOX_RETURN_IF_ERROR(resolve(FB_METRIC, metric));
  for (OutputLoss& output : compile.outputs) {
    if (!output.loss.id.empty()) FUSEBOX_RETURN_IF_ERROR(resolve(FB_LOSS, output.loss));
    for (ItemSpec& metric : output.metrics) FUSEBOX_RETURN_IF_ERROR(resolve(FB_METRIC, metric));
    for (ItemSpec& metric : output.weighted_metrics) FUSEBOX_RETURN_IF_ERROR(resolve(FB_METRIC, metric));
  }
  std::optional<CompileConfig> before = std::exchange(config.compile, std::move(compile));
  if (training_config_) training_config_->compile = config.compile;
  if (HasInput() && !(config.IsStack() && config.layers.empty())) {
    const absl::StatusOr<Graph> program = Program(ProgramKind::kTraining, UsualData());
    if (!program.ok()) {
      config.compile = std::move(before);
      if (training_config_) training_config_->compile = config.compile;
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
  return absl::OkStatus();
}

void Model::Impl::SettleTrainable() {
  bool changed = false;
  for (ModelConfig* const part : {&config, training_config_ ? &*training_config_ : nullptr}) {
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

absl::Status Model::Impl::EnsureWeights() {
  SettleTrainable();
  FUSEBOX_ASSIGN_OR_RETURN(const Graph program, Program(ProgramKind::kPrediction, UsualData()));
  // Those of a class's other tracings are there already.
  FUSEBOX_RETURN_IF_ERROR(variables.Declare(program, OwnersIn(config)));
  FUSEBOX_RETURN_IF_ERROR(variables.Initialize(seed));
  return TakeFirstValues(config, "", variables);
}

absl::Status Model::Impl::EnsureOptimizer() {
  FUSEBOX_RETURN_IF_ERROR(EnsureWeights());
  SettleOptimizer();
  FUSEBOX_ASSIGN_OR_RETURN(const Graph program, Program(ProgramKind::kTraining, UsualData()));
  FUSEBOX_RETURN_IF_ERROR(variables.Declare(program, OwnersIn(config)));
  return variables.Initialize(seed);
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
  FUSEBOX_RETURN_IF_ERROR(variables.Declare(program, OwnersIn(config)));
  FUSEBOX_RETURN_IF_ERROR(variables.Initialize(seed));
  CompileOptions options;
  options.row_capacity = row_capacity;
  options.target_cpu = target_cpu;
  FUSEBOX_ASSIGN_OR_RETURN(std::unique_ptr<BoundProgram> bound, BoundProgram::Make(program, options, variables));
  // One of each kind is enough to keep; for a class, whose data have several shapes, the latest.
  const auto same = [&](const CompiledProgram& old) { return old.kind == kind; };
  constexpr int64_t kKeptOfClass = 8;
  if (!config.IsSubclass()) {
    std::erase_if(compiled_, same);
  } else if (std::ranges::count_if(compiled_, same) >= kKeptOfClass) {
    compiled_.erase(std::ranges::find_if(compiled_, same));
  }
  compiled_.push_back({kind, data, row_capacity, target_cpu, std::move(bound)});
  return compiled_.back().program.get();
}

absl::StatusOr<BoundProgram*> Model::Impl::CompiledForBatch(ProgramKind kind, const PortData& data,
                                                            const std::string& target_cpu) {
  const BatchTypes types = data.Types();
  for (CompiledProgram& known : compiled_) {
    if (known.kind == kind && known.data == types && known.row_capacity >= data.rows() &&
        known.target_cpu == target_cpu) {
      return known.program.get();
    }
  }
  return Compiled(kind, types, data.rows(), target_cpu);
}

absl::Status Model::Impl::CheckInput(size_t input, const Tensor& x) const {
  const InputConfig& expected = config.inputs[input];
  const Shape got(x.shape().begin(), x.shape().end());
  if (!got.empty() && Shape(got.begin() + 1, got.end()) == expected.shape) return absl::OkStatus();
  return Refuse(
      "{} expects x of shape {}, got {}",
      config.IsStack() ? fmt::format("layer '{}'", config.layers[0].name) : fmt::format("input '{}'", expected.name),
      ToString(BatchType(expected.dtype, expected.shape).shape), x.empty() ? "nothing" : ToString(got));
}

absl::StatusOr<std::vector<Tensor>> Model::Impl::TakeInputs(const Arrays& x) const {
  const std::vector<std::string> names = InputNames(config);
  FUSEBOX_ASSIGN_OR_RETURN(std::vector<Tensor> ordered, x.InOrder(names, config.name, "input", "x"));
  for (size_t i = 0; i < ordered.size(); ++i) {
    FUSEBOX_RETURN_IF_ERROR(CheckInput(i, ordered[i]));
    if (ordered[i].rows() != ordered[0].rows()) {
      return Refuse("x '{}' has {} samples, x '{}' has {}", names[0], ordered[0].rows(), names[i], ordered[i].rows());
    }
  }
  return ordered;
}

absl::StatusOr<PortData> Model::Impl::TakeData(const Arrays& x, const Arrays& y, std::string_view prefix) const {
  const auto in_context = [&](const absl::Status& s) { return Refuse("{}{}", prefix, Message(s)); };
  PortData data;
  absl::StatusOr<std::vector<Tensor>> inputs = TakeInputs(x);
  if (!inputs.ok()) return in_context(inputs.status());
  data.x = *std::move(inputs);
  absl::StatusOr<std::vector<Tensor>> found = ForTargets(y, "y");
  if (!found.ok()) return in_context(found.status());
  data.y = *std::move(found);
  const std::vector<std::string> names = OutputNames(config);
  const std::vector<size_t> targets = TargetOutputs(config);
  const std::vector<OutputLoss> losses = LossesOf(config);
  for (size_t i = 0; i < targets.size(); ++i) {
    const size_t target = targets[i];
    const Tensor& labels = data.y[i];
    const std::string who = names.size() > 1 ? fmt::format("y '{}'", names[target]) : "y";
    if (labels.rank() < 1 || labels.rows() != data.rows()) {
      return Refuse("{}x has {} samples, {} has {}", prefix, data.rows(), who, labels.rank() < 1 ? 0 : labels.rows());
    }
    const ItemSpec& loss = losses[target].loss;
    const Shape& output = outputs[target].shape;
    // Where shapes do not fit, the program will say so.
    const bool classes = !loss.id.empty() && TakesClasses(loss, ShapeOf(labels), output);
    absl::Status fits;
    if (!classes) {
      fits = CheckNoNan(labels, who);
    } else if (HasClassesOfAnyNumber(loss)) {
      fits = CheckWhole(labels, ShortName(loss.id));
    } else {
      fits = CheckClassLabels(labels, output.back(), ShortName(loss.id), IgnoredClass(loss));
    }
    if (!fits.ok()) return in_context(fits);
    if (classes) continue;
    for (const LoggedMetric& metric : LoggedMetrics(losses[target], 1)) {
      if (!TakesClasses(*metric.item, ShapeOf(labels), output, FB_METRIC)) continue;
      const absl::Status whole = CheckWhole(labels, metric.name);
      if (!whole.ok()) return in_context(whole);
    }
  }
  return data;
}

absl::StatusOr<std::vector<Tensor>> Model::Impl::ForTargets(const Arrays& arrays, std::string_view alias) const {
  const std::vector<std::string> names = OutputNames(config);
  const std::vector<size_t> targets = TargetOutputs(config);
  const bool of_all = arrays.size() == names.size() && (arrays.size() == 0 || arrays.named()[0].name.empty());
  std::vector<std::string> wanted;
  for (const size_t target : targets) wanted.push_back(names[target]);
  FUSEBOX_ASSIGN_OR_RETURN(std::vector<Tensor> found,
                           arrays.InOrder(of_all ? names : wanted, config.name, "output", alias));
  if (!of_all) return found;
  std::vector<Tensor> of_targets;
  for (const size_t target : targets) of_targets.push_back(std::move(found[target]));
  return of_targets;
}

absl::Status Model::Impl::TakeWeights(const Arrays& sample_weight, const ClassWeights& class_weight,
                                      PortData& data) const {
  const bool given = std::ranges::any_of(sample_weight.named(), [](const NamedTensor& w) { return !w.value.empty(); });
  if (given && !class_weight.empty()) return Refuse("sample_weight and class_weight are both given");
  const std::vector<size_t> targets = TargetOutputs(config);
  if (!class_weight.empty()) {
    if (targets.size() != 1) {
      return Refuse("class_weight: model '{}' has {} outputs to learn, expected one", config.name, targets.size());
    }
    const Type& output = outputs[targets[0]];
    FUSEBOX_ASSIGN_OR_RETURN(Tensor weights,
                             WeightsByClass(class_weight, data.y[0], output.rank() > 1 ? output.shape.back() : 1));
    data.weights = {std::move(weights)};
    return absl::OkStatus();
  }
  if (!given) return absl::OkStatus();
  const std::string who = "sample_weight";
  if (targets.size() > 1 && sample_weight.size() == 1 && sample_weight.named()[0].name.empty()) {
    // One for all outputs, so it knows of no steps of any.
    FUSEBOX_ASSIGN_OR_RETURN(Tensor weights, SampleWeights(sample_weight[0], data.rows(), {kBatch}, who));
    data.weights = {std::move(weights)};
    return absl::OkStatus();
  }
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<Tensor> found, ForTargets(sample_weight, who));
  const std::vector<std::string> names = OutputNames(config);
  for (size_t i = 0; i < targets.size(); ++i) {
    Tensor& weights = data.weights.emplace_back();
    if (found[i].empty()) continue;
    FUSEBOX_ASSIGN_OR_RETURN(weights,
                             SampleWeights(found[i], data.rows(), outputs[targets[i]].shape,
                                           names.size() > 1 ? fmt::format("{} '{}'", who, names[targets[i]]) : who));
  }
  return absl::OkStatus();
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
      // A layer may have scopes of its own behind its path.
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
    // A layer that stands at several places counts once.
    for (const Variable* weight : by_layer[i]) {
      if (std::ranges::find(all, weight) == all.end()) all.push_back(weight);
    }
  }
  return all;
}

Type BatchTypeOf(const Tensor& rows) {
  return BatchType(rows.dtype(), Shape(rows.shape().begin() + 1, rows.shape().end()));
}

void BindData(BoundProgram& program, const ModelConfig& model, Port::Kind kind, const PortData& data) {
  const std::vector<std::string> inputs = InputPorts(model), outputs = OutputPorts(model);
  for (size_t i = 0; i < data.x.size(); ++i) program.Bind(kind, inputs[i], data.x[i].raw());
  const std::vector<size_t> targets = TargetOutputs(model);
  for (size_t i = 0; i < data.y.size(); ++i) program.Bind(kind, outputs[targets[i]], data.y[i].raw());
  const std::vector<std::string> weights = WeightPorts(model, data.weights.size());
  for (size_t i = 0; i < data.weights.size(); ++i) {
    if (!data.weights[i].empty()) program.Bind(kind, weights[i], data.weights[i].raw());
  }
}

int64_t BatchSizeFor(std::optional<int64_t> asked, std::optional<int64_t> steps, int64_t rows) {
  constexpr int64_t kKeras = 32;
  if (asked) return *asked;
  return steps ? std::max<int64_t>(StepsFor(rows, *steps), 1) : kKeras;
}

absl::Status CheckPositive(const char* name, std::optional<int64_t> number) {
  if (!number || *number >= 1) return absl::OkStatus();
  return Refuse("{}: expected 1 or more, got {}", name, *number);
}

}  // namespace fusebox
