// SPDX-License-Identifier: Apache-2.0
// Models that are C++ classes: from what Call does to a description, once for each kind of input.
#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <typeinfo>
#include <utility>

#include "fmt/ranges.h"
#include "fusebox/graph/state_kind.h"
#include "fusebox/graph/status.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/expand/expand.h"
#include "fusebox/runtime/model/model_state.h"
#include "fusebox/runtime/plugins/library.h"

namespace fusebox {
namespace {

// "WideAndDeepModel" of "demo::(anonymous namespace)::WideAndDeepModel".
std::string ClassName(const std::type_info& type) {
  int error = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(type.name(), nullptr, nullptr, &error),
                                                    std::free);
  std::string name = error == 0 ? text.get() : type.name();
  name = name.substr(0, name.find('<'));
  if (const size_t colon = name.rfind(':'); colon != std::string::npos) name.erase(0, colon + 1);
  return name;
}

// What a function wrote, by the types that it was called with.
std::map<std::string, std::string> SymbolsOf(const ItemSpec& function, const Expansions& kept) {
  std::map<std::string, std::string> symbols;
  const std::string start = fmt::format("{} {} ", KindName(FB_LAYER), Print(function));
  for (auto text = kept.texts.lower_bound(start); text != kept.texts.end() && text->first.starts_with(start); ++text)
    symbols[text->first.substr(start.size())] = text->second;
  return symbols;
}

// Call makes its Lambdas anew each time it runs. Those that write the same symbols in training are the same.
void ShareFunctions(const ModelConfig& inference, const Expansions& kept, ModelConfig& training) {
  for (size_t i = 0; i < std::min(inference.layers.size(), training.layers.size()); ++i) {
    const ItemSpec& known = inference.layers[i].item;
    ItemSpec& item = training.layers[i].item;
    if (known.function && item.function && SymbolsOf(known, kept) == SymbolsOf(item, kept)) item = known;
  }
}

std::vector<Type> TypesOf(const std::vector<InputConfig>& inputs) {
  std::vector<Type> types;
  for (const InputConfig& input : inputs) types.push_back(BatchType(input.dtype, input.shape));
  return types;
}

// "(f32[N,5], f32[N,6])"
std::string Signature(const std::vector<InputConfig>& inputs) {
  std::vector<std::string> types;
  for (const Type& type : TypesOf(inputs)) types.push_back(ToString(type));
  return fmt::format("({})", fmt::join(types, ", "));
}

absl::Status CheckNames(const std::vector<std::string>& names) {
  std::set<std::string> taken;
  for (const std::string& name : names) {
    if (name.empty()) return Refuse("an output has an empty name");
    if (name.find('/') != std::string::npos) return Refuse("output '{}': an output's name may have no '/'", name);
    if (!taken.insert(name).second) return Refuse("two outputs are named '{}'", name);
  }
  return absl::OkStatus();
}

// Models that are called within Call are called as it is.
struct Calling {
  bool running = false, trains = false;
};
thread_local Calling calling_now;

// Puts back what was there, also when Call throws.
template <class T>
class Holds {
 public:
  Holds(T& place, T value) : place_(place), saved_(std::exchange(place, std::move(value))) {}
  ~Holds() { place_ = std::move(saved_); }
  Holds(const Holds&) = delete;
  Holds& operator=(const Holds&) = delete;

 private:
  T& place_;
  T saved_;
};

}  // namespace

// ---- What a Model does of it: only the object has Call.

Model::Model(ModelOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {
  impl_->config.class_name = "Model";
}

CallOutputs Model::Call(const SymbolicTensors&, bool) const { return {}; }

void Model::NameByClass() const {
  ModelConfig& config = impl_->config;
  if (!config.IsSubclass()) return;
  // The object that is left when its class is sliced off keeps the name.
  if (typeid(*this) != typeid(Model)) config.class_name = ClassName(typeid(*this));
  if (config.name.empty()) config.name = KerasSnakeCase(config.class_name);
}

absl::Status Model::Trace(const std::vector<InputConfig>& inputs) const {
  NameByClass();
  FUSEBOX_RETURN_IF_ERROR(impl_->status);
  if (impl_->Activate(inputs)) return impl_->CompileNow();
  const std::string& name = impl_->config.name;
  if (typeid(*this) == typeid(Model)) {
    return absl::FailedPreconditionError(fmt::format(
        "model '{}' is not traced for {}, and the object that has its Call is gone: it was moved into a fb::Model",
        name, Signature(inputs)));
  }
  const int64_t boundary = NextSymbolNumber();
  Declaration runs[2];
  for (const bool training : {false, true}) {
    Declaration& run = runs[training];
    for (const InputConfig& input : inputs) {
      run.inputs.push_back(Input({input.shape.begin(), input.shape.end()}, {input.name, input.dtype}));
    }
    const Holds<Declaration*> collects(impl_->calling, &run);
    const Holds<Calling> now(calling_now, {true, training});
    const CallOutputs made = Call(run.inputs, training);
    run.outputs = made.values();
    run.output_names = made.names();
  }
  const absl::Status added = impl_->AddTrace(inputs, runs[0], runs[1], boundary);
  if (!added.ok()) return Refuse("model '{}', traced for {}: {}", name, Signature(inputs), Message(added));
  return impl_->CompileNow();
}

absl::Status Model::Settle(const Arrays& x) const {
  impl_->SettleTrainable();
  const ModelConfig& known = impl_->config;
  if (!known.IsSubclass()) return impl_->SettleInput(x);
  NameByClass();
  std::vector<NamedTensor> arrays = x.named();
  const bool named = !arrays.empty() && !arrays[0].name.empty();
  if (named && impl_->HasInput()) {
    const std::vector<std::string> names = InputNames(known);
    FUSEBOX_ASSIGN_OR_RETURN(const std::vector<Tensor> ordered, x.InOrder(names, known.name, "input", "x"));
    for (size_t i = 0; i < ordered.size(); ++i) arrays[i] = {names[i], ordered[i]};
  }
  if (arrays.empty()) return Refuse("model '{}': x has no arrays", known.name);
  const bool alike = arrays.size() == known.inputs.size();
  std::vector<InputConfig> inputs;
  for (size_t i = 0; i < arrays.size(); ++i) {
    const Tensor& array = arrays[i].value;
    if (array.rank() < 1) return Refuse("x: expected [samples, ...], got a scalar");
    InputConfig& input = inputs.emplace_back();
    input.name = alike ? known.inputs[i].name : named ? arrays[i].name : fmt::format("input_{}", i + 1);
    if (alike) input.dtype = known.inputs[i].dtype;
    input.shape = Shape(array.shape().begin() + 1, array.shape().end());
  }
  return Trace(inputs);
}

absl::Status Model::Build(const SymbolicTensors& inputs) {
  NameByClass();
  FUSEBOX_RETURN_IF_ERROR(impl_->status);
  if (!impl_->config.IsSubclass()) {
    return Refuse("model '{}' is no class with a Call: its inputs are declared with it", impl_->config.name);
  }
  if (inputs.empty()) return Refuse("model '{}': it needs an input", impl_->config.name);
  std::vector<InputConfig> configs;
  for (const SymbolicTensor& input : inputs) {
    if (!input.call() || !input.call()->input) {
      return Refuse("model '{}': Build expects values of fb::Input", impl_->config.name);
    }
    InputConfig& config = configs.emplace_back(*input.call()->input);
    if (config.name.empty()) config.name = fmt::format("input_{}", configs.size());
  }
  return Trace(configs);
}

absl::Status Model::Build(const std::vector<std::vector<int64_t>>& shapes) {
  SymbolicTensors inputs;
  for (const std::vector<int64_t>& shape : shapes) inputs.push_back(Input(shape));
  return Build(inputs);
}

SymbolicCall Model::Called(SymbolicTensors inputs, Layer::Where where) const {
  NameByClass();
  impl_->SettleTrainable();
  std::string error = Message(impl_->status);
  if (impl_->config.IsSubclass()) {
    std::vector<InputConfig> configs;
    for (const SymbolicTensor& input : inputs) {
      const Type type = input.type();
      // What comes before it is wrong, and will say so.
      if (type.dtype == DType::kError) break;
      if (type.shape.empty() || type.shape[0] != kBatch) {
        error = fmt::format("model '{}' expects [N, ...], got {}", impl_->config.name, ToString(type));
        break;
      }
      configs.push_back(
          {fmt::format("input_{}", configs.size() + 1), type.dtype, Shape(type.shape.begin() + 1, type.shape.end())});
    }
    if (configs.size() == inputs.size() && !inputs.empty()) error = Message(Trace(configs));
    if (error.empty() && impl_->DiffersInTraining() && !calling_now.running) {
      error = fmt::format("model '{}' computes something else in training, which only another class's Call can heed",
                          impl_->config.name);
    }
  }
  SymbolicCall call = impl_->CallAsLayer(std::move(inputs), calling_now.trains, where);
  call.error = std::move(error);
  return call;
}

absl::StatusOr<Model> Model::Traced() {
  NameByClass();
  FUSEBOX_RETURN_IF_ERROR(impl_->EnsureWeights());
  FUSEBOX_RETURN_IF_ERROR(impl_->CanBeFrozen());
  FUSEBOX_ASSIGN_OR_RETURN(Model traced, Sharing(Frozen(impl_->config), impl_->embedded, impl_->seed));
  FUSEBOX_RETURN_IF_ERROR(traced.impl_->TakeOptimizer(*impl_));
  return traced;
}

void Model::AddLoss(const SymbolicTensor& value, Layer::Where where) const {
  impl_->AddToDeclaration("AddLoss", where, [&](Declaration& declared) { declared.losses.push_back(value); });
}

void Model::AddMetric(const SymbolicTensor& value, std::string name, Layer::Where where) const {
  impl_->AddToDeclaration("AddMetric", where,
                          [&](Declaration& declared) { declared.metrics.emplace_back(value, name); });
}

// ---- What its description does.

void Model::Impl::AddToDeclaration(const char* what, const std::source_location& where,
                                   const std::function<void(Declaration&)>& add) {
  if (calling != nullptr) return add(*calling);
  if (!status.ok()) return;
  if (declared_.outputs.empty()) {
    status =
        Refuse("{}:{}: model '{}': {} is for models of values that fb::Input gives, and for a class within its Call",
               where.file_name(), where.line(), config.name, what);
    return;
  }
  Declaration more = declared_;
  add(more);
  Declare(std::move(more), declared_at_);
  DropPrograms();
}

absl::Status Model::Impl::CanBeFrozen() const {
  if (DiffersInTraining()) {
    return absl::FailedPreconditionError(fmt::format(
        "model '{}' computes something else in training, which one tracing cannot hold: let layers that know of it, "
        "such as Dropout, make the difference",
        config.name));
  }
  for (const InputConfig& input : config.inputs) {
    const size_t number = size_t(&input - config.inputs.data());
    const auto reads = [&](const CallConfig& call) {
      return std::ranges::any_of(call.inputs, [&](ValueRef value) { return value.source == number; });
    };
    const bool is_output = std::ranges::any_of(config.outputs, [&](ValueRef v) { return v.source == number; });
    if (!config.IsSubclass() || is_output || std::ranges::any_of(config.calls, reads)) continue;
    return Refuse("model '{}': '{}' is used by none of its outputs, which a model of layers alone needs", config.name,
                  input.name);
  }
  return absl::OkStatus();
}

absl::Status Model::Impl::TakeOptimizer(const Impl& from) {
  FUSEBOX_RETURN_IF_ERROR(EnsureWeights());
  if (config.compile) FUSEBOX_RETURN_IF_ERROR(EnsureOptimizer());
  for (const Variable& variable : from.variables.all()) {
    if (variable.value.empty() || variable.layer != nullptr || variables.Find(variable.name) == nullptr) continue;
    FUSEBOX_RETURN_IF_ERROR(variables.Set(variable.name, variable.value));
  }
  return absl::OkStatus();
}

bool Model::Impl::Activate(const std::vector<InputConfig>& inputs) {
  if (HasInput() && config.inputs == inputs) return true;
  const auto known = std::ranges::find_if(traces_, [&](const auto& trace) { return trace->inputs == inputs; });
  if (known == traces_.end()) return false;
  const Tracing& trace = **known;
  const auto describe = [&](const ModelConfig& traced, const std::vector<int64_t>& layers) {
    ModelConfig all = WithAllMembers(traced, layers);
    all.name = config.name;
    all.class_name = config.class_name;
    all.compile = config.compile;
    return all;
  };
  ModelConfig inference = describe(trace.inference, trace.inference_members);
  ModelConfig training = describe(trace.training, trace.training_members);
  config = std::move(inference);
  training_config_.reset();
  if (training != config) training_config_ = std::move(training);
  SettleTrainable();
  outputs.clear();
  InferOutputs({});
  return true;
}

// The layers of all traces, those that this one does not call included.
ModelConfig Model::Impl::WithAllMembers(const ModelConfig& traced, const std::vector<int64_t>& layers) const {
  ModelConfig all = traced;
  all.layers.clear();
  all.members = members_.size();
  std::vector<size_t> place(traced.layers.size());
  for (const auto& [id, member] : members_) {
    const auto called = std::ranges::find(layers, id);
    LayerConfig& layer = all.layers.emplace_back(member);
    if (called == layers.end()) continue;
    const size_t at = size_t(called - layers.begin());
    place[at] = all.layers.size() - 1;
    layer = traced.layers[at];
  }
  for (size_t i = layers.size(); i < traced.layers.size(); ++i) {
    place[i] = all.layers.size();
    all.layers.push_back(traced.layers[i]);
  }
  for (CallConfig& call : all.calls) call.layer = place[call.layer];
  return all;
}

absl::StatusOr<ModelConfig> Model::Impl::DescribeTrace(const Declaration& declared, int64_t boundary,
                                                       std::vector<int64_t>& layers) {
  if (declared.outputs.empty()) return Refuse("its Call returned no value");
  FUSEBOX_ASSIGN_OR_RETURN(Described described, Describe(declared, &members_));
  ModelConfig& traced = described.config;
  traced.output_names = declared.output_names;
  for (size_t i = traced.output_names.size(); i < declared.outputs.size(); ++i) {
    traced.output_names.push_back(fmt::format("output_{}", i + 1));
  }
  FUSEBOX_RETURN_IF_ERROR(CheckNames(traced.output_names));
  for (size_t i = 0; i < described.layers.size(); ++i) {
    const int64_t id = described.layers[i];
    if (id > boundary) continue;
    layers.push_back(id);
    members_.emplace(id, traced.layers[i]);
  }
  // What its symbols are, and what weights they need: those of members stay what they were.
  size_t failed = 0;
  const absl::StatusOr<std::vector<CallTypes>> types = InferTypes(traced, TypesOf(traced.inputs), embedded, &failed);
  if (!types.ok()) {
    return Refuse("{}{}", failed < described.lines.size() ? described.lines[failed] : "", Message(types.status()));
  }
  for (size_t i = 0; i < types->size(); ++i) {
    SettleModel(traced.layers[traced.calls[i].layer], (*types)[i].inputs[0]);
  }
  const ModelConfig all = WithAllMembers(traced, layers);
  FUSEBOX_ASSIGN_OR_RETURN(const Graph program, BuildProgram(ProgramKind::kPrediction, all,
                                                             {.x = TypesOf(traced.inputs), .y = {}}, embedded));
  for (NodeId i = 1; i < program.size(); ++i) {
    const AttributeMap& state = program[i].attributes;
    if (program[i].op != Op::kState || state.String("kind") != StateKindName(FB_WEIGHT)) continue;
    const std::string& weight = state.String("name");
    const std::string layer = weight.substr(0, weight.find('/'));
    const auto at = std::ranges::find(traced.layers, layer, &LayerConfig::name) - traced.layers.begin();
    if (size_t(at) >= layers.size()) {
      return Refuse("layer '{}' has weights, and Call makes it anew each time: make it a member of the class", layer);
    }
    const Variable* const known = variables.Find(weight);
    if (known == nullptr || known->type == program[i].type) continue;
    return Refuse("layer '{}': its weight '{}' is {} since an earlier tracing, and now needed as {}", layer, weight,
                  ToString(known->type), ToString(program[i].type));
  }
  FUSEBOX_RETURN_IF_ERROR(variables.Declare(program, OwnersIn(all)));
  return std::move(traced);
}

absl::Status Model::Impl::AddTrace(const std::vector<InputConfig>& inputs, const Declaration& inference,
                                   const Declaration& training, int64_t boundary) {
  auto trace = std::make_unique<Tracing>();
  trace->inputs = inputs;
  const Members members = members_;
  const size_t declared = variables.size();
  const ExpansionRecorder recorder;
  const auto describe = [&]() -> absl::Status {
    FUSEBOX_ASSIGN_OR_RETURN(trace->inference, DescribeTrace(inference, boundary, trace->inference_members));
    const absl::StatusOr<ModelConfig> trains = DescribeTrace(training, boundary, trace->training_members);
    if (!trains.ok()) return Refuse("in training: {}", Message(trains.status()));
    trace->training = *trains;
    ShareFunctions(trace->inference, recorder.expansions, trace->training);
    const std::vector<std::string>& before =
        traces_.empty() ? trace->inference.output_names : traces_[0]->inference.output_names;
    for (const ModelConfig* now : {&trace->inference, &trace->training}) {
      if (now->output_names == before) continue;
      return Refuse("{}its Call returns the outputs {}, and for other inputs {}",
                    now == &trace->training ? "in training " : "", QuotedNames(now->output_names), QuotedNames(before));
    }
    return absl::OkStatus();
  };
  if (const absl::Status described = describe(); !described.ok()) {
    members_ = members;
    variables.Truncate(declared);
    return described;
  }
  if (!own->trainable) {
    for (const auto& [id, member] : members_) {
      if (!members.contains(id)) SetTrainableOf(member, false);
    }
  }
  traces_.push_back(std::move(trace));
  Activate(inputs);
  return absl::OkStatus();
}

absl::Status Model::Impl::CompileNow() {
  if (!compile_later_) return absl::OkStatus();
  CompileArgs args = *compile_later_;
  const bool keep = args.keep_optimizer_state;
  FUSEBOX_ASSIGN_OR_RETURN(CompileConfig compile, ReadCompileArgs(std::move(args), config.name, OutputNames(config)));
  FUSEBOX_RETURN_IF_ERROR(Compile(std::move(compile), keep));
  compile_later_.reset();
  return absl::OkStatus();
}

absl::Status Model::Impl::CompileLater(CompileArgs args) {
  // What can be wrong without knowing the outputs is said now.
  const auto check = [&](uint32_t kind, const std::vector<ItemArg>& items) -> absl::Status {
    for (const ItemArg& item : items) {
      FUSEBOX_RETURN_IF_ERROR(item.spec.status());
      FUSEBOX_RETURN_IF_ERROR(ResolveItem(kind, *item.spec, embedded).status());
    }
    return absl::OkStatus();
  };
  FUSEBOX_RETURN_IF_ERROR(check(FB_OPTIMIZER, {args.optimizer}));
  std::vector<ItemArg> losses = args.loss.in_order;
  if (args.loss.all) losses.push_back(*args.loss.all);
  for (const auto& [name, loss] : args.loss.named) losses.push_back(loss);
  FUSEBOX_RETURN_IF_ERROR(check(FB_LOSS, losses));
  for (const MetricsArg* metrics : {&args.metrics, &args.weighted_metrics}) {
    FUSEBOX_RETURN_IF_ERROR(check(FB_METRIC, metrics->list));
    for (const std::vector<ItemArg>& some : metrics->in_order) FUSEBOX_RETURN_IF_ERROR(check(FB_METRIC, some));
    for (const auto& [name, some] : metrics->named) FUSEBOX_RETURN_IF_ERROR(check(FB_METRIC, some));
  }
  compile_later_ = std::move(args);
  return absl::OkStatus();
}

}  // namespace fusebox
