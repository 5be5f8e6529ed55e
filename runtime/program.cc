// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/program.h"

#include <algorithm>

#include "fusebox/graph/status.h"
#include "fusebox/graph/verify.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/items.h"
#include "fusebox/runtime/loss_reduction.h"
#include "fusebox/runtime/optimizer_program.h"
#include "fusebox/runtime/program_facts.h"

namespace fusebox {
namespace {

const Type kOrderType = {DType::kI32, {kBatch}};
const Type kWeightType = {DType::kF32, {kBatch}};
const FbType kWideScalar = MakeType(FB_F64, {});

// Data as the model takes them.
Value Converted(Value data, DType dtype) {
  return data.dtype() == uint32_t(dtype) ? data : Cast(data, uint32_t(dtype));
}

class ProgramWriter {
 public:
  ProgramWriter(ProgramKind kind, const ModelConfig& model, const Expansions& embedded)
      : training_(kind == ProgramKind::kTraining),
        has_loss_(kind != ProgramKind::kPrediction),
        model_(model),
        embedded_(embedded) {}

  absl::StatusOr<Graph> Finish() && {
    if (!b_.status().ok()) return b_.status();
    Graph graph = std::move(b_).Take();
    WriteFacts(model_, graph);
    FUSEBOX_RETURN_IF_ERROR(Verify(graph, Stage::kDeclared));
    return graph;
  }

  GraphBuilder& builder() { return b_; }

  // Returns what comes out of the last layer; `types` gets each layer's.
  Value Layers(Value x, std::vector<LayerTypes>* types = nullptr) {
    for (const LayerConfig& layer : model_.layers) {
      const Value input = x;
      x = ExpandUse(b_, {FB_LAYER, layer.item, training_, !layer.trainable}, {input}, layer.name, embedded_);
      if (!x.ok()) return x;
      if (has_loss_) ActivityPenalty(layer, x);
      if (types) types->push_back({b_.graph()[input.id].type, b_.graph()[x.id].type});
    }
    return x;
  }

  // The loss of the batch, f32[]: see ReduceLoss. The output "loss" is the mean of all samples since the accumulators were zero.
  Value Loss(Value y_true, Value y_pred, Value weight) {
    Value each = ExpandUse(b_, {FB_LOSS, model_.compile->loss, training_}, {y_true, y_pred}, "loss", embedded_);
    if (!each.ok()) return each;
    if (each.dtype() != FB_F32 || each.rank() < 1 || each.dim(0) != kBatch) {
      return Fail(fmt::format("loss {}: was to make one loss a sample, f32[N], and made {}", model_.compile->loss.id,
                              ToString(each.type())));
    }
    const Value penalties = Penalties();
    const GraphBuilder::Scope scope(b_, "loss");
    const ReducedLoss reduced = ReduceLoss(b_, model_.compile->loss, each, weight, penalties);
    const Value total = State("total", FB_ACCUMULATOR, kWideScalar, "zeros");
    const Value samples = State("count", FB_ACCUMULATOR, kWideScalar, "zeros");
    const Value new_total = total + Cast(reduced.share, FB_F64);
    const Value new_samples = samples + Cast(reduced.samples, FB_F64);
    b_.Assign(total, new_total);
    b_.Assign(samples, new_samples);
    b_.Output("loss", Cast(new_total / new_samples, FB_F32));
    return reduced.loss;
  }

  void Metrics(Value y_true, Value y_pred, Value weight) {
    const GraphBuilder::Scope scope(b_, "metrics");
    for (const auto& [metric, name, weighted] : LoggedMetrics(*model_.compile)) {
      if (name.find('/') != std::string::npos) {
        Fail(fmt::format("metric '{}': a metric's name may have no '/'", name));
        return;
      }
      if (std::ranges::find(b_.graph().outputs(), name, &Graph::Output::name) != b_.graph().outputs().end()) {
        Fail(fmt::format("metric '{}' is given twice", name));
        return;
      }
      Values inputs = {y_true, y_pred};
      if (weighted && weight.ok()) inputs.push_back(weight);
      const Value result = ExpandUse(b_, {FB_METRIC, *metric, training_}, inputs, name, embedded_);
      if (result.ok() && (result.dtype() != FB_F32 || result.rank() != 0)) {
        Fail(fmt::format("metric {}: was to make its result, f32[], and made {}", metric->id, ToString(result.type())));
      }
      b_.Output(name, result);
    }
  }

  void Optimizer(Value loss) {
    if (!loss.ok()) return;
    std::vector<NodeId> weights;
    for (NodeId i = 1; i < b_.graph().size(); ++i) {
      if (IsTrained(b_.graph()[i])) weights.push_back(i);
    }
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
  Value State(const std::string& name, uint32_t kind, const FbType& type, const std::string& initializer) {
    return b_.State(name, kind, *FromAbi(type), initializer, {});
  }

  // What a layer's attribute activity_regularizer says of its output, a sample.
  void ActivityPenalty(const LayerConfig& layer, Value y) {
    const auto attribute = layer.item.attributes.find("activity_regularizer");
    if (attribute == layer.item.attributes.end()) return;
    const std::string* const text = std::get_if<std::string>(&attribute->second);
    if (text == nullptr || text->empty()) return;
    const GraphBuilder::Scope scope(b_, "losses");
    const Value penalty = Penalty(*text, y, layer.name + "/activity");
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
      if (text.empty() || !IsTrained(b_.graph()[i])) continue;
      add(Penalty(text, b_.Wrap(i), b_.graph()[i].attributes.String("name")));
    }
    for (const Value& penalty : b_.losses) add(penalty);
    return sum;
  }

  bool IsTrained(const Node& node) const {
    if (node.op != Op::kState || node.attributes.String("kind") != "weight" || !node.attributes.Flag("trainable")) {
      return false;
    }
    const std::string layer = node.scope.substr(0, node.scope.find('/'));
    const auto it = std::ranges::find_if(model_.layers, [&](const LayerConfig& l) { return l.name == layer; });
    return it == model_.layers.end() || it->trainable;
  }

  GraphBuilder b_;
  bool training_, has_loss_;
  const ModelConfig& model_;
  const Expansions& embedded_;
};

}  // namespace

absl::StatusOr<Graph> BuildProgram(ProgramKind kind, const ModelConfig& model, const BatchTypes& types,
                                   const Expansions& embedded) {
  if (kind != ProgramKind::kPrediction && !model.compile) {
    return absl::FailedPreconditionError(fmt::format("model '{}' is not compiled: it has no loss", model.name));
  }
  ProgramWriter writer(kind, model, embedded);
  GraphBuilder& b = writer.builder();
  const DType input = model.input ? model.input->dtype : types.x.dtype;
  const DType target = model.compile && HasClassLabels(model.compile->loss) ? DType::kI32 : DType::kF32;
  switch (kind) {
    case ProgramKind::kPrediction: {
      const Value x = Converted(b.Input("x", types.x), input);
      b.Output("y", writer.Layers(x));
      break;
    }
    case ProgramKind::kEvaluation: {
      const Value x = Converted(b.Input("x", types.x), input);
      const Value y = Converted(b.Input("y", types.y), target);
      const Value weight = types.weighted ? b.Input("sample_weight", kWeightType) : b.Wrap(0);
      const Value predicted = writer.Layers(x);
      writer.Loss(y, predicted, weight);
      writer.Metrics(y, predicted, weight);
      break;
    }
    case ProgramKind::kTraining: {
      const Value order = b.Input("order", kOrderType);
      const Value x = Converted(b.Rows("x", types.x, order), input);
      const Value y = Converted(b.Rows("y", types.y, order), target);
      const Value weight = types.weighted ? b.Rows("sample_weight", kWeightType, order) : b.Wrap(0);
      const Value predicted = writer.Layers(x);
      const Value loss = writer.Loss(y, predicted, weight);
      writer.Metrics(y, predicted, weight);
      writer.Optimizer(loss);
      writer.Counters();
      break;
    }
  }
  return std::move(writer).Finish();
}

absl::StatusOr<std::vector<LayerTypes>> InferLayerTypes(const ModelConfig& model, const Type& x,
                                                        const Expansions& embedded) {
  ProgramWriter writer(ProgramKind::kPrediction, model, embedded);
  std::vector<LayerTypes> types;
  writer.Layers(writer.builder().Input("x", x), &types);
  if (!writer.builder().status().ok()) return writer.builder().status();
  return types;
}

Type BatchType(DType dtype, const Shape& shape_of_a_sample) {
  Type type{dtype, {kBatch}};
  type.shape.insert(type.shape.end(), shape_of_a_sample.begin(), shape_of_a_sample.end());
  return type;
}

std::vector<LoggedMetric> LoggedMetrics(const CompileConfig& compile) {
  const auto name_of = [](const ItemSpec& metric) {
    const auto it = metric.attributes.find("name");
    const std::string* const name = it != metric.attributes.end() ? std::get_if<std::string>(&it->second) : nullptr;
    return name != nullptr ? *name : ShortName(metric.id);
  };
  std::vector<LoggedMetric> all;
  for (const ItemSpec& metric : compile.metrics) all.push_back({&metric, name_of(metric), false});
  for (const ItemSpec& metric : compile.weighted_metrics) {
    const std::string name = name_of(metric);
    const bool taken = std::ranges::find(all, name, &LoggedMetric::name) != all.end();
    all.push_back({&metric, taken ? "weighted_" + name : name, true});
  }
  return all;
}

std::string ShortName(std::string_view id) {
  const size_t slash = id.find('/');
  if (slash != std::string_view::npos) id.remove_prefix(slash + 1);
  return std::string(id.substr(0, id.find('@')));
}

}  // namespace fusebox
