// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/model/functional.h"

#include <utility>

#include "fusebox/graph/check.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/model/model_impl.h"

namespace fusebox {

void Functional::Declare(Declaration declared, const std::source_location& where) {
  declared_ = std::move(declared);
  declared_at_ = where;
  const auto fail = [&](const std::string& message) {
    model_.status = Refuse("{}model '{}': {}", LineOf(where), model_.config.name, message);
  };
  if (declared_.inputs.empty()) return fail("it needs an input");
  if (declared_.outputs.empty()) return fail("it needs an output");
  absl::StatusOr<Described> described = Describe(declared_, nullptr, model_.embedded);
  if (!described.ok()) {
    // An error of a layer already names the layer; other errors get the model's name.
    const bool whole = absl::IsInvalidArgument(described.status());
    return whole ? fail(Message(described.status())) : void(model_.status = Refuse("{}", Message(described.status())));
  }
  std::optional<CompileConfig> compile = std::move(model_.config.compile);
  std::string name = std::move(model_.config.name);
  model_.config = std::move(described->config);
  model_.config.name = std::move(name);
  model_.config.compile = std::move(compile);
  SortLayers(model_.config);
  const std::optional<std::vector<size_t>> before = SortCalls(model_.config);
  Check(before.has_value(), "calls that wait for each other");
  std::vector<std::string> sorted_lines;
  for (const size_t call : *before) sorted_lines.push_back(described->lines[call]);
  model_.outputs.clear();
  model_.InferOutputs(sorted_lines);
}

bool Functional::AddToDeclaration(const std::function<void(Declaration&)>& add) {
  // A model from a file has calls, but no symbolic values that they were declared with.
  if (declared_.outputs.empty()) return !model_.status.ok();
  if (!model_.status.ok()) return true;
  Declaration more = declared_;
  add(more);
  Declare(std::move(more), declared_at_);
  model_.DropPrograms();
  return true;
}

}  // namespace fusebox
