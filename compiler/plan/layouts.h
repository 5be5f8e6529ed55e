// SPDX-License-Identifier: Apache-2.0
// How matrices lie in the arena. Ports' arrays, which is all that the caller sees, are row-major and exact always.
//
//     kExact    element (r, c) at  r * cols + c
//     kPadded   row-major, but each row begins a cache line:  r * RoundUp(cols, 16) + c
//     kPanels   panels of 16 columns, each stored row after row:  ((c / 16) * rows + r) * 16 + c % 16
//
// Vectors of a padded row never cross a cache line, and what lies behind the last column is the row's own, so nothing
// there need be masked. A product reads B panel by panel; packed, that is one stream of whole cache lines, while
// row-major it is a line or two of every row, far apart. So states that are such an operand are kept in panels while
// steps run: packed before the first step of a run and, if the steps change them, unpacked after the last.
#pragma once
#include <cstdint>
#include <vector>

#include "fusebox/compiler/fuse/kernel.h"

namespace fusebox {

enum class Layout : uint8_t { kExact, kPadded, kPanels };

// Columns of a panel: a cache line of f32. The same for every vector width, so that a tile is some whole panels.
inline constexpr int64_t kPanel = 16;

// For each node the kernels that read it from memory: Dependencies::readers of plan/dependencies.h.
using ReadersByNode = std::vector<std::vector<size_t>>;

// The states worth packing: matrices of f32, of `least_bytes` or more, that some product reads as B, if all that read
// them can follow the layout: products, elementwise members of the kernels that make a matrix or its rows, and
// transposes. Then the states of the same shape that only products which read these read, too: slots of optimizers.
std::vector<NodeId> StatesForPanels(const FusedProgram& program, const ReadersByNode& readers, int64_t least_bytes);

// The stored matrices of f32 whose rows should begin a cache line, if all that write and read them can follow.
std::vector<NodeId> ValuesToPad(const FusedProgram& program, const ReadersByNode& readers);

// Elements that a value takes in a layout, padding included; N is `batch`.
int64_t NumElements(const Shape& shape, int64_t batch, Layout layout);
// From one row of a matrix of so many columns to the next, in elements.
int64_t RowStride(int64_t columns, Layout layout);

}  // namespace fusebox
