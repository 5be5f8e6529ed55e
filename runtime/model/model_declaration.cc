// SPDX-License-Identifier: Apache-2.0
// From layers and calls as a user declares them to a model's description.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "fusebox/graph/check.h"
#include "fusebox/graph/status.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/expand/expand.h"
#include "fusebox/runtime/model/model_state.h"

namespace fusebox {
namespace {

std::string Line(const std::source_location& where) { return fmt::format("{}:{}: ", where.file_name(), where.line()); }

std::string Quoted(const std::string& name) { return name.empty() ? "" : fmt::format("'{}', ", name); }

// base, base_1, base_2, ...: the first that is free, as Keras counts.
std::string FreeName(const std::string& base, const std::set<std::string>& taken) {
  std::string name = base;
  for (int i = 1; taken.contains(name); ++i) name = fmt::format("{}_{}", base, i);
  return name;
}

// What users call an input or layer before it has a name.
std::string NameOf(const SymbolicCall& call) {
  if (call.input) return call.input->name.empty() ? "an input" : fmt::format("input '{}'", call.input->name);
  if (!call.layer.name.empty()) return fmt::format("layer '{}'", call.layer.name);
  return fmt::format("layer {}", call.layer.item.id.empty() ? call.layer.model->name : call.layer.item.id);
}

// All that a model computes.
std::vector<SymbolicTensor> Roots(const Declaration& declared) {
  std::vector<SymbolicTensor> roots = declared.outputs;
  roots.insert(roots.end(), declared.losses.begin(), declared.losses.end());
  for (const auto& [value, name] : declared.metrics) roots.push_back(value);
  return roots;
}

// The calls that outputs need, in the order in which they were made: so each comes after what it needs.
class Reached {
 public:
  absl::Status Find(const Declaration& declared) {
    for (const SymbolicTensor& input : declared.inputs) {
      if (!input.call() || !input.call()->input) {
        return Refuse("its inputs need to come from fb::Input, and one {}",
                      input.call() ? "is what " + NameOf(*input.call()) + " gives" : "is empty");
      }
      if (!inputs_.insert(input.call().get()).second) return Refuse("{} is given twice", NameOf(*input.call()));
    }
    std::vector<std::pair<SymbolicTensor, const SymbolicCall*>> open;  // With who needs it.
    for (const SymbolicTensor& root : Roots(declared)) open.emplace_back(root, nullptr);
    while (!open.empty()) {
      const auto [value, by] = open.back();
      open.pop_back();
      const SymbolicCall* const call = value.call().get();
      const std::string who = by == nullptr ? "one of its outputs" : fmt::format("{}{}", Line(by->where), NameOf(*by));
      if (call == nullptr) return Refuse("{} is made of an empty value", who);
      if (call->input && !inputs_.contains(call)) {
        return Refuse("{} needs {} [{}:{}], which is not among the model's inputs", who, NameOf(*call),
                      call->where.file_name(), call->where.line());
      }
      if (!call->error.empty()) return Refuse("{}{}", Line(call->where), call->error);
      if (!reached_.emplace(call->number, call).second || call->input) continue;
      if (call->inputs.empty()) return Refuse("{}{} is called without a value", Line(call->where), NameOf(*call));
      for (const SymbolicTensor& input : call->inputs) open.emplace_back(input, call);
    }
    return absl::OkStatus();
  }

  absl::Status CheckThatInputsAreUsed(const SymbolicTensors& inputs) const {
    for (const SymbolicTensor& input : inputs) {
      if (!reached_.contains(input.call()->number)) {
        return Refuse("{} [{}:{}] is used by none of the model's outputs", NameOf(*input.call()),
                      input.call()->where.file_name(), input.call()->where.line());
      }
    }
    return absl::OkStatus();
  }

  std::vector<const SymbolicCall*> Calls() const {
    std::vector<const SymbolicCall*> calls;
    for (const auto& [number, call] : reached_) {
      if (!call->input) calls.push_back(call);
    }
    return calls;
  }

 private:
  std::set<const SymbolicCall*> inputs_;
  std::map<int64_t, const SymbolicCall*> reached_;
};

}  // namespace

void SettleModel(LayerConfig& layer, const Type& x) {
  if (!layer.model || !layer.model->inputs.empty()) return;
  auto settled = std::make_shared<ModelConfig>(*layer.model);
  const int64_t before = layer.IsTimeDistributedModel() ? 2 : 1;  // The batch, and the steps.
  if (x.rank() < before) return;
  settled->inputs = {
      {.name = "input_layer", .dtype = x.dtype, .shape = Shape(x.shape.begin() + before, x.shape.end())}};
  layer.model = std::move(settled);
}

absl::Status Model::Impl::Register(LayerConfig& layer) const {
  if (layer.name.find('/') != std::string::npos) return Refuse("a layer's name may have no '/'");
  if (const size_t slash = layer.place.find('/'); slash == 0 || slash != layer.place.rfind('/')) {
    return Refuse("LayerList: a list's name may have no '/', and not be empty");
  }
  if (layer.variables == nullptr) layer.variables = std::make_shared<LayerVariables>(layer.trainable);
  if (!layer.model) {
    FUSEBOX_ASSIGN_OR_RETURN(layer.item, ResolveItem(FB_LAYER, layer.item, embedded));
    return absl::OkStatus();
  }
  if (layer.IsTimeDistributedModel() && layer.model->IsSubclass()) {
    return Refuse(
        "TimeDistributed takes layers, Sequential and functional models: of the class {} give it what Traced() "
        "gives",
        layer.model->class_name);
  }
  auto inner = std::make_shared<ModelConfig>(*layer.model);
  for (LayerConfig& each : inner->layers) {
    if (const absl::Status known = Register(each); !known.ok()) return Refuse("'{}', {}", each.name, Message(known));
  }
  layer.model = std::move(inner);
  return absl::OkStatus();
}

void Model::Impl::Add(const LayerConfig& layer, const std::vector<int64_t>& input_shape,
                      const std::source_location* where) {
  if (!status.ok()) return;
  const std::string line = where != nullptr ? Line(*where) : "";
  LayerConfig added = layer;
  const auto fail = [&](const std::string& message) { status = Refuse("{}{}{}", line, Quoted(added.name), message); };
  if (!config.IsStack()) return fail("a layer can be added to a stack only");
  if (const absl::Status known = Register(added); !known.ok()) return fail(Message(known));
  std::set<std::string> taken;
  for (const LayerConfig& other : config.layers) taken.insert(other.name);
  if (added.name.empty()) added.name = FreeName(KerasSnakeCase(KerasClassOf(added)), taken);
  if (taken.contains(added.name)) return fail("the model has another layer of this name");
  if (!input_shape.empty()) {
    if (!config.layers.empty()) return fail("only the first layer may have an input_shape");
    if (std::ranges::any_of(input_shape, [](int64_t d) { return d < 1; })) {
      return fail(fmt::format("its input_shape needs dimensions of 1 or more, got {}",
                              ToString(Shape(input_shape.begin(), input_shape.end()))));
    }
    config.inputs = {{.name = "input_layer", .shape = Shape(input_shape.begin(), input_shape.end())}};
  } else if (config.layers.empty() && !HasInput() && added.model && !added.IsTimeDistributedModel() &&
             added.model->inputs.size() == 1) {
    config.inputs = {added.model->inputs[0]};
    config.inputs[0].name = "input_layer";
  }
  config.layers.push_back(std::move(added));
  where_.push_back(line);
  if (!HasInput()) return;
  if (outputs.empty()) outputs = InputTypes();
  Extend(config.layers.size() - 1);
}

void Model::Impl::AddInput(const InputConfig& input, const std::source_location& where) {
  if (!status.ok()) return;
  const std::string who = input.name.empty() ? "an Input" : fmt::format("input '{}'", input.name);
  if (!config.IsStack() || !config.layers.empty() || HasInput()) {
    status = Refuse("{}{} has to come first, and once", Line(where), who);
    return;
  }
  if (std::ranges::any_of(input.shape, [](int64_t d) { return d < 1; })) {
    status = Refuse("{}{} needs dimensions of 1 or more, got {}", Line(where), who, ToString(input.shape));
    return;
  }
  config.inputs = {input};
  if (input.name.empty()) config.inputs[0].name = "input_layer";
}

void Model::Impl::Pop() {
  if (!status.ok()) return;
  if (!config.IsStack() || config.layers.empty()) {
    status = Refuse("model '{}' has no layer to pop", config.name);
    return;
  }
  const std::string popped = config.layers.back().name;
  config.layers.pop_back();
  where_.pop_back();
  variables.DropLayer(popped);
  // It belongs to the weights that there were.
  variables.DropOptimizer();
  DropPrograms();
  results.clear();
  if (!HasInput()) return;
  outputs = InputTypes();
  for (size_t i = 0; i < config.layers.size() && status.ok(); ++i) Extend(i);
}

// The type that this layer makes of what comes out of the one before.
void Model::Impl::Extend(size_t layer) {
  ModelConfig one;
  one.layers = {config.layers[layer]};
  const absl::StatusOr<std::vector<CallTypes>> types = InferTypes(one, outputs, embedded);
  if (!types.ok()) {
    status = Refuse("{}{}", where_[layer], Message(types.status()));
    return;
  }
  SettleModel(config.layers[layer], outputs[0]);
  outputs = types->back().outputs;
  if (outputs.size() != 1) {
    status = Refuse("{}'{}' has {} outputs, a layer of a stack has one", where_[layer], config.layers[layer].name,
                    outputs.size());
  }
}

absl::Status Model::Impl::SettleStack(Shape shape_of_a_sample) {
  config.inputs = {{.name = "input_layer", .shape = std::move(shape_of_a_sample)}};
  outputs = InputTypes();
  const std::vector<LayerConfig> before = config.layers;
  for (size_t i = 0; i < config.layers.size() && status.ok(); ++i) Extend(i);
  if (status.ok()) return absl::OkStatus();
  // The data were wrong, not the declaration.
  config.inputs.clear();
  config.layers = before;
  outputs.clear();
  return std::exchange(status, absl::OkStatus());
}

void Model::Impl::Declare(Declaration declared, const std::source_location& where) {
  declared_ = std::move(declared);
  declared_at_ = where;
  const auto fail = [&](const std::string& message) {
    status = Refuse("{}model '{}': {}", Line(where), config.name, message);
  };
  if (declared_.inputs.empty()) return fail("it needs an input");
  if (declared_.outputs.empty()) return fail("it needs an output");
  absl::StatusOr<Described> described = Describe(declared_, nullptr);
  if (!described.ok()) {
    // A layer's own fault says itself whose it is.
    const bool whole = absl::IsInvalidArgument(described.status());
    return whole ? fail(Message(described.status())) : void(status = Refuse("{}", Message(described.status())));
  }
  std::optional<CompileConfig> compile = std::move(config.compile);
  std::string name = std::move(config.name);
  config = std::move(described->config);
  config.name = std::move(name);
  config.compile = std::move(compile);
  SortLayers(config);
  const std::optional<std::vector<size_t>> before = SortCalls(config);
  Check(before.has_value(), "calls that wait for each other");
  std::vector<std::string> sorted_lines;
  for (const size_t call : *before) sorted_lines.push_back(described->lines[call]);
  outputs.clear();
  InferOutputs(sorted_lines);
}

absl::StatusOr<Model::Impl::Described> Model::Impl::Describe(const Declaration& declared, const Members* known) const {
  Reached reached;
  FUSEBOX_RETURN_IF_ERROR(reached.Find(declared));
  if (known == nullptr) FUSEBOX_RETURN_IF_ERROR(reached.CheckThatInputsAreUsed(declared.inputs));
  const std::vector<const SymbolicCall*> calls = reached.Calls();
  Described described;
  ModelConfig& model = described.config;

  // ---- Names: those given first, then those that are counted, in the order in which layers were made.
  std::map<int64_t, const SymbolicCall*> layers;  // By id: the first call of each.
  for (const SymbolicCall* call : calls) layers.emplace(call->layer_id, call);
  std::set<std::string> taken;
  const auto is_known = [&](int64_t id) { return known != nullptr && known->contains(id); };
  for (const auto& [id, layer] : known != nullptr ? *known : Members()) taken.insert(layer.name);
  const auto take = [&](const std::string& name, const SymbolicCall& call) -> absl::Status {
    if (name.empty() || taken.insert(name).second) return absl::OkStatus();
    return Refuse("two layers are named '{}', the second is that of {}:{}", name, call.where.file_name(),
                  call.where.line());
  };
  for (const SymbolicTensor& input : declared.inputs) {
    FUSEBOX_RETURN_IF_ERROR(take(input.call()->input->name, *input.call()));
  }
  for (const auto& [id, call] : layers) {
    if (!is_known(id)) FUSEBOX_RETURN_IF_ERROR(take(call->layer.name, *call));
  }
  std::map<const SymbolicCall*, size_t> value_of;
  for (const SymbolicTensor& input : declared.inputs) {
    value_of[input.call().get()] = model.inputs.size();
    InputConfig& added = model.inputs.emplace_back(*input.call()->input);
    if (added.name.empty()) taken.insert(added.name = FreeName("input_layer", taken));
    if (std::ranges::any_of(added.shape, [](int64_t d) { return d < 1; })) {
      return Refuse("input '{}' needs dimensions of 1 or more, got {}", added.name, ToString(added.shape));
    }
  }
  std::set<std::string> places;  // In lists.
  if (known != nullptr) {
    for (const auto& [id, layer] : *known) places.insert(layer.place);
  }
  std::map<int64_t, size_t> place;
  for (const auto& [id, call] : layers) {
    LayerConfig added = call->layer;
    if (const absl::Status fine = Register(added); !fine.ok()) {
      return absl::FailedPreconditionError(fmt::format("{}{}{}", Line(call->where), Quoted(added.name), Message(fine)));
    }
    if (is_known(id)) {
      added.name = known->at(id).name;
    } else {
      if (!added.place.empty() && !places.insert(added.place).second) {
        return Refuse("two layers are '{}' of files of weights: give each LayerList another name", added.place);
      }
      if (added.name.empty()) taken.insert(added.name = FreeName(KerasSnakeCase(KerasClassOf(added)), taken));
    }
    place[id] = model.layers.size();
    model.layers.push_back(std::move(added));
    described.layers.push_back(id);
  }

  // ---- Calls.
  const auto ref = [&](const SymbolicTensor& value) {
    return ValueRef{value_of.at(value.call().get()), value.output()};
  };
  for (const SymbolicCall* call : calls) {
    CallConfig& added = model.calls.emplace_back(CallConfig{place.at(call->layer_id), {}});
    for (const SymbolicTensor& input : call->inputs) added.inputs.push_back(ref(input));
    value_of[call] = model.inputs.size() + model.calls.size() - 1;
    described.lines.push_back(Line(call->where));
  }
  for (const SymbolicTensor& output : declared.outputs) model.outputs.push_back(ref(output));
  for (const SymbolicTensor& loss : declared.losses) model.added_losses.push_back(ref(loss));
  for (const auto& [value, name] : declared.metrics) model.added_metrics.push_back({name, ref(value)});
  return described;
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

void Model::Impl::Take(const ModelConfig& whole) {
  if (whole.IsStack()) {
    config.inputs = whole.inputs;
    outputs = InputTypes();
    for (const LayerConfig& layer : whole.layers) Add(layer, {}, nullptr);
    return;
  }
  config = whole;
  config.compile.reset();
  for (LayerConfig& layer : config.layers) {
    if (const absl::Status known = Register(layer); !known.ok()) {
      status = Refuse("'{}', {}", layer.name, Message(known));
      return;
    }
  }
  InferOutputs({});
}

SymbolicCall Model::Impl::CallAsLayer(SymbolicTensors inputs, bool trains, const std::source_location& where) const {
  SymbolicCall call;
  call.number = NextSymbolNumber();
  call.layer_id = layer_id_;
  auto copy = std::make_shared<ModelConfig>(trains ? ConfigFor(ProgramKind::kTraining) : config);
  copy->compile.reset();
  call.layer = {.item = {},
                .name = named_ ? config.name : "",
                .trainable = own->trainable,
                .variables = own,
                .model = std::move(copy)};
  call.inputs = std::move(inputs);
  call.where = where;
  return call;
}

}  // namespace fusebox
