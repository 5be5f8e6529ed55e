// SPDX-License-Identifier: Apache-2.0
// Who writes and who reads each value in memory, and which kernels have to run before which. The first part of a plan.
#pragma once
#include <cstddef>
#include <vector>

#include "fusebox/compiler/fuse/kernel.h"
#include "fusebox/compiler/plan/precedence.h"

namespace fusebox {

struct Dependencies {
  static constexpr size_t kNone = size_t(-1);
  std::vector<size_t> maker;                 // By node: the kernel that stores it; kNone.
  std::vector<std::vector<size_t>> readers;  // By node: the kernels that read it from memory, ascending.
  std::vector<std::vector<NodeId>> reads;    // By kernel: what it reads from memory, ascending.
  Precedence order;                          // Each kernel after the makers of what it reads.
  // Updates of states that are written where the state lies: each kernel that makes one is also after all that read the
  // state's old value. By node: the state, 0 for what is no such update.
  std::vector<NodeId> updates_in_place;
};

// Linear in the program. Checks that it has no circle.
Dependencies FindDependencies(const FusedProgram& program);

// Whether kernel `kernel`, which makes `value`, may write it over `old`: it reads nothing of `old` but the element that it
// is about to write.
bool ReadsOnlyOwnElement(const Graph& graph, const Kernel& kernel, NodeId value, NodeId old);

}  // namespace fusebox
