// SPDX-License-Identifier: Apache-2.0
// A compiled program on arrays of its own, for benchmarks. An error ends the benchmark.
#pragma once
#include <string_view>

#include "tests/benchmarks/workload.h"
#include "tools/bench/bare_program.h"

namespace fusebox::benchmarks {

class BareProgram {
 public:
  // Compiles for batches of `rows`.
  BareProgram(const Graph& program, int64_t rows) : program_(OrDie(tools::BareProgram::Make(program, rows))) {}

  std::span<float> Array(Port::Kind kind, std::string_view name) { return OrDie(program_.Array(kind, name)); }
  // Runs one step. Weights keep their initial values.
  void Run(int64_t threads) { program_.Run(threads); }

 private:
  tools::BareProgram program_;
};

}  // namespace fusebox::benchmarks
