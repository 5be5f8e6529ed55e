// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/model/traced_class.h"

#include <algorithm>
#include <set>
#include <utility>

#include "fmt/ranges.h"
#include "fusebox/graph/state_kind.h"
#include "fusebox/graph/status.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/expand/expand.h"
#include "fusebox/runtime/model/model_impl.h"
#include "fusebox/runtime/plugins/library.h"

namespace fusebox {
namespace {

std::vector<Type> TypesOf(const std::vector<InputConfig>& inputs) {
  std::vector<Type> types;
  for (const InputConfig& input : inputs) types.push_back(BatchType(input.dtype, input.shape));
  return types;
}

// The symbols that a function wrote, by the types that it was called with.
std::map<std::string, std::string> SymbolsOf(const ItemSpec& function, const Expansions& kept) {
  std::map<std::string, std::string> symbols;
  const std::string start = fmt::format("{} {} ", KindName(FB_LAYER), Print(function));
  for (auto text = kept.texts.lower_bound(start); text != kept.texts.end() && text->first.starts_with(start); ++text)
    symbols[text->first.substr(start.size())] = text->second;
  return symbols;
}

// Call makes new Lambdas each time it runs. Treats a Lambda of training as the one of inference at the same place if
// both write the same symbols.
void ShareFunctions(const ModelConfig& inference, const Expansions& kept, ModelConfig& training) {
  for (size_t i = 0; i < std::min(inference.layers.size(), training.layers.size()); ++i) {
    const ItemSpec& known = inference.layers[i].item;
    ItemSpec& item = training.layers[i].item;
    if (known.function && item.function && SymbolsOf(known, kept) == SymbolsOf(item, kept)) item = known;
  }
}

absl::Status CheckNames(const std::vector<std::string>& names) {
  std::set<std::string> taken;
  for (const std::string& name : names) {
    if (name.empty()) return Refuse("an output has an empty name");
    if (name.find('/') != std::string::npos) return Refuse("output '{}': an output's name must not contain '/'", name);
    if (!taken.insert(name).second) return Refuse("two outputs are named '{}'", name);
  }
  return absl::OkStatus();
}

}  // namespace

TracedClass* TracedClass::Of(const Model::Impl& model) { return dynamic_cast<TracedClass*>(model.form.get()); }

std::string SignatureOf(const std::vector<InputConfig>& inputs) {
  std::vector<std::string> types;
  for (const Type& type : TypesOf(inputs)) types.push_back(ToString(type));
  return fmt::format("({})", fmt::join(types, ", "));
}

absl::Status TracedClass::CheckComplete() const {
  if (model_.HasInput()) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "model '{}': its inputs' shapes are not known: call Build, or give it data first", model_.config.name));
}

bool TracedClass::AddToDeclaration(const std::function<void(Declaration&)>& add) {
  if (calling == nullptr) return false;
  add(*calling);
  return true;
}

bool TracedClass::Activate(const std::vector<InputConfig>& inputs) {
  if (model_.HasInput() && model_.config.inputs == inputs) return true;
  const auto known = std::ranges::find_if(traces_, [&](const auto& trace) { return trace->inputs == inputs; });
  if (known == traces_.end()) return false;
  const Tracing& trace = **known;
  const auto describe = [&](const ModelConfig& traced, const std::vector<int64_t>& layers) {
    ModelConfig all = WithAllMembers(traced, layers);
    all.name = model_.config.name;
    all.class_name = model_.config.class_name;
    all.compile = model_.config.compile;
    return all;
  };
  ModelConfig inference = describe(trace.inference, trace.inference_members);
  ModelConfig training = describe(trace.training, trace.training_members);
  model_.config = std::move(inference);
  model_.training_config.reset();
  if (training != model_.config) model_.training_config = std::move(training);
  model_.SettleTrainable();
  model_.outputs.clear();
  model_.InferOutputs({});
  return true;
}

// The description with the members of all traces, also those that this trace does not call.
ModelConfig TracedClass::WithAllMembers(const ModelConfig& traced, const std::vector<int64_t>& layers) const {
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

absl::StatusOr<ModelConfig> TracedClass::DescribeTrace(const Declaration& declared, int64_t boundary,
                                                       std::vector<int64_t>& layers) {
  if (declared.outputs.empty()) return Refuse("its Call returned no value");
  FUSEBOX_ASSIGN_OR_RETURN(Described described, Describe(declared, &members_, model_.embedded));
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
  // Infer the types and find the weights that the symbols need. Weights of members must not change their types.
  size_t failed = 0;
  const absl::StatusOr<std::vector<CallTypes>> types =
      InferTypes(traced, TypesOf(traced.inputs), model_.embedded, &failed);
  if (!types.ok()) {
    return Refuse("{}{}", failed < described.lines.size() ? described.lines[failed] : "", Message(types.status()));
  }
  for (size_t i = 0; i < types->size(); ++i) {
    SettleModel(traced.layers[traced.calls[i].layer], (*types)[i].inputs[0]);
  }
  const ModelConfig all = WithAllMembers(traced, layers);
  FUSEBOX_ASSIGN_OR_RETURN(const Graph program, BuildProgram(ProgramKind::kPrediction, all,
                                                             {.x = TypesOf(traced.inputs), .y = {}}, model_.embedded));
  for (NodeId i = 1; i < program.size(); ++i) {
    const AttributeMap& state = program[i].attributes;
    if (program[i].op != Op::kState || state.String("kind") != StateKindName(FB_WEIGHT)) continue;
    const std::string& weight = state.String("name");
    const std::string layer = weight.substr(0, weight.find('/'));
    const auto at = std::ranges::find(traced.layers, layer, &LayerConfig::name) - traced.layers.begin();
    if (size_t(at) >= layers.size()) {
      return Refuse("layer '{}' has weights, but Call makes a new one each time: make it a member of the class", layer);
    }
    const Variable* const known = model_.variables.Find(weight);
    if (known == nullptr || known->type == program[i].type) continue;
    return Refuse("layer '{}': its weight '{}' is {} since an earlier tracing, and now needed as {}", layer, weight,
                  ToString(known->type), ToString(program[i].type));
  }
  FUSEBOX_RETURN_IF_ERROR(model_.variables.Declare(program, OwnersIn(all)));
  return std::move(traced);
}

absl::Status TracedClass::AddTrace(const std::vector<InputConfig>& inputs, const Declaration& inference,
                                   const Declaration& training, int64_t boundary) {
  auto trace = std::make_unique<Tracing>();
  trace->inputs = inputs;
  const Members members = members_;
  const size_t declared = model_.variables.size();
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
      return Refuse("{}its Call returns the outputs {}, but returned {} before",
                    now == &trace->training ? "in training " : "", QuotedNames(now->output_names), QuotedNames(before));
    }
    return absl::OkStatus();
  };
  if (const absl::Status described = describe(); !described.ok()) {
    members_ = members;
    model_.variables.Truncate(declared);
    return described;
  }
  if (!model_.own->trainable) {
    for (const auto& [id, member] : members_) {
      if (!members.contains(id)) SetTrainableOf(member, false);
    }
  }
  traces_.push_back(std::move(trace));
  Activate(inputs);
  return absl::OkStatus();
}

absl::Status TracedClass::CompileNow() {
  if (!compile_later_) return absl::OkStatus();
  CompileArgs args = *compile_later_;
  const bool keep = args.keep_optimizer_state;
  FUSEBOX_ASSIGN_OR_RETURN(CompileConfig compile,
                           ReadCompileArgs(std::move(args), model_.config.name, OutputNames(model_.config)));
  FUSEBOX_RETURN_IF_ERROR(model_.Compile(std::move(compile), keep));
  compile_later_.reset();
  return absl::OkStatus();
}

absl::Status TracedClass::CompileLater(CompileArgs args) {
  // Report errors that do not depend on the outputs now.
  const auto check = [&](uint32_t kind, const std::vector<ItemArg>& items) -> absl::Status {
    for (const ItemArg& item : items) {
      FUSEBOX_RETURN_IF_ERROR(item.spec.status());
      FUSEBOX_RETURN_IF_ERROR(ResolveItem(kind, *item.spec, model_.embedded).status());
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
