// SPDX-License-Identifier: Apache-2.0
// Runs compiled programs on the reference evaluator's bindings, with every array ending at an inaccessible page.
#pragma once
#include "absl/status/statusor.h"
#include "fusebox/compiler/compiler.h"
#include "fusebox/graph/evaluate.h"

namespace fusebox::testing {

// The targets whose code runs here, for CompileOptions::target_cpu: for x86-64 the four levels of its ABI, the lowest
// first, and "native".
const std::vector<std::string>& RunnableTargets();

struct JitOptions {
  int threads = 1;
  int64_t row_capacity = 0;  // 0: the bindings' batch.
  CompileOptions compile = {};
};

// Compiles the program and runs one step of bindings.batch rows.
absl::StatusOr<Evaluation> RunJit(const Graph& program, const Bindings& bindings, const JitOptions& options = {});

// The same for a program that is compiled already.
absl::StatusOr<Evaluation> RunStep(const Executable& program, const Bindings& bindings, int threads);

}  // namespace fusebox::testing
