// SPDX-License-Identifier: Apache-2.0
// Which kernel writes and which kernels read each value in memory, and in what order kernels have to run. The first
// part of a plan.
#pragma once
#include <cstddef>
#include <vector>

#include "fusebox/compiler/fuse/kernel.h"
#include "fusebox/compiler/fuse/precedence.h"

namespace fusebox {

struct Dependencies {
  static constexpr size_t kNone = size_t(-1);
  std::vector<size_t> maker;                 // By node: the kernel that stores it; kNone.
  std::vector<std::vector<size_t>> readers;  // By node: the kernels that read it from memory, ascending.
  std::vector<std::vector<NodeId>> reads;    // By kernel: what it reads from memory, ascending.
  Precedence order;                          // Each kernel after the makers of what it reads.
  // Updates of states that are written where the state lies: by node, its state; 0 for all other nodes. The kernel that
  // makes one also comes after all kernels that read the state's old value.
  std::vector<NodeId> updates_in_place;
};

// Linear in the program. Checks that kernels do not need each other in a circle.
Dependencies FindDependencies(const FusedProgram& program);

// Whether the kernel, which makes `value`, may write it over `old`: of `old` it reads nothing but the element that it
// is about to write.
bool ReadsOnlyOwnElement(const Graph& graph, const Kernel& kernel, NodeId value, NodeId old);

}  // namespace fusebox
