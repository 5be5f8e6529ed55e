// SPDX-License-Identifier: Apache-2.0
// Memory layouts of matrices in the arena. Arrays at ports, which is all that the caller sees, are always row-major and
// exact.
//
//     kExact    element (r, c) at  r * cols + c
//     kPadded   row-major, but each row begins a cache line:  r * RoundUp(cols, 16) + c
//     kPanels   panels of 16 columns, each stored row after row:  ((c / 16) * rows + r) * 16 + c % 16
//
// Vectors of a padded row never cross a cache line, and what lies behind the last column belongs to the row, so nothing
// there needs a mask. A product reads B panel by panel; packed, that is one stream of whole cache lines, while
// row-major it is a line or two of every row, far apart. plan/layouts.h chooses which matrices lie how.
#pragma once
#include <cstdint>

#include "fusebox/graph/type.h"

namespace fusebox {

enum class Layout : uint8_t { kExact, kPadded, kPanels };

// Columns of a panel: a cache line of f32. The same for every vector width, so that a tile is a whole number of panels.
inline constexpr int64_t kPanel = 16;

inline int64_t RoundUpToPanel(int64_t columns) { return (columns + kPanel - 1) / kPanel * kPanel; }

// Elements that a value takes in a layout, padding included; N is `batch`.
inline int64_t NumElements(const Shape& shape, int64_t batch, Layout layout) {
  if (layout == Layout::kExact) return NumElements(shape, batch);
  return Resolve(shape[0], batch) * RoundUpToPanel(shape[1]);
}

// The distance in elements from one row of a matrix with `columns` columns to the next.
inline int64_t RowStride(int64_t columns, Layout layout) {
  return layout == Layout::kPadded ? RoundUpToPanel(columns) : columns;
}

}  // namespace fusebox
