// SPDX-License-Identifier: Apache-2.0
// Steps of any program on made-up data, for whoever wants to know how long its kernels take.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/compiler/compiler.h"
#include "fusebox/compiler/profile.h"
#include "fusebox/runtime/data/tensor.h"

namespace fusebox::tools {

// How many steps' batches fit into the memory that a run may take: ten at least.
int64_t StepsThatFit(const Executable& executable, int64_t batch);

class MadeUpRun {
 public:
  // Arrays for all ports, for at most so many steps of `batch` rows: small numbers, rows in an order that jumps, and class
  // 0 for every label. Error: they would take more memory than any machine can be expected to have; `who` says so.
  static absl::StatusOr<MadeUpRun> Make(const std::string& who, const Graph& program, const Executable& executable,
                                        int64_t batch, int64_t steps);

  // The program, or one that differs from it in its schedules alone, compiled with CompileOptions::profile; on as many
  // threads as the profile is for. States go on from what the last call left.
  void Steps(const Executable& executable, Profile& profile, int64_t steps);
  // All states as they were at the first.
  void Reset();

 private:
  MadeUpRun() = default;
  struct Free {
    void operator()(void* memory) const;
  };

  std::vector<Tensor> arrays_;  // By port.
  std::vector<Tensor> first_;   // Of states, their first values.
  std::vector<void*> ports_;
  std::unique_ptr<void, Free> arena_;
  int64_t arena_bytes_ = 0, batch_ = 0;
};

}  // namespace fusebox::tools
