// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/plugins/kept_symbols.h"

#include <algorithm>
#include <ranges>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/json_text.h"
#include "fusebox/runtime/plugins/items.h"

namespace fusebox {
namespace {

constexpr char kKey[] = "expansions";

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

// What y and samples' weights may be besides the usual. A function may refuse them: then it has no symbols for them.
std::vector<BatchTypes> OtherData(const Model::Impl& model, const BatchTypes& usual) {
  std::vector<BatchTypes> all;
  const std::vector<size_t> targets = TargetOutputs(model.config);
  const Type weight{DType::kF32, {kBatch}};
  BatchTypes weighted = usual;
  weighted.weights = {weight};
  all.push_back(weighted);
  for (size_t i = 0; i < targets.size(); ++i) {
    const Shape& output = model.OutputTypes()[targets[i]].shape;
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

Expansions CollectExpansions(const Model::Impl& model) {
  if (!model.HasInput() || !UsesOthersItems(model.config)) return model.embedded;
  ExpansionRecorder recorder;
  recorder.expansions = model.embedded;
  model.program_memo.Clear();  // What is recorded is written when a program is built.
  const BatchTypes usual = model.UsualData();
  (void)model.Program(ProgramKind::kPrediction, usual);
  if (!model.config.compile) return std::move(recorder.expansions);
  for (const ProgramKind kind : {ProgramKind::kEvaluation, ProgramKind::kTraining}) (void)model.Program(kind, usual);
  if (!UsesFunctions(model.config)) return std::move(recorder.expansions);
  for (const BatchTypes& data : OtherData(model, usual)) (void)model.Program(ProgramKind::kEvaluation, data);
  return std::move(recorder.expansions);
}

std::string WithExpansions(const std::string& json, const Expansions& expansions) {
  if (expansions.texts.empty()) return json;
  Json object = Json::parse(json);
  object[kKey] = expansions.texts;
  return JsonText(object);
}

absl::StatusOr<Expansions> ExpansionsIn(std::string_view json, const std::string& who) {
  Expansions expansions;
  FUSEBOX_ASSIGN_OR_RETURN(const Json object, ParseJson(json, who));
  for (const auto& [key, text] : Member(object, kKey).items()) {
    if (!text.is_string()) return Refuse("{}: the symbols of '{}' are no text", who, key);
    expansions.texts[key] = text.get<std::string>();
  }
  return expansions;
}

void WriteExpansions(const Expansions& expansions, Graph& program) {
  if (!expansions.texts.empty()) program.metadata[kKey] = WithExpansions("{}", expansions);
}

absl::StatusOr<Expansions> ReadExpansions(const Graph& program) {
  const auto fact = program.metadata.find(kKey);
  if (fact == program.metadata.end()) return Expansions();
  return ExpansionsIn(fact->second, "program: expansions");
}

bool UsesOthersItems(const ModelConfig& model) {
  return std::ranges::any_of(ItemsOf(model), [](const ItemSpec* item) { return IsOthers(*item); });
}

bool UsesFunctions(const ModelConfig& model) {
  return std::ranges::any_of(ItemsOf(model), [](const ItemSpec* item) { return IsFunction(*item); });
}

}  // namespace fusebox
