// SPDX-License-Identifier: Apache-2.0
// The register tile of a matrix product: what fits into the machine's registers and wastes least.
#pragma once
#include "fusebox/compiler/codegen/ir.h"

namespace fusebox::codegen {

inline int64_t CeilDiv(int64_t x, int64_t by) { return (x + by - 1) / by; }

// A tile of `rows` x `vectors` accumulators. The row tiles are nearly equal: `tall` of them have this height, the other
// `row_tiles - tall` one row less.
struct Tiling {
  int64_t rows = 1, vectors = 1;
  int64_t row_tiles = 0, tall = 0;
  int64_t lanes = 1;  // Of a vector.
  int64_t panel() const { return vectors * lanes; }
};

// The cheapest tile for a product of m x n elements that fits into the registers beside one row of B and one broadcast
// element of A. Where a matrix that the kernel reads or writes lies in panels, a
// tile is as wide as some of them.
Tiling ChooseTiling(const Target& target, DType dtype, int64_t m, int64_t n, bool panels);

}  // namespace fusebox::codegen
