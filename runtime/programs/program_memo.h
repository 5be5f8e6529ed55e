// SPDX-License-Identifier: Apache-2.0
// Keeps the programs of a model as symbols, so that Compile, Fit and Evaluate build each of them once.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"
#include "fusebox/runtime/describe/model_config.h"
#include "fusebox/runtime/expand/kept_symbols.h"
#include "fusebox/runtime/programs/program.h"

namespace fusebox {

// One model's; used by one thread at a time, as the model is. Entries are compared with the whole description that they
// were built from, so a model that changes its layers or its compile settings need not say so.
class ProgramMemo {
 public:
  // What BuildProgram gives. Errors are BuildProgram's and are not kept.
  absl::StatusOr<std::shared_ptr<const Graph>> Get(ProgramKind kind, const ModelConfig& model, const BatchTypes& types,
                                                   const Expansions& embedded);
  // Forgets all programs: a user's function among the items may write something else when the model is compiled again,
  // and an ExpansionRecorder sees only what is built.
  void Clear() { entries_.clear(); }
  int64_t built() const { return built_; }  // How often BuildProgram was called.

 private:
  struct Entry {
    ProgramKind kind;
    ModelConfig model;
    BatchTypes types;
    Expansions embedded;
    std::shared_ptr<const Graph> program;
  };
  std::vector<Entry> entries_;  // The one used last comes last.
  int64_t built_ = 0;
};

}  // namespace fusebox
