// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/programs/metrics.h"

#include <algorithm>

#include "fusebox/graph/status.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/expand/expand.h"
#include "fusebox/runtime/expand/item_function.h"
#include "fusebox/runtime/programs/ports.h"

namespace fusebox {
namespace {

bool IsTaken(const Graph& graph, const std::string& name) {
  return std::ranges::any_of(graph.outputs(), [&](const Graph::Output& output) {
    const std::vector<std::string> names = NamesOfElements(output.name, graph[output.value].type.shape);
    return output.name == name || std::ranges::find(names, name) != names.end();
  });
}

bool CheckMetricName(ProgramDraft& d, const std::string& name) {
  if (name.empty()) return d.Fail("a metric has an empty name").ok();
  if (name.find('/') != std::string::npos) {
    return d.Fail(fmt::format("metric '{}': a metric's name may have no '/'", name)).ok();
  }
  if (!IsTaken(d.b.graph(), name)) return true;
  return d.Fail(fmt::format("metric '{}' is given twice", name)).ok();
}

bool IsNumberOrNumbers(const Value& result) {
  return result.dtype() == FB_F32 && (result.rank() == 0 || (result.rank() == 1 && result.dim(0) > 0));
}

}  // namespace

void WriteMetrics(ProgramDraft& d, const Values& y_true, const Values& y_pred, const Values& weights) {
  const HostBuilder::Scope scope(d.b, "metrics");
  const std::vector<OutputLoss> outputs = LossesOf(d.model);
  size_t target = 0;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!NeedsTarget(outputs[i])) continue;
    const Value y = y_true[target], weight = weights[target];
    ++target;
    for (const auto& [metric, name, weighted] : LoggedMetrics(outputs[i], outputs.size())) {
      if (!CheckMetricName(d, name)) return;
      Values inputs = {y, y_pred[i]};
      if (weighted && weight.ok()) inputs.push_back(weight);
      if (d.masks[i] != 0) {
        d.b.masks.assign(inputs.size(), 0);
        d.b.masks[1] = d.masks[i];
      }
      const Value result = ExpandUse(d.b, {FB_METRIC, *metric, d.training}, inputs, name, d.embedded);
      if (!result.ok()) return;
      if (!IsNumberOrNumbers(result)) {
        d.Fail(fmt::format("metric {}: was to make its result, f32[] or f32[k], and made {}", metric->id,
                           ToString(result.type())));
      }
      for (const std::string& each : NamesOfElements(name, d.b.graph()[result.id].type.shape)) {
        if (!CheckMetricName(d, each)) return;
      }
      d.b.Output(name, result);
    }
  }
  for (const auto& [name, value] : d.added_metrics) {
    if (!CheckMetricName(d, name)) return;
    const HostBuilder::Scope inner(d.b, name);
    d.b.Output(name, RunningMean(d.b, value, d.b.Wrap(0)));
  }
}

}  // namespace fusebox
