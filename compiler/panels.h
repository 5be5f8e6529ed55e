// SPDX-License-Identifier: Apache-2.0
// The packed layout of matrices: panels of kPanel columns, each stored row after row, the last one padded with zeros.
//
//     W [rows, cols]     element (r, c) at  ((c / 16) * rows + r) * 16 + c % 16
//
// A product reads B panel by panel; packed, that is one stream of whole cache lines, while row-major it is a line or two
// of every row, far apart. So states that are such an operand are kept in panels while steps run: they are packed before
// the first step of a run and, if the steps change them, unpacked after the last. The ports' arrays, which is all that
// the caller sees, are row-major always.
#pragma once
#include <cstdint>
#include <vector>

#include "fusebox/compiler/kernel.h"

namespace fusebox {

// Columns of a panel: a cache line of f32. The same for every vector width, so that a tile is some whole panels.
inline constexpr int64_t kPanel = 16;

// The states worth packing: matrices of f32, of `least_bytes` or more, that some product reads as B, if all that read
// them can follow the layout: products, elementwise members of the kernels that make a matrix or its rows, and
// transposes.
std::vector<NodeId> StatesForPanels(const Graph& graph, const std::vector<Kernel>& kernels, int64_t least_bytes);

// Elements of the packed form, padding included.
int64_t PanelElements(const Shape& shape);

}  // namespace fusebox
