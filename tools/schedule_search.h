// SPDX-License-Identifier: Apache-2.0
// Finds fast schedules for the matrix products of a program by the clock: see compiler/schedule/product_schedule.h.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/compiler/schedule/product_schedule.h"
#include "fusebox/graph/graph.h"

namespace fusebox::tools {

struct SearchedProduct {
  ProductShape shape;
  ProductSchedule model, best;  // Equal if no other schedule was faster.
  double model_seconds = 0, best_seconds = 0;
  double flops = 0;
  size_t tried = 0;  // Number of schedules tried.
};

struct ScheduleSearchOptions {
  int64_t batch_size = 1, threads = 1;
  double seconds = 1;                                     // Minimum time of measuring in each round.
  std::function<void(const std::string&)> progress = {};  // Called once per round.
};

// Times the products in place, in the compiled program, with everything that is fused to them, on synthetic data, all
// products in the same runs. Each round compiles the program once for each variation of the best schedules so far, runs
// these programs in turn, and takes for each product the minimum of the turns' median times. The last round compares
// the model's schedules with the winners. Errors: the program cannot be compiled, its data are too large, an interrupt.
absl::StatusOr<std::vector<SearchedProduct>> SearchSchedules(const Graph& program,
                                                             const ScheduleSearchOptions& options);

}  // namespace fusebox::tools
