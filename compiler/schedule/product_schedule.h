// SPDX-License-Identifier: Apache-2.0
// How a matrix product C[m, n] = A[m, k] B[k, n] is cut: the register tile, and of a long one the blocks, so that what its
// inner loops read lies in a near cache.
//
// Along k, so that each block adds its part to all sums, which lie in memory between blocks. That has two uses.
//   Many rows   A block's panel of B stays in the first-level cache while all rows go over it.
//   Few rows    B is read once, from far away. Of a block of a few rows of B each is read from end to end: so many
//               streams, which the processor foresees; panel by panel it would be a line of each row, pages apart.
// Along rows, so that those of A stay in the second-level cache while they go over all columns.
// Along columns, for few rows, so that their sums stay in the first-level cache.
//
// A schedule never changes a result: each element's sum runs in ascending k with any, rounded the same. So it may be chosen
// by a model of the machine, or by the clock (tuned_schedules.h).
#pragma once
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fusebox/compiler/codegen/target.h"
#include "fusebox/compiler/plan/layouts.h"

namespace fusebox {

inline int64_t CeilDiv(int64_t x, int64_t by) { return (x + by - 1) / by; }

// All that a schedule may depend on, besides the target.
struct ProductShape {
  int64_t m = 0, k = 0, n = 0;  // As in shapes: those of the batch are negative,
  int64_t rows = 1;             // and at most this many times as large.
  DType dtype = DType::kF32;
  bool transposed = false;    // A lies as [k, m].
  bool rows_of_data = false;  // What A lies as are rows of a data set, here and there.
  Layout layout_of_a = Layout::kExact, layout_of_b = Layout::kExact;
  bool in_panels = false;  // B, or something else that the kernel reads or writes tile by tile, lies in panels.
  int64_t tile_rows = 0;   // 0: any. Else the tile has so many, like those of other kernels (plan/row_chains.h).

  int64_t Rows() const { return Resolve(m, rows); }
  int64_t Depth() const { return Resolve(k, rows); }
  int64_t Columns() const { return Resolve(n, rows); }
  auto operator<=>(const ProductShape&) const = default;
};
// "f32 [N,784] [784,300] in panels, N = 32": different for different ones.
std::string ToString(const ProductShape& shape);

struct ProductSchedule {
  // The register tile: at most this many rows of accumulators, each of so many vectors.
  int64_t tile_rows = 1, tile_vectors = 1;
  int64_t k = 0;        // Rows of B in a block. 0: all of them are one.
  int64_t rows = 0;     // Rows of A that go over all columns before the next. 0: all of them.
  int64_t columns = 0;  // Columns that are done before the next. 0: all of them.
  // Of a product in blocks of k: whether a block of A, and so many panels of B as wide as a tile, are copied so that they
  // lie as they are read. Copies lie on the stack.
  bool copies_a = false;
  int64_t copied_panels = 0;
  bool operator==(const ProductSchedule&) const = default;
};
// "tile=4x3 k=128 rows=192 columns=2048 a=1 b=4", zeros left out, and back. None for text that is not in this form.
std::string ToString(const ProductSchedule& schedule);
std::optional<ProductSchedule> ParseProductSchedule(std::string_view text);

// Whether code can be made with the schedule: the tile fits the registers, as wide as some panels where it has to be; what
// the blocks need is known before the program runs; copies stay small.
bool IsValid(const ProductSchedule& schedule, const ProductShape& shape, const codegen::Target& target);

// Whether there is a tile of so many rows.
bool HasTile(int64_t rows, const ProductShape& shape, const codegen::Target& target);

// By a model of the target: what fits into its registers and caches, and what wastes least.
ProductSchedule ChooseSchedule(const ProductShape& shape, const codegen::Target& target);

// Valid schedules near this one, each other than it in one respect: the tile, a block's extent, a copy.
std::vector<ProductSchedule> Variations(const ProductSchedule& schedule, const ProductShape& shape,
                                        const codegen::Target& target);

enum class ScheduleOrigin : uint8_t { kModel, kTuned, kGiven };
const char* Name(ScheduleOrigin origin);

struct ScheduledProduct {
  ProductShape shape;
  ProductSchedule schedule;
  ScheduleOrigin origin = ScheduleOrigin::kModel;
};

// Another source of schedules than the model: none for those it knows nothing of.
using ScheduleSource = std::function<std::optional<ProductSchedule>(const ProductShape&)>;

// Rows in tiles, which are nearly equal: `tall` of them have this height, the other `row_tiles - tall` one row less.
struct RowCut {
  int64_t rows = 1, row_tiles = 0, tall = 0;
};
RowCut CutRows(int64_t m, int64_t tile_rows);

// The schedule's tile on a product of so many rows.
struct Tiling : RowCut {
  int64_t vectors = 1;
  int64_t lanes = 1;  // Of a vector.
  int64_t panel() const { return vectors * lanes; }
};
Tiling Cut(int64_t m, int64_t tile_rows, int64_t tile_vectors, int64_t lanes);
inline int64_t Lanes(const codegen::Target& target, DType dtype) { return target.vector_bytes / SizeOf(dtype); }

// For each k of a tile, by the model: a whole number.
int64_t TwiceCyclesOfTile(int64_t rows, int64_t vectors);

// Where each thread gets whole panels, its work may be off by one part in so many of its share.
inline constexpr int64_t kShareOff = 16;

// Row tiles that go over all columns before the next: blocks of nearly the same size.
int64_t TilesOfBlock(const ProductSchedule& schedule, const Tiling& tiling);

// No register tile is wider.
inline constexpr int64_t kWidestTile = 8 * kPanel;

// The elements that a blocked product's sums take, whatever its tile.
inline int64_t PartialSums(int64_t m, int64_t n) { return m * (n + kWidestTile); }

}  // namespace fusebox
