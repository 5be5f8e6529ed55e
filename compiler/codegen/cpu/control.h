// SPDX-License-Identifier: Apache-2.0
// Branches and loops: all threads go through them together, and run a region's phases as they run the program's. A region
// finds its arrays as the program does, through a table of ports; each thread has tables of its own, so that carries and
// entries of sequences change places without being copied.
#pragma once
#include <functional>
#include <vector>

#include "fusebox/compiler/codegen/point.h"

namespace fusebox::codegen {

struct ControlSite {
  const KernelContext& c;  // Of the program that the node is part of: run, first_row and batch.
  NodeId id;
  // One function a region, void(RunContext* of the region, RunContext* of the run, i64 thread, i64 threads, i64 batch).
  const std::vector<llvm::Function*>& regions;
  Value *root, *thread, *threads;
  std::function<void()> barrier;
};

// Emits, where the builder stands, what computes all results of the node.
void EmitControl(const ControlSite& site);

}  // namespace fusebox::codegen
