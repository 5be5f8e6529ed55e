// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "absl/status/statusor.h"
#include "fusebox/compiler/passes/pass.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

// Puts a copy wherever a value needs memory that it would not have:
//   - constants and sizes that a product, a reduction or a movement reads: these kernels load operands from memory;
//   - outputs and updates whose value is an input, a state or a constant, or is also the value of another output or
//     update: each of them writes an array of its own.
//
//     %0 = add %w, %x             becomes     %0 = add %w, %x
//     return %0                               %1 = copy %0
//     %w <- %0                                return %1
//                                             %w <- %0
//
// Comes last in the pipeline: simplify folds a copy of a constant, and cse merges two copies of one value. Fusion makes
// a copy part of the kernel that computes its operand, or reads it, so that it costs no more than a store. Values are
// unchanged. Linear in the number of nodes.
absl::StatusOr<Graph> OwnMemory(const Graph& graph);
inline constexpr GraphPass kOwnMemoryPass = {"own_memory", "copies values that need memory and have none of their own",
                                             OwnMemory};

}  // namespace fusebox
