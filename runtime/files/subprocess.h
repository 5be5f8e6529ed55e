// SPDX-License-Identifier: Apache-2.0
// Runs another program to its end, without a shell.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace fusebox {

struct ProcessResult {
  int exit_code = 0;  // Valid if the program ended by itself.
  int signal = 0;     // The signal that ended it, else 0.
  std::string output;
  std::string errors;  // What it wrote to stderr, its first 64 KiB.
};

struct ProcessLimits {
  std::chrono::milliseconds time{60'000};
  uint64_t output_bytes = uint64_t{1} << 30;
  uint64_t memory_bytes = UINT64_MAX;  // Of address space, from the moment that the program has been started.
};

// Runs argv[0], looked up in PATH if it has no slash, with `input` on its stdin. It inherits no descriptor but 0, 1 and
// 2 and no signal mask. Errors: it can't be started (NotFound if there is no such program), it takes longer or writes
// more than allowed, and is killed.
absl::StatusOr<ProcessResult> RunProcess(const std::vector<std::string>& argv, std::string_view input,
                                         const ProcessLimits& limits);

}  // namespace fusebox
