// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/programs/program_memo.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

// Three kinds, each for the usual types of data and for those at hand; and some more for a class that sees several
// shapes.
constexpr size_t kMostPrograms = 8;

}  // namespace

absl::StatusOr<std::shared_ptr<const Graph>> ProgramMemo::Get(ProgramKind kind, const ModelConfig& model,
                                                              const BatchTypes& types, const Expansions& embedded) {
  // A prediction reads x alone.
  const BatchTypes read = kind == ProgramKind::kPrediction ? BatchTypes{.x = types.x, .y = {}} : types;
  // Which layers are one layer at several places is no part of the comparison of descriptions.
  const std::map<std::string, std::string> shared = SharedPaths(model);
  const auto known = std::ranges::find_if(entries_, [&](const Entry& entry) {
    return entry.kind == kind && entry.types == read && entry.model == model && SharedPaths(entry.model) == shared &&
           entry.embedded == embedded;
  });
  if (known != entries_.end()) {
    std::rotate(known, known + 1, entries_.end());
    return entries_.back().program;
  }
  ++built_;
  FUSEBOX_ASSIGN_OR_RETURN(Graph program, BuildProgram(kind, model, read, embedded));
  if (entries_.size() == kMostPrograms) entries_.erase(entries_.begin());
  entries_.push_back({kind, model, read, embedded, std::make_shared<const Graph>(std::move(program))});
  return entries_.back().program;
}

}  // namespace fusebox
