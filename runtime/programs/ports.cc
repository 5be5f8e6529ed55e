// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/programs/ports.h"

#include <algorithm>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/describe/item_names.h"

namespace fusebox {

bool NeedsTarget(const OutputLoss& output) {
  return output.HasLoss() || !output.metrics.empty() || !output.weighted_metrics.empty();
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

std::vector<std::string> NamesOfElements(const std::string& name, const Shape& shape) {
  if (shape.empty()) return {name};
  std::vector<std::string> names;
  for (int64_t i = 0; i < shape[0]; ++i) names.push_back(fmt::format("{}_{}", name, i));
  return names;
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

}  // namespace fusebox
