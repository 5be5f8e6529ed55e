// SPDX-License-Identifier: Apache-2.0
// How a long matrix product is cut, so that what its inner loops read lies in a near cache.
//
// Along k, so that each block adds its part to all sums, which lie in memory between blocks. That has two uses.
//   Many rows   A block's panel of B stays in the first-level cache while all rows go over it.
//   Few rows    B is read once, from far away. Of a block of a few rows of B each is read from end to end: so many
//               streams, which the processor foresees; panel by panel it would be a line of each row, pages apart.
// Along rows, so that those of A stay in the second-level cache while they go over all columns.
// Along columns, for few rows, so that their sums stay in the first-level cache.
// Nothing of this changes a result: each element's sum runs in ascending k still, rounded the same.
#pragma once
#include <cstdint>

#include "fusebox/compiler/layouts.h"

namespace fusebox {

struct Blocking {
  int64_t k = 0;        // Rows of B in a block. 0: all of them are one.
  int64_t rows = 0;     // Rows of A that go over all columns before the next. 0: all of them.
  int64_t columns = 0;  // Columns that are done before the next. 0: all of them.
};

// For an m x n product over k. `scattered_a`: A is the transposed of rows that lie here and there in a data set, so that
// each of its columns is read from as many places.
Blocking ChooseBlocking(int64_t m, int64_t n, int64_t k, Layout of_b, DType dtype, bool scattered_a = false);

// No register tile is wider.
inline constexpr int64_t kWidestTile = 8 * kPanel;

// The elements that a blocked product's sums take, whatever its tile.
int64_t PartialSums(int64_t m, int64_t n);

}  // namespace fusebox
