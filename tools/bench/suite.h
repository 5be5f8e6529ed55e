// SPDX-License-Identifier: Apache-2.0
// bench/ holds the benchmarks of `fusebox bench`, one file per group. It sees tools/, runtime/, compiler/ and graph/.
// They need only the installed library: they use synthetic data, as no time depends on the values, and declare their
// models here.
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
  // The timed run. An error ends the command.
  using Run = std::function<absl::Status()>;

  std::string name;      // "train mlp, batch 32"
  double flops = 0;      // Of one run; 0 if not meaningful.
  bool threaded = true;  // Runs with a given number of threads; otherwise it is measured once.
  // Prepares the run, for this number of threads.
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

// Floating-point operations of fully connected layers on one row: 2 per weight forward, and 4 more in training, except
// for the gradient of the input, which is not needed.
double ForwardFlops(const std::vector<int64_t>& widths);
double TrainingFlops(const std::vector<int64_t>& widths);

}  // namespace fusebox::tools
