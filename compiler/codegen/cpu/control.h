// SPDX-License-Identifier: Apache-2.0
// Branches and loops. All threads go through them together and run a region's phases as they run the program's. A
// region finds its arrays through a table of ports, as the program does. Each thread has its own tables, so that
// carries and entries of sequences change places without being copied.
#pragma once
#include <functional>
#include <vector>

#include "fusebox/compiler/codegen/kernel_context.h"

namespace fusebox::codegen {

struct ControlSite {
  const KernelContext& c;  // Of the program that the node is part of; run, first_row and batch are set.
  NodeId id;
  // A function for each region: void(RunContext* of the region, RunContext* of the run, i64 thread, i64 threads, i64
  // batch).
  const std::vector<llvm::Function*>& regions;
  Value *root, *thread, *threads;
  std::function<void()> barrier;
};

// Emits code that computes all results of the node, where the builder stands.
void EmitControl(const ControlSite& site);

}  // namespace fusebox::codegen
