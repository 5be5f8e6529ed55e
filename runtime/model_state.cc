// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/model_state.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>
#include <random>
#include <utility>

#include "fusebox/graph/philox.h"
#include "fusebox/graph/status.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/formats/keras_names.h"
#include "fusebox/runtime/items.h"
#include "fusebox/runtime/labels.h"
#include "fusebox/runtime/optimizer_program.h"
#include "fusebox/runtime/plugins/optimizer_attributes.h"

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

}  // namespace

void SetRandomSeed(int64_t seed) {
  GlobalSeed& global = TheGlobalSeed();
  const std::lock_guard lock(global.mutex);
  global.seed = seed;
  global.models = 0;
}

Sequential::Impl::Impl(ModelOptions options) : seed(options.seed ? *options.seed : NewSeed()) {
  config.name = std::move(options.name);
}

std::string Sequential::Impl::UniqueName(const LayerConfig& layer) const {
  const std::string base = KerasSnakeCase(KerasClassName(layer.item.id));
  // Which of base, base_1, base_2, ... are taken.
  std::vector<bool> taken(config.layers.size() + 1);
  for (const LayerConfig& other : config.layers) {
    std::string_view rest = other.name;
    if (!rest.starts_with(base)) continue;
    rest.remove_prefix(base.size());
    size_t i = 0;
    if (!rest.empty()) {
      const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), i);
      if (!rest.starts_with("_") || rest.starts_with("_0") || error != std::errc() || end != rest.data() + rest.size())
        continue;
    }
    if (i < taken.size()) taken[i] = true;
  }
  const auto i = std::ranges::find(taken, false) - taken.begin();
  return i == 0 ? base : fmt::format("{}_{}", base, i);
}

void Sequential::Impl::Add(const LayerConfig& layer, const std::vector<int64_t>& input_shape,
                           const std::source_location* where) {
  if (!status.ok()) return;
  const std::string line = where != nullptr ? fmt::format("{}:{}: ", where->file_name(), where->line()) : "";
  LayerConfig added = layer;
  const auto fail = [&](const std::string& message) {
    status = Refuse("{}{}{}", line, added.name.empty() ? "" : fmt::format("'{}', ", added.name), message);
  };
  absl::StatusOr<ItemSpec> item = ResolveItem(FB_LAYER, layer.item, embedded);
  if (!item.ok()) return fail(Message(item.status()));
  added.item = *std::move(item);
  if (added.name.empty()) added.name = UniqueName(added);
  if (std::ranges::find(config.layers, added.name, &LayerConfig::name) != config.layers.end()) {
    return fail("the model has another layer of this name");
  }
  if (added.name.find('/') != std::string::npos) return fail("a layer's name may have no '/'");
  if (!input_shape.empty()) {
    if (!config.layers.empty()) return fail("only the first layer may have an input_shape");
    if (std::ranges::any_of(input_shape, [](int64_t d) { return d < 1; })) {
      return fail(fmt::format("its input_shape needs dimensions of 1 or more, got {}",
                              ToString(Shape(input_shape.begin(), input_shape.end()))));
    }
    config.input = InputConfig{.name = "input_layer", .shape = Shape(input_shape.begin(), input_shape.end())};
    output = InputType();
  }
  config.layers.push_back(added);
  where_.push_back(line);
  if (HasInput()) Extend(config.layers.back(), line);
}

// The type that this layer makes of what comes out of the last one.
void Sequential::Impl::Extend(const LayerConfig& layer, const std::string& where) {
  ModelConfig one;
  one.layers = {layer};
  const absl::StatusOr<std::vector<LayerTypes>> types = InferLayerTypes(one, output, embedded);
  if (types.ok()) {
    output = types->back().output;
  } else {
    status = Refuse("{}{}", where, Message(types.status()));
  }
}

absl::Status Sequential::Impl::SettleInput(const Tensor& x) {
  FUSEBOX_RETURN_IF_ERROR(status);
  if (config.layers.empty()) return absl::FailedPreconditionError(fmt::format("model '{}' has no layers", config.name));
  if (HasInput()) return absl::OkStatus();
  if (x.rank() < 1) return Refuse("x: expected [samples, ...], got a scalar");
  config.input = InputConfig{.name = "input_layer", .shape = Shape(x.shape().begin() + 1, x.shape().end())};
  output = InputType();
  for (size_t i = 0; i < config.layers.size() && status.ok(); ++i) Extend(config.layers[i], where_[i]);
  if (status.ok()) return absl::OkStatus();
  // The data were wrong, not the declaration.
  config.input.reset();
  output = {};
  return std::exchange(status, absl::OkStatus());
}

Type Sequential::Impl::UsualTarget() const {
  if (!config.compile || !HasClassLabels(config.compile->loss) || output.rank() < 1) return output;
  return {DType::kI32, Shape(output.shape.begin(), output.shape.end() - 1)};
}

absl::StatusOr<Graph> Sequential::Impl::Program(ProgramKind kind, const BatchTypes& data) const {
  FUSEBOX_RETURN_IF_ERROR(status);
  if (config.layers.empty()) return absl::FailedPreconditionError(fmt::format("model '{}' has no layers", config.name));
  if (!HasInput()) {
    return absl::FailedPreconditionError(
        fmt::format("model '{}': its input's shape is not known: give its first layer an input_shape", config.name));
  }
  return BuildProgram(kind, config, data, embedded);
}

absl::Status Sequential::Impl::Compile(CompileConfig compile, bool keep_optimizer_state) {
  FUSEBOX_RETURN_IF_ERROR(status);
  const auto resolve = [&](uint32_t kind, ItemSpec& item) {
    absl::StatusOr<ItemSpec> resolved = ResolveItem(kind, item, embedded);
    if (!resolved.ok()) return resolved.status();
    item = *std::move(resolved);
    return absl::OkStatus();
  };
  if (compile.loss.id.empty()) return Refuse("model '{}': a loss is needed to compile it", config.name);
  FUSEBOX_RETURN_IF_ERROR(resolve(FB_OPTIMIZER, compile.optimizer));
  FUSEBOX_RETURN_IF_ERROR(resolve(FB_LOSS, compile.loss));
  for (ItemSpec& metric : compile.metrics) FUSEBOX_RETURN_IF_ERROR(resolve(FB_METRIC, metric));
  for (ItemSpec& metric : compile.weighted_metrics) FUSEBOX_RETURN_IF_ERROR(resolve(FB_METRIC, metric));
  std::optional<CompileConfig> before = std::exchange(config.compile, std::move(compile));
  if (HasInput() && !config.layers.empty()) {
    const absl::StatusOr<Graph> program = Program(ProgramKind::kTraining, UsualData());
    if (!program.ok()) {
      config.compile = std::move(before);
      return program.status();
    }
  }
  const bool same_kind = before && before->optimizer.id == config.compile->optimizer.id;
  if (!keep_optimizer_state || !same_kind) variables.DropOptimizer();
  compiled_.clear();
  return absl::OkStatus();
}

absl::Status Sequential::Impl::EnsureWeights() {
  FUSEBOX_ASSIGN_OR_RETURN(const Graph program, Program(ProgramKind::kPrediction, UsualData()));
  variables.Declare(program);
  return variables.Initialize(seed);
}

absl::Status Sequential::Impl::EnsureOptimizer() {
  FUSEBOX_RETURN_IF_ERROR(EnsureWeights());
  FUSEBOX_ASSIGN_OR_RETURN(const Graph program, Program(ProgramKind::kTraining, UsualData()));
  variables.Declare(program);
  return variables.Initialize(seed);
}

absl::Status Sequential::Impl::TakeAverages() {
  if (!ReadOptimizerOptions(config.compile->optimizer.attributes).use_ema) return absl::OkStatus();
  for (const Variable* weight : Weights()) {
    const Variable* const average = variables.Find(AverageOf(weight->name));
    if (average == nullptr) continue;
    FUSEBOX_RETURN_IF_ERROR(variables.Set(weight->name, average->value));
  }
  return absl::OkStatus();
}

absl::StatusOr<BoundProgram*> Sequential::Impl::Compiled(ProgramKind kind, const BatchTypes& data, int64_t row_capacity,
                                                         const std::string& target_cpu) {
  for (CompiledProgram& known : compiled_) {
    if (known.kind == kind && known.data == data && known.row_capacity == row_capacity &&
        known.target_cpu == target_cpu) {
      return known.program.get();
    }
  }
  FUSEBOX_RETURN_IF_ERROR(EnsureWeights());
  FUSEBOX_ASSIGN_OR_RETURN(const Graph program, Program(kind, data));
  variables.Declare(program);
  FUSEBOX_RETURN_IF_ERROR(variables.Initialize(seed));
  CompileOptions options;
  options.row_capacity = row_capacity;
  options.target_cpu = target_cpu;
  FUSEBOX_ASSIGN_OR_RETURN(std::unique_ptr<BoundProgram> bound, BoundProgram::Make(program, options, variables));
  // One of each kind is enough to keep.
  std::erase_if(compiled_, [&](const CompiledProgram& old) { return old.kind == kind; });
  compiled_.push_back({kind, data, row_capacity, target_cpu, std::move(bound)});
  return compiled_.back().program.get();
}

absl::Status Sequential::Impl::CheckInput(const Tensor& x) const {
  const Shape& expected = config.input->shape;
  const Shape got(x.shape().begin(), x.shape().end());
  if (!got.empty() && Shape(got.begin() + 1, got.end()) == expected) return absl::OkStatus();
  return Refuse("layer '{}' expects x of shape {}, got {}", config.layers[0].name, ToString(InputType().shape),
                x.empty() ? "nothing" : ToString(got));
}

absl::Status Sequential::Impl::CheckData(const Data& data, std::string_view prefix) const {
  const Tensor &x = data.x, &y = data.y;
  const auto in_context = [&](const absl::Status& s) { return Refuse("{}{}", prefix, Message(s)); };
  if (const absl::Status fits = CheckInput(x); !fits.ok()) return in_context(fits);
  if (y.rank() < 1 || y.rows() != x.rows()) {
    return Refuse("{}x has {} samples, y has {}", prefix, x.rows(), y.rank() < 1 ? 0 : y.rows());
  }
  const ItemSpec& loss = config.compile->loss;
  // Where shapes do not fit, the program will say so.
  if (!TakesClasses(loss, Shape(y.shape().begin(), y.shape().end()), output.shape)) return absl::OkStatus();
  const absl::Status labels = CheckClassLabels(y, output.shape.back(), ShortName(loss.id), IgnoredClass(loss));
  return labels.ok() ? labels : in_context(labels);
}

std::vector<std::vector<const Variable*>> Sequential::Impl::WeightsByLayer() const {
  std::vector<std::vector<const Variable*>> all(config.layers.size());
  std::map<std::string_view, size_t> layer_of_name;
  for (size_t i = 0; i < config.layers.size(); ++i) layer_of_name[config.layers[i].name] = i;
  for (const bool trainable : {true, false}) {
    for (const Variable& variable : variables.all()) {
      if (variable.kind != "weight" || variable.trainable != trainable) continue;
      // A layer's name has no slash, so the scope's first part is the layer.
      const std::string_view scope = variable.scope;
      const auto layer = layer_of_name.find(scope.substr(0, scope.find('/')));
      if (layer != layer_of_name.end()) all[layer->second].push_back(&variable);
    }
  }
  return all;
}

std::vector<const Variable*> Sequential::Impl::Weights() const {
  std::vector<const Variable*> all;
  for (const auto& of_layer : WeightsByLayer()) all.insert(all.end(), of_layer.begin(), of_layer.end());
  return all;
}

Type BatchTypeOf(const Tensor& rows) {
  return BatchType(rows.dtype(), Shape(rows.shape().begin() + 1, rows.shape().end()));
}

}  // namespace fusebox
