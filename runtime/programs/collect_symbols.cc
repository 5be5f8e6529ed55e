// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/programs/collect_symbols.h"

#include <algorithm>
#include <string>
#include <utility>

namespace fusebox {
namespace {

std::vector<const ItemSpec*> ItemsOf(const ModelConfig& model) {
  std::vector<const ItemSpec*> items;
  for (const LeafLayer& leaf : LeafLayers(model)) items.push_back(&leaf.layer->item);
  if (!model.compile) return items;
  const auto add = [&](const ItemSpec& loss, const std::vector<ItemSpec>& metrics, const std::vector<ItemSpec>& more) {
    if (!loss.id.empty()) items.push_back(&loss);
    for (const ItemSpec& metric : metrics) items.push_back(&metric);
    for (const ItemSpec& metric : more) items.push_back(&metric);
  };
  const CompileConfig& compile = *model.compile;
  items.push_back(&compile.optimizer);
  add(compile.loss, compile.metrics, compile.weighted_metrics);
  for (const OutputLoss& output : compile.outputs) add(output.loss, output.metrics, output.weighted_metrics);
  return items;
}

bool IsOthers(const ItemSpec& item) {
  const auto names_another = [](const auto& attribute) {
    const std::string* const text = std::get_if<std::string>(&attribute.second);
    return text != nullptr && text->find('/') != std::string::npos;
  };
  return !item.id.starts_with("fusebox/") || std::ranges::any_of(item.attributes, names_another);
}

// Other types that y and samples' weights may have. A function may refuse them and then has no symbols for them.
std::vector<BatchTypes> OtherData(const ModelConfig& model, const std::vector<Type>& outputs, const BatchTypes& usual) {
  std::vector<BatchTypes> all;
  const std::vector<size_t> targets = TargetOutputs(model);
  const Type weight{DType::kF32, {kBatch}};
  BatchTypes weighted = usual;
  weighted.weights = {weight};
  all.push_back(weighted);
  for (size_t i = 0; i < targets.size(); ++i) {
    const Shape& output = outputs[targets[i]].shape;
    if (output.size() > 2) {
      BatchTypes of_steps = usual;
      of_steps.weights.assign(targets.size(), targets.size() == 1 ? weight : Type());
      of_steps.weights[i] = {DType::kF32, {output[0], output[1]}};
      all.push_back(std::move(of_steps));
    }
    if (output.size() < 2 || usual.y[i].shape != output) continue;
    for (BatchTypes classes : {usual, weighted}) {
      classes.y[i].shape.pop_back();
      all.push_back(std::move(classes));
    }
  }
  return all;
}

}  // namespace

Expansions CollectExpansions(const ModelConfig& model, const std::vector<Type>& outputs, const BatchTypes& usual,
                             const Expansions& kept,
                             const std::function<absl::StatusOr<Graph>(ProgramKind, const BatchTypes&)>& build) {
  if (!UsesOthersItems(model)) return kept;
  ExpansionRecorder recorder;
  recorder.expansions = kept;
  (void)build(ProgramKind::kPrediction, usual);
  if (!model.compile) return std::move(recorder.expansions);
  for (const ProgramKind kind : {ProgramKind::kEvaluation, ProgramKind::kTraining}) (void)build(kind, usual);
  if (!UsesFunctions(model)) return std::move(recorder.expansions);
  for (const BatchTypes& data : OtherData(model, outputs, usual)) (void)build(ProgramKind::kEvaluation, data);
  return std::move(recorder.expansions);
}

bool UsesOthersItems(const ModelConfig& model) {
  return std::ranges::any_of(ItemsOf(model), [](const ItemSpec* item) { return IsOthers(*item); });
}

bool UsesFunctions(const ModelConfig& model) {
  return std::ranges::any_of(ItemsOf(model), [](const ItemSpec* item) { return IsFunction(*item); });
}

}  // namespace fusebox
