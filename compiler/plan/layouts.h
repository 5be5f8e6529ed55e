// SPDX-License-Identifier: Apache-2.0
// Chooses which matrices lie padded or in panels (matrix_layout.h) in the arena.
//
// States that some product reads as B are kept in panels while steps run: packed before the first step of a run and, if
// the steps change them, unpacked after the last.
#pragma once
#include <cstdint>
#include <vector>

#include "fusebox/compiler/fuse/kernel.h"

namespace fusebox {

// For each node the kernels that read it from memory: Dependencies::readers of plan/dependencies.h.
using ReadersByNode = std::vector<std::vector<size_t>>;

// The states worth packing: matrices of f32, of `least_bytes` or more, that some product reads as B. All their readers
// must be able to follow the layout: products, elementwise members of the kernels that make a matrix or its rows,
// transposes. After these, states of the same shape that only products with such a B read: slots of optimizers.
std::vector<NodeId> StatesForPanels(const FusedProgram& program, const ReadersByNode& readers, int64_t least_bytes);

// The stored matrices of f32 whose rows should begin a cache line. All kernels that write or read them can follow that.
std::vector<NodeId> ValuesToPad(const FusedProgram& program, const ReadersByNode& readers);

}  // namespace fusebox
