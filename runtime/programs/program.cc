// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/programs/program.h"

#include <algorithm>
#include <map>

#include "fusebox/graph/ops.h"
#include "fusebox/graph/status.h"
#include "fusebox/graph/verify.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/plugins/item_flags.h"
#include "fusebox/runtime/programs/draft.h"
#include "fusebox/runtime/programs/forward.h"
#include "fusebox/runtime/programs/losses.h"
#include "fusebox/runtime/programs/metrics.h"
#include "fusebox/runtime/programs/optimizer_program.h"

namespace fusebox {
namespace {

const Type kOrderType = {DType::kI32, {kBatch}};

void UpdateWeights(ProgramDraft& d, Value loss) {
  if (!loss.ok()) return;
  std::vector<NodeId> weights;
  for (NodeId i = 1; i < d.b.graph().size(); ++i) {
    if (d.IsTrained(i)) weights.push_back(i);
  }
  // In the order of Keras's files: the order of the layers, not of their calls.
  std::map<std::string_view, size_t> place;
  const std::vector<LeafLayer> leaves = LeafLayers(d.model);
  for (size_t i = 0; i < leaves.size(); ++i) place[leaves[i].path] = i;
  std::ranges::stable_sort(weights, {}, [&](NodeId id) {
    for (std::string_view scope = d.b.graph()[id].scope;; scope = scope.substr(0, scope.rfind('/'))) {
      if (const auto layer = place.find(scope); layer != place.end()) return layer->second;
      if (scope.find('/') == std::string_view::npos) return leaves.size();
    }
  });
  WriteOptimizer(d.b, d.model.compile->optimizer, weights, loss, d.embedded);
}

// Advances every counter: its value is the number of steps done before.
void CountSteps(ProgramDraft& d) {
  StepCounter(d.b);
  const NodeId size = d.b.graph().size();
  for (NodeId i = 1; i < size; ++i) {
    const Node& node = d.b.graph()[i];
    if (!IsState(node, FB_COUNTER) || d.b.graph().update_of(i) != 0) continue;
    const Value counter = d.b.Wrap(i);
    d.b.Assign(counter, counter + 1);
  }
}

absl::StatusOr<Graph> Finish(ProgramDraft& d) {
  if (!d.b.status().ok()) return d.b.status();
  Graph graph = std::move(d.b).Take();
  FUSEBOX_RETURN_IF_ERROR(Verify(graph, Stage::kDeclared));
  return graph;
}

}  // namespace

absl::Status CheckUsable(ProgramKind kind, const ModelConfig& model) {
  if (kind == ProgramKind::kPrediction || !model.compile) return absl::OkStatus();
  const auto check = [&](const char* what, const std::string& problem, const char* option) {
    if (problem.empty()) return absl::OkStatus();
    return absl::FailedPreconditionError(fmt::format(
        "model '{}': {} of its file cannot be used: {}; what Keras takes as custom_objects is a plugin here "
        "(--plugin-path) or LoadModel's .custom, or compile the model anew ({})",
        model.name, what, problem, option));
  };
  const CompileConfig& compile = *model.compile;
  FUSEBOX_RETURN_IF_ERROR(check("the compile settings", compile.problem, "--loss, --metrics, --optimizer"));
  for (const OutputLoss& output : LossesOf(model)) {
    FUSEBOX_RETURN_IF_ERROR(check("the loss", output.loss.problem, "--loss"));
    for (const auto* metrics : {&output.metrics, &output.weighted_metrics}) {
      for (const ItemSpec& metric : *metrics) FUSEBOX_RETURN_IF_ERROR(check("a metric", metric.problem, "--metrics"));
    }
  }
  return kind == ProgramKind::kTraining ? check("the optimizer", compile.optimizer.problem, "--optimizer")
                                        : absl::OkStatus();
}

absl::StatusOr<Graph> BuildProgram(ProgramKind kind, const ModelConfig& model, const BatchTypes& types,
                                   const Expansions& embedded) {
  if (kind != ProgramKind::kPrediction && !model.compile) {
    return absl::FailedPreconditionError(fmt::format("model '{}' is not compiled: it has no loss", model.name));
  }
  FUSEBOX_RETURN_IF_ERROR(CheckUsable(kind, model));
  const bool training = kind == ProgramKind::kTraining;
  ProgramDraft d{model, embedded, training, kind != ProgramKind::kPrediction};
  HostBuilder& b = d.b;
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
  const Values predicted = WriteForward(d, x);
  if (!b.status().ok()) return b.status();
  if (kind == ProgramKind::kPrediction) {
    for (size_t i = 0; i < outputs.size(); ++i) b.Output(outputs[i], predicted[i]);
    return Finish(d);
  }
  const Value loss = WriteLoss(d, y, predicted, weights);
  WriteMetrics(d, y, predicted, weights);
  if (training) {
    UpdateWeights(d, loss);
    CountSteps(d);
  }
  return Finish(d);
}

absl::StatusOr<std::vector<CallTypes>> InferTypes(const ModelConfig& model, const std::vector<Type>& x,
                                                  const Expansions& embedded, size_t* failed) {
  ProgramDraft d{model, embedded, /*training=*/false, /*has_loss=*/false};
  std::vector<CallTypes> types;
  Values inputs;
  for (size_t i = 0; i < x.size(); ++i) inputs.push_back(d.b.Input(std::to_string(i), x[i]));
  WriteForward(d, inputs, &types, failed);
  if (!d.b.status().ok()) return d.b.status();
  return types;
}

}  // namespace fusebox
