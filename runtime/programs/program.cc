// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/programs/program.h"

#include <algorithm>
#include <map>
#include <ranges>
#include <set>

#include "fusebox/graph/ops.h"
#include "fusebox/graph/status.h"
#include "fusebox/graph/verify.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/describe/compile_args.h"
#include "fusebox/runtime/plugins/items.h"
#include "fusebox/runtime/programs/loss_reduction.h"
#include "fusebox/runtime/programs/optimizer_program.h"
#include "fusebox/runtime/programs/program_facts.h"

namespace fusebox {
namespace {

const Type kOrderType = {DType::kI32, {kBatch}};
const FbType kWideScalar = MakeType(FB_F64, {});

// Data as the model takes them.
Value Converted(Value data, DType dtype) {
  return data.dtype() == uint32_t(dtype) ? data : Cast(data, uint32_t(dtype));
}

bool NeedsTarget(const OutputLoss& output) {
  return output.HasLoss() || !output.metrics.empty() || !output.weighted_metrics.empty();
}

class ProgramWriter {
 public:
  ProgramWriter(ProgramKind kind, const ModelConfig& model, const Expansions& embedded)
      : training_(kind == ProgramKind::kTraining),
        has_loss_(kind != ProgramKind::kPrediction),
        model_(model),
        embedded_(embedded),
        shared_paths_(SharedPaths(model)) {}

  absl::StatusOr<Graph> Finish() && {
    if (!b_.status().ok()) return b_.status();
    Graph graph = std::move(b_).Take();
    WriteFacts(model_, graph);
    FUSEBOX_RETURN_IF_ERROR(Verify(graph, Stage::kDeclared));
    return graph;
  }

  GraphBuilder& builder() { return b_; }

  // What comes out of the model. `types` gets each call's; after an error `at` is the call that is wrong.
  Values Outputs(const Values& inputs, std::vector<CallTypes>* types = nullptr, size_t* at = nullptr) {
    size_t call = 0;
    Masked made = Calls(model_, {inputs, std::vector<NodeId>(inputs.size())}, false, types, at ? *at : call);
    masks_ = std::move(made.masks);
    return std::move(made.values);
  }

  // The loss of the batch, f32[]: see ReduceLoss. The output "loss" is the mean of all samples since the accumulators were
  // zero; of several losses each has such an output, too.
  Value Loss(const Values& y_true, const Values& y_pred, const Values& weights) {
    const std::vector<OutputLoss> outputs = LossesOf(model_);
    const bool several = std::ranges::count_if(outputs, &OutputLoss::HasLoss) > 1;
    struct Term {
      const OutputLoss* output;
      Value of_samples, weight, mask;
    };
    std::vector<Term> each;
    size_t target = 0;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!NeedsTarget(outputs[i])) continue;
      const Value y = y_true[target], weight = weights[target];
      ++target;
      if (!outputs[i].HasLoss()) continue;
      each.push_back({&outputs[i], LossOfEach(outputs[i], several, y, y_pred[i]), weight, b_.Wrap(masks_[i])});
      if (!each.back().of_samples.ok()) return each.back().of_samples;
      if (y_pred[i].rank() > 0 && y_pred[i].dim(-1) == 1 && b_.Preimage(y_pred[i].id, "fusebox/softmax") != 0) {
        return Fail(
            fmt::format("output '{}': a softmax of one unit is always 1: expected two units or more, or a sigmoid, "
                        "got {}",
                        OutputNames(model_)[i], ToString(y_pred[i].type())));
      }
    }
    const Value penalties = Penalties();
    const GraphBuilder::Scope scope(b_, "loss");
    if (each.empty()) return AddedLoss(penalties, y_pred[0]);
    if (each.size() == 1 && !each[0].output->weight) {
      const auto& [output, of_samples, weight, mask] = each[0];
      const ReducedLoss reduced = ReduceLoss(b_, output->loss, of_samples, weight, mask, penalties);
      RunningLoss(reduced.share, reduced.samples, "loss");
      return reduced.loss;
    }
    Value loss, share, samples;
    const auto add = [](Value& sum, Value term) { sum = sum.ok() ? sum + term : term; };
    for (const auto& [output, of_samples, weight, mask] : each) {
      const GraphBuilder::Scope inner(b_, several ? output->output : "");
      ReducedLoss reduced = ReduceLoss(b_, output->loss, of_samples, weight, mask, b_.Wrap(0));
      samples = reduced.samples;
      if (several) RunningLoss(reduced.share, samples, output->output + "_loss");
      if (output->weight) {
        const Value counts = LossWeight(*output);
        reduced.loss = reduced.loss * counts;
        reduced.share = reduced.share * counts;
      }
      add(loss, reduced.loss);
      add(share, reduced.share);
    }
    if (penalties.ok()) {
      loss = loss + penalties;
      share = share + penalties * samples;
    }
    RunningLoss(share, samples, "loss");
    return loss;
  }

  void Metrics(const Values& y_true, const Values& y_pred, const Values& weights) {
    const GraphBuilder::Scope scope(b_, "metrics");
    const std::vector<OutputLoss> outputs = LossesOf(model_);
    size_t target = 0;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!NeedsTarget(outputs[i])) continue;
      const Value y = y_true[target], weight = weights[target];
      ++target;
      for (const auto& [metric, name, weighted] : LoggedMetrics(outputs[i], outputs.size())) {
        if (!CheckMetricName(name)) return;
        Values inputs = {y, y_pred[i]};
        if (weighted && weight.ok()) inputs.push_back(weight);
        if (masks_[i] != 0) {
          b_.masks.assign(inputs.size(), 0);
          b_.masks[1] = masks_[i];
        }
        const Value result = ExpandUse(b_, {FB_METRIC, *metric, training_}, inputs, name, embedded_);
        if (result.ok() && (result.dtype() != FB_F32 || result.rank() != 0)) {
          Fail(fmt::format("metric {}: was to make its result, f32[], and made {}", metric->id,
                           ToString(result.type())));
        }
        b_.Output(name, result);
      }
    }
    for (const auto& [name, value] : added_metrics_) {
      if (!CheckMetricName(name)) return;
      const GraphBuilder::Scope inner(b_, name);
      b_.Output(name, RunningMean(value, b_.Wrap(0)));
    }
  }

  void Optimizer(Value loss) {
    if (!loss.ok()) return;
    std::vector<NodeId> weights;
    for (NodeId i = 1; i < b_.graph().size(); ++i) {
      if (IsTrained(i)) weights.push_back(i);
    }
    // In the order of Keras's files: that of the layers, whichever is called first.
    std::map<std::string_view, size_t> place;
    const std::vector<LeafLayer> leaves = LeafLayers(model_);
    for (size_t i = 0; i < leaves.size(); ++i) place[leaves[i].path] = i;
    std::ranges::stable_sort(weights, {}, [&](NodeId id) {
      for (std::string_view scope = b_.graph()[id].scope;; scope = scope.substr(0, scope.rfind('/'))) {
        if (const auto layer = place.find(scope); layer != place.end()) return layer->second;
        if (scope.find('/') == std::string_view::npos) return leaves.size();
      }
    });
    WriteOptimizer(b_, model_.compile->optimizer, weights, loss, embedded_);
  }

  // Every counter says how many steps of training were done before.
  void Counters() {
    StepCounter(b_);
    const NodeId size = b_.graph().size();
    for (NodeId i = 1; i < size; ++i) {
      const Node& node = b_.graph()[i];
      if (node.op != Op::kState || node.attributes.String("kind") != "counter" || b_.graph().update_of(i) != 0)
        continue;
      const Value counter = b_.Wrap(i);
      b_.Assign(counter, counter + 1);
    }
  }

 private:
  Value Fail(std::string message) { return b_.Wrap(b_.Fail(std::move(message))); }
  bool CheckMetricName(const std::string& name) {
    if (name.empty()) return Fail("a metric has an empty name").ok();
    if (name.find('/') != std::string::npos) {
      return Fail(fmt::format("metric '{}': a metric's name may have no '/'", name)).ok();
    }
    const auto& outputs = b_.graph().outputs();
    if (std::ranges::find(outputs, name, &Graph::Output::name) == outputs.end()) return true;
    return Fail(fmt::format("metric '{}' is given twice", name)).ok();
  }
  Value State(const std::string& name, uint32_t kind, const FbType& type, const std::string& initializer) {
    return b_.State(name, kind, *FromAbi(type), initializer, {});
  }

  // Values, and for each which of its steps count, bool[N, ...]; 0 where all do.
  struct Masked {
    Values values = {};
    std::vector<NodeId> masks = {};

    void Add(const Masked& from, size_t i) {
      values.push_back(from.values[i]);
      masks.push_back(from.masks[i]);
    }
  };

  // The values of a model, or of one within.
  Masked Calls(const ModelConfig& model, const Masked& inputs, bool frozen, std::vector<CallTypes>* types, size_t& at) {
    const std::vector<CallConfig> calls = CallsOf(model);
    const size_t input_count = inputs.values.size();
    std::vector<Masked> made(input_count + calls.size());  // By ValueRef::source.
    for (size_t i = 0; i < input_count; ++i) made[i].Add(inputs, i);
    if (types) types->resize(calls.size());
    std::vector<int> times(model.layers.size());
    const auto types_of = [&](const Values& values) {
      std::vector<Type> all;
      for (const Value& value : values) all.push_back(b_.graph()[value.id].type);
      return all;
    };
    for (const size_t i : CallOrder(model)) {
      at = i;
      const LayerConfig& layer = model.layers[calls[i].layer];
      Masked from;
      for (const ValueRef& input : calls[i].inputs) from.Add(made[input.source], input.output);
      Masked& to = made[input_count + i] = Call(layer, from, frozen || !layer.trainable, times[calls[i].layer]++);
      if (to.values.empty()) return {};
      if (types) (*types)[i] = {types_of(from.values), types_of(to.values)};
    }
    if (has_loss_) Added(model, made);
    Masked outputs;
    for (const ValueRef& output : OutputsOf(model)) outputs.Add(made[output.source], output.output);
    return outputs;
  }

  // What the user has added to the loss and to the logs.
  void Added(const ModelConfig& model, const std::vector<Masked>& made) {
    const GraphBuilder::AbsoluteScope scope(b_, "losses");
    const auto number = [&](const ValueRef& ref, const char* what) {
      const Value value = made[ref.source].values[ref.output];
      if (value.ok() && value.dtype() != FB_F32) {
        return Fail(
            fmt::format("model '{}': {} expects numbers, f32[...], got {}", model.name, what, ToString(value.type())));
      }
      return value;
    };
    for (const ValueRef& loss : model.added_losses) {
      const Value value = number(loss, "AddLoss");
      if (!value.ok()) return;
      Dims axes;
      for (int64_t i = 0; i < value.rank(); ++i) axes.push_back(i);
      b_.AddLoss(axes.empty() ? value : Sum(value, axes));
    }
    for (const AddedMetric& metric : model.added_metrics) {
      const Value value = number(metric.value, "AddMetric");
      if (value.ok()) added_metrics_.emplace_back(metric.name, value);
    }
  }

  // The loss where no output has one: what was added, which is that of a batch. 0, if that is nothing in this program.
  Value AddedLoss(Value added, Value y_pred) {
    const Value samples = Extent(Cast(y_pred, FB_F32), {0});
    const Value loss = added.ok() ? added : b_.Constant(0, DType::kF32);
    RunningLoss(loss * samples, samples, "loss");
    return loss;
  }

  // The values that a call makes; none after an error. `time` says how often the layer was called before in its model.
  Masked Call(const LayerConfig& layer, const Masked& inputs, bool frozen, int time) {
    if (layer.IsTimeDistributedModel()) return CallStepByStep(layer, inputs, frozen);
    if (layer.model) return CallModel(layer, inputs, frozen);
    const NodeId first = b_.graph().size();
    std::string path = (b_.scope().empty() ? "" : b_.scope() + "/") + layer.name;
    // A layer that is called at several places of the model, in models within, has the weights of the first.
    std::optional<GraphBuilder::AbsoluteScope> scope_of_first;
    std::string name = layer.name;
    if (const auto shared = shared_paths_.find(path); shared != shared_paths_.end()) {
      path = shared->second;
      const size_t slash = path.rfind('/');
      scope_of_first.emplace(b_, slash == std::string::npos ? "" : path.substr(0, slash));
      name = path.substr(slash + 1);
    }
    auto& states = states_[path];
    if (!states.empty()) b_.again = &states;
    b_.masks = inputs.masks;
    b_.mask = 0;
    const Value y = ExpandUse(b_, {FB_LAYER, layer.item, training_, frozen}, inputs.values, name, embedded_);
    b_.again = nullptr;
    if (b_.mask == 0 && KeepsMask(layer.item)) b_.mask = inputs.masks[0];
    if (!y.ok()) return {};
    for (NodeId i = first; i < b_.graph().size(); ++i) {
      const Node& node = b_.graph()[i];
      if (node.op != Op::kState || !node.attributes.String("name").starts_with(path + "/")) continue;
      states.emplace(node.attributes.String("name"), i);
      if (frozen) frozen_.insert(i);
    }
    if (has_loss_) ActivityPenalty(layer, path + (time == 0 ? "/activity" : fmt::format("/activity_{}", time)), y);
    return {{y}, {b_.mask}};
  }

  // A model on each step of x [N, T, ...], as the plugin time_distributed has it of a layer.
  Masked CallStepByStep(const LayerConfig& layer, const Masked& inputs, bool frozen) {
    const std::string outer = std::exchange(b_.who, fmt::format("'{}', layer time_distributed: ", layer.name));
    const auto fail = [&](std::string message) -> Masked {
      Fail(std::move(message));
      return {};
    };
    if (inputs.values.size() != 1) return fail(fmt::format("takes 1 input, got {}", inputs.values.size()));
    const Value x = inputs.values[0];
    const Dims dims = x.dims();
    if (dims.size() < 3 || dims[0] >= 0 || dims[1] < 1) {
      return fail(fmt::format("expects input [batch, time, ...] of rank 3 or more with a fixed number of steps, got {}",
                              ToString(x.type())));
    }
    if (std::string wrong = CannotGoByStep(*layer.model, frozen); !wrong.empty()) return fail(std::move(wrong));
    Dims merged(dims.begin() + 1, dims.end());
    if (__builtin_mul_overflow(dims[0], dims[1], &merged[0])) return fail(ToString(x.type()) + " is too large");
    b_.who = outer;
    const Masked made = CallModel(layer, {{Reshape(x, merged)}, {0}}, frozen);
    if (made.values.empty() || !made.values[0].ok()) return {};
    Dims each = made.values[0].dims();
    each.insert(each.begin() + 1, dims[1]);
    each[0] = dims[0];
    return {{Reshape(made.values[0], each)}, {inputs.masks[0]}};
  }

  // What a model has that would not be the same for all steps at once as for one after another; empty for nothing.
  std::string CannotGoByStep(const ModelConfig& model, bool frozen) const {
    if (const size_t outputs = OutputsOf(model).size(); outputs != 1) {
      return fmt::format("expects a model with one output, got {}", outputs);
    }
    if (AddsLosses(model) || !AddedMetricNames(model).empty()) {
      return "takes no model with what AddLoss or AddMetric has added: add it to what comes out of this layer";
    }
    for (const LeafLayer& leaf : LeafLayers(model)) {
      const std::string id = ShortName(leaf.layer->item.id);
      if (id == "batch_normalization" && training_ && !frozen && leaf.trainable) {
        return fmt::format(
            "cannot train '{}' step by step, a batch_normalization: put it on [batch, time, features] "
            "itself, where its statistics are of all steps",
            leaf.path);
      }
      const std::string* const penalty = TextAttribute(leaf.layer->item, "activity_regularizer");
      if (id == "activity_regularization" || (penalty != nullptr && !penalty->empty())) {
        return fmt::format("takes no model whose layers have activity penalties, as '{}': put them behind", leaf.path);
      }
    }
    return "";
  }

  Masked CallModel(const LayerConfig& layer, const Masked& masked, bool frozen) {
    const Values& inputs = masked.values;
    const ModelConfig& inner = *layer.model;
    const std::string outer = std::exchange(b_.who, fmt::format("'{}': ", layer.name));
    const size_t count = std::max<size_t>(inner.inputs.size(), 1);
    if (inputs.size() != count) {
      Fail(fmt::format("the model has {} input{}: {}; got {}", count, count == 1 ? "" : "s",
                       QuotedNames(InputNames(inner)), inputs.size()));
      return {};
    }
    Values converted;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inner.inputs.empty()) {
        converted.push_back(inputs[i]);
        continue;
      }
      const InputConfig& input = inner.inputs[i];
      const Type expected = BatchType(input.dtype, input.shape), got = b_.graph()[inputs[i].id].type;
      // Of a model that is called step by step, the batch is that of all steps.
      if (got.shape.empty() || got.shape[0] >= 0 || !std::ranges::equal(got.shape | std::views::drop(1), input.shape)) {
        Fail(fmt::format("its input '{}' is {}, got {}", input.name, ToString(expected), ToString(got)));
        return {};
      }
      converted.push_back(Converted(inputs[i], input.dtype));
    }
    b_.who = outer;
    const GraphBuilder::Scope scope(b_, layer.name);
    size_t at = 0;
    return Calls(inner, {converted, masked.masks}, frozen, nullptr, at);
  }

  // A loss for each sample.
  Value LossOfEach(const OutputLoss& output, bool several, Value y_true, Value y_pred) {
    const std::string scope = several ? "loss/" + output.output : "loss";
    const Value each = ExpandUse(b_, {FB_LOSS, output.loss, training_}, {y_true, y_pred}, scope, embedded_);
    if (each.ok() && (each.dtype() != FB_F32 || each.rank() < 1 || each.dim(0) != kBatch)) {
      const std::string* const called = TextAttribute(output.loss, "called");
      return Fail(fmt::format("loss {}: was to make one loss a sample, f32[N], and made {}",
                              called != nullptr ? "'" + *called + "'" : output.loss.id, ToString(each.type())));
    }
    return each;
  }

  // The output `name`: the mean of all samples since the accumulators were zero.
  void RunningLoss(Value sum, Value count, const std::string& name) {
    const Value total = State("total", FB_ACCUMULATOR, kWideScalar, "zeros");
    const Value samples = State("count", FB_ACCUMULATOR, kWideScalar, "zeros");
    const Value new_total = total + Cast(sum, FB_F64);
    const Value new_samples = samples + Cast(count, FB_F64);
    b_.Assign(total, new_total);
    b_.Assign(samples, new_samples);
    b_.Output(name, Cast(new_total / new_samples, FB_F32));
  }

  // A scalar of the program: another one needs no compiling.
  Value LossWeight(const OutputLoss& output) {
    return State("weight", FB_SCALAR, MakeType(FB_F32, {}), fmt::format("{}", *output.weight));
  }

  // What a layer's attribute activity_regularizer says of its output, a sample.
  void ActivityPenalty(const LayerConfig& layer, const std::string& name, Value y) {
    const std::string* const text = TextAttribute(layer.item, "activity_regularizer");
    if (text == nullptr || text->empty()) return;
    const GraphBuilder::AbsoluteScope scope(b_, "losses");
    const Value penalty = Penalty(*text, y, name);
    if (penalty.ok()) b_.AddLoss(penalty / Extent(y, {0}));
  }

  // The penalty of a weight or a layer's output, f32[].
  Value Penalty(const std::string& text, Value x, const std::string& name) {
    absl::StatusOr<ItemSpec> regularizer = ParseItemSpec(text);
    if (regularizer.ok()) regularizer = ResolveItem(FB_REGULARIZER, *regularizer, embedded_);
    if (!regularizer.ok()) return Fail(fmt::format("'{}', regularizer: {}", name, Message(regularizer.status())));
    const Value penalty = ExpandUse(b_, {FB_REGULARIZER, *regularizer, training_}, {x}, name, embedded_);
    if (penalty.ok() && (penalty.dtype() != FB_F32 || penalty.rank() != 0)) {
      return Fail(fmt::format("'{}', regularizer {}: was to make a penalty, f32[], and made {}", name, regularizer->id,
                              ToString(penalty.type())));
    }
    return penalty;
  }

  // What is added to the loss of a batch; the error value if nothing is.
  Value Penalties() {
    const GraphBuilder::Scope scope(b_, "losses");
    Value sum = b_.Wrap(0);
    const auto add = [&](Value penalty) { sum = sum.ok() && penalty.ok() ? sum + penalty : penalty; };
    const NodeId size = b_.graph().size();
    for (NodeId i = 1; i < size; ++i) {
      const std::string text = b_.graph()[i].attributes.String("regularizer");
      if (text.empty() || !IsTrained(i)) continue;
      add(Penalty(text, b_.Wrap(i), b_.graph()[i].attributes.String("name")));
    }
    for (const Value& penalty : b_.losses) add(penalty);
    return sum;
  }

  bool IsTrained(NodeId id) const {
    const Node& node = b_.graph()[id];
    return node.op == Op::kState && node.attributes.String("kind") == "weight" && node.attributes.Flag("trainable") &&
           !frozen_.contains(id);
  }

  GraphBuilder b_;
  bool training_, has_loss_;
  const ModelConfig& model_;
  const Expansions& embedded_;
  const std::map<std::string, std::string> shared_paths_;
  std::map<std::string, GraphBuilder::StatesByName> states_;  // Of each layer that was called, by its path.
  std::vector<std::pair<std::string, Value>> added_metrics_;
  std::set<NodeId> frozen_;    // States of layers that are not trained.
  std::vector<NodeId> masks_;  // Of the outputs: see Masked.
};

}  // namespace

absl::StatusOr<Graph> BuildProgram(ProgramKind kind, const ModelConfig& model, const BatchTypes& types,
                                   const Expansions& embedded) {
  if (kind != ProgramKind::kPrediction && !model.compile) {
    return absl::FailedPreconditionError(fmt::format("model '{}' is not compiled: it has no loss", model.name));
  }
  ProgramWriter writer(kind, model, embedded);
  GraphBuilder& b = writer.builder();
  const bool training = kind == ProgramKind::kTraining;
  const Value order = training ? b.Input("order", kOrderType) : Value{};
  const auto data = [&](const std::string& port, const Type& type, DType dtype) {
    return Converted(training ? b.Rows(port, type, order) : b.Input(port, type), dtype);
  };
  Values x, y, weights;
  const std::vector<std::string> inputs = InputPorts(model), outputs = OutputPorts(model);
  for (size_t i = 0; i < inputs.size(); ++i) {
    x.push_back(data(inputs[i], types.x[i], model.inputs.empty() ? types.x[i].dtype : model.inputs[i].dtype));
  }
  if (kind != ProgramKind::kPrediction) {
    const std::vector<OutputLoss> losses = LossesOf(model);
    const std::vector<size_t> targets = TargetOutputs(model);
    for (size_t i = 0; i < targets.size(); ++i) {
      const ItemSpec& loss = losses[targets[i]].loss;
      const bool classes = !loss.id.empty() && HasClassLabels(loss);
      y.push_back(data(outputs[targets[i]], types.y[i], classes ? DType::kI32 : DType::kF32));
    }
    const std::vector<std::string> ports = WeightPorts(model, types.weights.size());
    for (size_t i = 0; i < ports.size(); ++i) {
      const bool given = types.weights[i].dtype != DType::kError;
      weights.push_back(given ? data(ports[i], types.weights[i], DType::kF32) : b.Wrap(0));
    }
    weights.resize(targets.size(), weights.empty() ? b.Wrap(0) : weights[0]);
  }
  const Values predicted = writer.Outputs(x);
  if (!b.status().ok()) return b.status();
  if (kind == ProgramKind::kPrediction) {
    for (size_t i = 0; i < outputs.size(); ++i) b.Output(outputs[i], predicted[i]);
    return std::move(writer).Finish();
  }
  const Value loss = writer.Loss(y, predicted, weights);
  writer.Metrics(y, predicted, weights);
  if (training) {
    writer.Optimizer(loss);
    writer.Counters();
  }
  return std::move(writer).Finish();
}

std::vector<size_t> TargetOutputs(const ModelConfig& model) {
  std::vector<size_t> targets;
  const std::vector<OutputLoss> outputs = LossesOf(model);
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (NeedsTarget(outputs[i])) targets.push_back(i);
  }
  return targets;
}

std::vector<std::string> WeightPorts(const ModelConfig& model, size_t weights) {
  if (weights <= 1) return std::vector<std::string>(weights, "sample_weight");
  const std::vector<std::string> names = OutputNames(model);
  std::vector<std::string> ports;
  for (const size_t target : TargetOutputs(model)) ports.push_back("sample_weight/" + names[target]);
  return ports;
}

std::vector<std::string> LogNames(const ModelConfig& model) {
  std::vector<std::string> names = {"loss"};
  const std::vector<OutputLoss> outputs = LossesOf(model);
  const bool several = std::ranges::count_if(outputs, &OutputLoss::HasLoss) > 1;
  for (const OutputLoss& output : outputs) {
    if (several && output.HasLoss()) names.push_back(output.output + "_loss");
    for (LoggedMetric& metric : LoggedMetrics(output, outputs.size())) names.push_back(std::move(metric.name));
  }
  for (std::string& name : AddedMetricNames(model)) names.push_back(std::move(name));
  std::ranges::sort(names);
  return names;
}

absl::StatusOr<std::vector<CallTypes>> InferTypes(const ModelConfig& model, const std::vector<Type>& x,
                                                  const Expansions& embedded, size_t* failed) {
  ProgramWriter writer(ProgramKind::kPrediction, model, embedded);
  std::vector<CallTypes> types;
  Values inputs;
  for (size_t i = 0; i < x.size(); ++i) inputs.push_back(writer.builder().Input(std::to_string(i), x[i]));
  writer.Outputs(inputs, &types, failed);
  if (!writer.builder().status().ok()) return writer.builder().status();
  return types;
}

Type BatchType(DType dtype, const Shape& shape_of_a_sample) {
  Type type{dtype, {kBatch}};
  type.shape.insert(type.shape.end(), shape_of_a_sample.begin(), shape_of_a_sample.end());
  return type;
}

std::vector<LoggedMetric> LoggedMetrics(const OutputLoss& output, size_t outputs) {
  const std::string prefix = outputs > 1 ? output.output + "_" : "";
  const auto name_of = [](const ItemSpec& metric) {
    const std::string* const name = TextAttribute(metric, IsFunction(metric) ? "called" : "name");
    return name != nullptr ? *name : ShortName(metric.id);
  };
  std::vector<LoggedMetric> all;
  for (const ItemSpec& metric : output.metrics) all.push_back({&metric, prefix + name_of(metric), false});
  for (const ItemSpec& metric : output.weighted_metrics) {
    const std::string name = name_of(metric);
    const bool taken = std::ranges::find(all, prefix + name, &LoggedMetric::name) != all.end();
    all.push_back({&metric, prefix + (taken ? "weighted_" : "") + name, true});
  }
  return all;
}

std::string ShortName(std::string_view id) {
  const size_t slash = id.find('/');
  if (slash != std::string_view::npos) id.remove_prefix(slash + 1);
  return std::string(id.substr(0, id.find('@')));
}

}  // namespace fusebox
