// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/codegen/tiling.h"

#include <algorithm>
#include <limits>

#include "fusebox/compiler/blocking.h"

namespace fusebox::codegen {
namespace {

Tiling Cut(int64_t m, int64_t rows, int64_t vectors, int64_t lanes) {
  Tiling t{.rows = rows, .vectors = vectors, .lanes = lanes};
  t.row_tiles = CeilDiv(m, rows);
  if (t.row_tiles == 0) return t;
  t.rows = CeilDiv(m, t.row_tiles);
  t.tall = m - (t.rows - 1) * t.row_tiles;
  return t;
}

// Cycles for each k of all tiles: two multiply-adds and two loads a cycle, and five cycles until an accumulator can be
// used again (four, and one for a load that comes late).
double Cost(const Tiling& t, int64_t n) {
  const auto tile = [](int64_t rows, int64_t vectors) {
    return std::max({double(rows * vectors) / 2, double(rows + vectors) / 2, 5.0});
  };
  const int64_t panels = n / t.panel(), rest = CeilDiv(n % t.panel(), t.lanes);
  double cycles = 0;
  for (const auto& [rows, count] : {std::pair(t.rows, t.tall), std::pair(t.rows - 1, t.row_tiles - t.tall)}) {
    if (rows == 0) continue;
    cycles += double(count) * (double(panels) * tile(rows, t.vectors) + (rest > 0 ? tile(rows, rest) : 0));
  }
  return cycles;
}

}  // namespace

Tiling ChooseTiling(const Target& target, DType dtype, int64_t m, int64_t n, bool panels) {
  const int64_t lanes = target.vector_bytes / SizeOf(dtype);
  Tiling best;
  double best_cost = std::numeric_limits<double>::infinity();
  for (int64_t vectors = 1; vectors <= (m <= 2 ? 8 : 4); ++vectors) {
    if (panels && vectors * lanes % kPanel != 0) continue;
    for (int64_t rows = 1; rows * vectors + vectors + 1 <= target.registers; ++rows) {
      const Tiling t = Cut(m, rows, vectors, lanes);
      const double cost = Cost(t, n);
      // Of equal ones the wider panel: B is read in longer pieces.
      if (cost < best_cost || (cost == best_cost && t.vectors > best.vectors)) {
        best = t;
        best_cost = cost;
      }
    }
  }
  return best;
}

}  // namespace fusebox::codegen
