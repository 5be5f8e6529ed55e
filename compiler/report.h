// SPDX-License-Identifier: Apache-2.0
// What a compilation found out about the program: for people, tests and `fusebox explain`.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fusebox/compiler/pass_report.h"
#include "fusebox/compiler/schedule/product_schedule.h"

namespace fusebox {

struct KernelReport {
  std::string name;  // "dense/matmul+add+max"
  std::string kind;  // A KernelKind's name: "matmul", "rows", ..., "control"; see fuse/kernel.h.
  std::vector<std::string> operations;
  std::string shape;  // Of the iteration space.
  std::string tile;
  std::optional<ScheduledProduct> product;  // Of kind "matmul".
  double flops = 0, bytes = 0;              // At full batch.
};

struct CompileReport {
  std::vector<PassReport> passes;
  std::vector<KernelReport> kernels;
  std::vector<std::string> unfused;  // One line an edge: "%12 -> %17: why".
  int64_t barriers = 0;              // A step.
  int64_t arena_bytes = 0;
  int64_t packed_bytes = 0;        // The part of the arena that holds states in panels: see matrix_layout.h.
  int64_t intermediate_bytes = 0;  // The sum of all intermediates, if each had its own buffer.
  int64_t unfused_bytes = 0;       // Likewise of all ops' results, if nothing were fused.
  int64_t ir_instructions = 0;     // LLVM instructions as emitted: compiling them takes most of the time.
  bool cache_hit = false;          // The native code was found on disk.
  double milliseconds = 0;
};

}  // namespace fusebox
