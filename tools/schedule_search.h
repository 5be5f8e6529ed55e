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
  ProductSchedule model, best;  // Equal if nothing was faster.
  double model_seconds = 0, best_seconds = 0;
  double flops = 0;
  size_t tried = 0;  // How many schedules were.
};

struct ScheduleSearchOptions {
  int64_t batch_size = 1, threads = 1;
  double seconds = 1;                                     // To measure in each round, at least.
  std::function<void(const std::string&)> progress = {};  // Told once a round.
};

// The products are timed where they are, in the compiled program, with all that is fused to them, on made-up data, all
// products in the same runs. Each round compiles the program once for each variation of the schedules that were best so
// far, runs these programs by turns, and takes of each product the least of the turns' median times; the last one is the
// model's against the winners'. Errors: the program cannot be compiled, its data are too large, an interrupt.
absl::StatusOr<std::vector<SearchedProduct>> SearchSchedules(const Graph& program,
                                                             const ScheduleSearchOptions& options);

}  // namespace fusebox::tools
