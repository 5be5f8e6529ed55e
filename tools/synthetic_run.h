// SPDX-License-Identifier: Apache-2.0
// Runs steps of any program on synthetic data, to measure how long its kernels take.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/compiler/compiler.h"
#include "fusebox/compiler/profile.h"
#include "fusebox/runtime/data/tensor.h"

namespace fusebox::tools {

// The number of steps whose batches fit into the memory that a run may take: at least ten.
int64_t StepsThatFit(const Executable& executable, int64_t batch);

class SyntheticRun {
 public:
  // Makes arrays for all ports, for at most this many steps of `batch` rows: small numbers, rows in a non-sequential
  // order, and class 0 for every label. Error: they would take more memory than a machine can be expected to have; the
  // message starts with `who`.
  static absl::StatusOr<SyntheticRun> Make(const std::string& who, const Graph& program, const Executable& executable,
                                           int64_t batch, int64_t steps);

  // Runs the program, or one that differs only in its schedules, compiled with CompileOptions::profile; on as many
  // threads as the profile is for. States continue from the previous call.
  void Steps(const Executable& executable, Profile& profile, int64_t steps);
  // Resets all states to their initial values.
  void Reset();

 private:
  SyntheticRun() = default;
  struct Free {
    void operator()(void* memory) const;
  };

  std::vector<Tensor> arrays_;  // By port.
  std::vector<Tensor> first_;   // Initial values of states.
  std::vector<void*> ports_;
  std::unique_ptr<void, Free> arena_;
  int64_t arena_bytes_ = 0, batch_ = 0;
};

}  // namespace fusebox::tools
