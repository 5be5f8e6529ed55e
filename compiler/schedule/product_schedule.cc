// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/schedule/product_schedule.h"

#include <algorithm>

namespace fusebox {
namespace {

constexpr int64_t kPrefetchesOfATile = 64;  // Each is an instruction. See Operands::Prefetch.

}  // namespace

// Each cycle has two multiply-adds and two loads. An accumulator can be used again after five cycles (four, and one for
// a late load).
int64_t TwiceCyclesOfTile(int64_t rows, int64_t vectors) {
  return std::max({rows * vectors, rows + vectors, int64_t{10}});
}

RowCut CutRows(int64_t m, int64_t tile_rows) {
  RowCut cut{.rows = tile_rows, .row_tiles = CeilDiv(m, tile_rows)};
  if (cut.row_tiles == 0) return cut;
  cut.rows = CeilDiv(m, cut.row_tiles);
  cut.tall = m - (cut.rows - 1) * cut.row_tiles;
  return cut;
}

Tiling Cut(int64_t m, int64_t tile_rows, int64_t tile_vectors, int64_t lanes) {
  return {CutRows(m, tile_rows), tile_vectors, lanes};
}

Tiling TilingOf(const ProductSchedule& schedule, const ProductShape& shape, const Target& target) {
  return Cut(shape.Rows(), schedule.tile_rows, schedule.tile_vectors, Lanes(target, shape.dtype));
}

bool FitsRegisters(int64_t rows, int64_t vectors, const ProductShape& shape, const Target& target) {
  const int64_t width = vectors * Lanes(target, shape.dtype);
  if (rows < 1 || vectors < 1 || width > kWidestTile || (shape.in_panels && width % kPanel != 0)) return false;
  if (shape.tile_rows != 0 && rows != shape.tile_rows) return false;
  // Besides the accumulators, registers hold a row of B and a broadcast element of A. If A is one row, multiply-adds
  // take B from memory.
  return rows * vectors + (rows > 1 ? vectors : 0) + 1 <= target.registers;
}

bool HasTile(int64_t rows, const ProductShape& shape, const Target& target) {
  const int64_t widest = kWidestTile / Lanes(target, shape.dtype);
  for (int64_t vectors = 1; vectors <= widest; ++vectors) {
    if (FitsRegisters(rows, vectors, shape, target)) return true;
  }
  return false;
}

int64_t TilesOfBlock(const ProductSchedule& schedule, const Tiling& tiling) {
  const int64_t all = tiling.row_tiles, most = schedule.rows / tiling.rows;
  return schedule.rows == 0 ? all : CeilDiv(all, CeilDiv(all, std::max<int64_t>(most, 1)));
}

bool PrefetchesFit(const ProductSchedule& schedule, const Tiling& tiling, int64_t element) {
  const int64_t turns = TilesOfBlock(schedule, tiling) * schedule.copied_panels;
  const int64_t row = schedule.copied_panels * tiling.panel() * element;
  return CeilDiv(schedule.k, std::max<int64_t>(turns, 1)) * CeilDiv(row, 64) <= kPrefetchesOfATile;
}

bool IsValid(const ProductSchedule& schedule, const ProductShape& shape, const Target& target) {
  if (!FitsRegisters(schedule.tile_rows, schedule.tile_vectors, shape, target)) return false;
  if (std::min({schedule.k, schedule.rows, schedule.columns, schedule.copied_panels}) < 0) return false;
  if (schedule.k == 0) return !schedule.copies_a && schedule.copied_panels == 0;
  if (shape.n < 0 || schedule.k > shape.Depth()) return false;
  const Tiling tiling = TilingOf(schedule, shape, target);
  const int64_t element = SizeOf(shape.dtype), tiles = TilesOfBlock(schedule, tiling);
  if (schedule.copies_a && schedule.k * tiling.rows * tiles * element > kLargestCopy) return false;
  if (schedule.copied_panels == 0) return true;
  const int64_t row = schedule.copied_panels * tiling.panel() * element;
  return shape.layout_of_b != Layout::kPanels && schedule.k * row <= kLargestCopy &&
         PrefetchesFit(schedule, tiling, element);
}

}  // namespace fusebox
