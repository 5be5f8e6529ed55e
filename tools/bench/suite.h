// SPDX-License-Identifier: Apache-2.0
// The benchmarks of `fusebox bench`. They need nothing but the installed library: data are made up, as no time depends on
// what is in them, and models are declared here. One file a part.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"
#include "tools/command.h"

namespace fusebox::tools {

// A program, and the greatest batch that it is compiled for.
struct BenchProgram {
  std::string name;
  Graph program;
  int64_t batch_size = 1;
};

struct Benchmark {
  // What is timed: a run. Its error ends the command.
  using Run = std::function<absl::Status()>;

  std::string name;      // "train mlp, batch 32"
  double flops = 0;      // Of one run; 0 if that says nothing.
  bool threaded = true;  // It takes as many threads as it is told; else it is measured once, as it is.
  // Whatever comes before the first run, on so many threads.
  std::function<absl::StatusOr<Run>(int64_t threads)> prepare;
  // The program that it runs, if schedules that a search found may make a difference.
  std::function<absl::StatusOr<BenchProgram>()> program = {};
};

std::vector<Benchmark> TrainingBenchmarks();   // An epoch of Fit.
std::vector<Benchmark> InferenceBenchmarks();  // A call of Predict, and of the compiled program alone.
std::vector<Benchmark> ProductBenchmarks();    // A product of matrices.
std::vector<Benchmark> CompileBenchmarks();    // From symbols to native code, and the start of the command.

// `bench search-schedules`, which sets `action` when it is chosen.
CLI::App* AddSearchSchedules(CLI::App& bench, Action& action);
// The programs that it searches by default: those of the benchmarks above.
absl::StatusOr<std::vector<BenchProgram>> TrainingPrograms();
absl::StatusOr<std::vector<BenchProgram>> ProductPrograms();

// Floating-point operations of fully connected layers on one row: 2 a weight forward, and 4 more if they are trained, but
// for the input's gradient, which nobody needs.
double ForwardFlops(const std::vector<int64_t>& widths);
double TrainingFlops(const std::vector<int64_t>& widths);

}  // namespace fusebox::tools
