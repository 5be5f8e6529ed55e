// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/model/port_data.h"

#include <algorithm>

#include "fusebox/graph/status.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/data/labels.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/model/model_impl.h"
#include "fusebox/runtime/plugins/item_flags.h"

namespace fusebox {
namespace {

Shape ShapeOf(const Tensor& tensor) { return {tensor.shape().begin(), tensor.shape().end()}; }

absl::Status CheckInput(const Model::Impl& model, size_t input, const Tensor& x) {
  const InputConfig& expected = model.config.inputs[input];
  const Shape got(x.shape().begin(), x.shape().end());
  if (!got.empty() && Shape(got.begin() + 1, got.end()) == expected.shape) return absl::OkStatus();
  return Refuse("{} expects x of shape {}, got {}", model.form->Expects(expected),
                ToString(BatchType(expected.dtype, expected.shape).shape), x.empty() ? "nothing" : ToString(got));
}

// One array for each of TargetOutputs. Arrays for all outputs may also be given, in order. `alias` is another name that
// a single array may have.
absl::StatusOr<std::vector<Tensor>> ForTargets(const Model::Impl& model, const Arrays& arrays, std::string_view alias) {
  const std::vector<std::string> names = OutputNames(model.config);
  const std::vector<size_t> targets = TargetOutputs(model.config);
  const bool of_all = arrays.size() == names.size() && (arrays.size() == 0 || arrays.named()[0].name.empty());
  std::vector<std::string> wanted;
  for (const size_t target : targets) wanted.push_back(names[target]);
  FUSEBOX_ASSIGN_OR_RETURN(std::vector<Tensor> found,
                           arrays.InOrder(of_all ? names : wanted, model.config.name, "output", alias));
  if (!of_all) return found;
  std::vector<Tensor> of_targets;
  for (const size_t target : targets) of_targets.push_back(std::move(found[target]));
  return of_targets;
}

}  // namespace

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

absl::StatusOr<std::vector<Tensor>> TakeInputs(const Model::Impl& model, const Arrays& x) {
  const std::vector<std::string> names = InputNames(model.config);
  FUSEBOX_ASSIGN_OR_RETURN(std::vector<Tensor> ordered, x.InOrder(names, model.config.name, "input", "x"));
  for (size_t i = 0; i < ordered.size(); ++i) {
    FUSEBOX_RETURN_IF_ERROR(CheckInput(model, i, ordered[i]));
    if (ordered[i].rows() != ordered[0].rows()) {
      return Refuse("x '{}' has {} samples, x '{}' has {}", names[0], ordered[0].rows(), names[i], ordered[i].rows());
    }
  }
  return ordered;
}

absl::StatusOr<PortData> TakeData(const Model::Impl& model, const Arrays& x, const Arrays& y, std::string_view prefix) {
  const auto in_context = [&](const absl::Status& s) { return Refuse("{}{}", prefix, Message(s)); };
  PortData data;
  absl::StatusOr<std::vector<Tensor>> inputs = TakeInputs(model, x);
  if (!inputs.ok()) return in_context(inputs.status());
  data.x = *std::move(inputs);
  absl::StatusOr<std::vector<Tensor>> found = ForTargets(model, y, "y");
  if (!found.ok()) return in_context(found.status());
  data.y = *std::move(found);
  const std::vector<std::string> names = OutputNames(model.config);
  const std::vector<size_t> targets = TargetOutputs(model.config);
  const std::vector<OutputLoss> losses = LossesOf(model.config);
  for (size_t i = 0; i < targets.size(); ++i) {
    const size_t target = targets[i];
    const Tensor& labels = data.y[i];
    const std::string who = names.size() > 1 ? fmt::format("y '{}'", names[target]) : "y";
    if (labels.rank() < 1 || labels.rows() != data.rows()) {
      return Refuse("{}x has {} samples, {} has {}", prefix, data.rows(), who, labels.rank() < 1 ? 0 : labels.rows());
    }
    const ItemSpec& loss = losses[target].loss;
    const Shape& output = model.OutputTypes()[target].shape;
    // Building the program reports shapes that do not fit.
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

absl::Status TakeWeights(const Model::Impl& model, const Arrays& sample_weight, const ClassWeights& class_weight,
                         PortData& data) {
  const bool given = std::ranges::any_of(sample_weight.named(), [](const NamedTensor& w) { return !w.value.empty(); });
  if (given && !class_weight.empty()) return Refuse("sample_weight and class_weight are both given");
  const std::vector<size_t> targets = TargetOutputs(model.config);
  if (!class_weight.empty()) {
    if (targets.size() != 1) {
      return Refuse("class_weight: model '{}' has {} outputs to learn, expected one", model.config.name,
                    targets.size());
    }
    const Type& output = model.OutputTypes()[targets[0]];
    FUSEBOX_ASSIGN_OR_RETURN(Tensor weights,
                             WeightsByClass(class_weight, data.y[0], output.rank() > 1 ? output.shape.back() : 1));
    data.weights = {std::move(weights)};
    return absl::OkStatus();
  }
  if (!given) return absl::OkStatus();
  const std::string who = "sample_weight";
  if (targets.size() > 1 && sample_weight.size() == 1 && sample_weight.named()[0].name.empty()) {
    // One array serves all outputs, so it cannot have weights for the steps of one of them.
    FUSEBOX_ASSIGN_OR_RETURN(Tensor weights, SampleWeights(sample_weight[0], data.rows(), {kBatch}, who));
    data.weights = {std::move(weights)};
    return absl::OkStatus();
  }
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<Tensor> found, ForTargets(model, sample_weight, who));
  const std::vector<std::string> names = OutputNames(model.config);
  for (size_t i = 0; i < targets.size(); ++i) {
    Tensor& weights = data.weights.emplace_back();
    if (found[i].empty()) continue;
    FUSEBOX_ASSIGN_OR_RETURN(weights,
                             SampleWeights(found[i], data.rows(), model.OutputTypes()[targets[i]].shape,
                                           names.size() > 1 ? fmt::format("{} '{}'", who, names[targets[i]]) : who));
  }
  return absl::OkStatus();
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

}  // namespace fusebox
