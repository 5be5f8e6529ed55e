// SPDX-License-Identifier: Apache-2.0
// schedule/ decides how matrix products are cut, by a model of the machine (schedule_model.h), or by what a search with
// the clock has found (schedule_variations.h, found_schedules.h). It sees native/, which stores what was found, and the
// words beside compiler.h.
//
// A schedule of C[m, n] = A[m, k] B[k, n] is the register tile and, if the product is long, blocks, so that what its
// inner loops read lies in a near cache. There are blocks
//
//   along k         Each block adds its part to all sums, which lie in memory between blocks. That has two uses. For
//                   many rows, a block's panel of B stays in the first-level cache while all rows go over it. For few
//                   rows, B is read once, from far away: the rows of a block are read from end to end, as so many
//                   streams, which the processor prefetches; panel by panel, it would be a line of each row, and
//                   rows are pages apart.
//   along rows      The block's rows of A stay in the second-level cache while they go over all columns.
//   along columns   For few rows: their sums stay in the first-level cache.
//
// A schedule never changes a result: with any, each element's sum runs in ascending k and rounds the same. So it may be
// chosen by a model of the machine, or by a search with the clock (found_schedules.h).
#pragma once
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fusebox/compiler/matrix_layout.h"
#include "fusebox/compiler/target.h"

namespace fusebox {

inline int64_t CeilDiv(int64_t x, int64_t by) { return (x + by - 1) / by; }

// Everything that a schedule may depend on besides the target.
struct ProductShape {
  int64_t m = 0, k = 0, n = 0;  // As in shapes: multiples of the batch are negative.
  int64_t rows = 1;             // The batch, at most.
  DType dtype = DType::kF32;
  bool transposed = false;    // A lies as [k, m].
  bool rows_of_data = false;  // A's memory is rows of a data set, scattered over it.
  Layout layout_of_a = Layout::kExact, layout_of_b = Layout::kExact;
  bool in_panels = false;  // B, or another matrix that the kernel reads or writes tile by tile, lies in panels.
  int64_t tile_rows = 0;   // Rows that the tile must have, like those of other kernels (plan/row_chains.h). 0: any.

  int64_t Rows() const { return Resolve(m, rows); }
  int64_t Depth() const { return Resolve(k, rows); }
  int64_t Columns() const { return Resolve(n, rows); }
  auto operator<=>(const ProductShape&) const = default;
};
// "f32 [N,784] [784,300] in panels, N = 32". Different shapes have different texts.
std::string ToString(const ProductShape& shape);

struct ProductSchedule {
  // The register tile: the greatest number of rows of accumulators, and the vectors of each row.
  int64_t tile_rows = 1, tile_vectors = 1;
  int64_t k = 0;        // Rows of B in a block. 0: all of them are one block.
  int64_t rows = 0;     // Rows of A that go over all columns before the next. 0: all of them.
  int64_t columns = 0;  // Columns that are finished before the next. 0: all of them.
  // With blocks of k: whether a block of A is copied, and how many panels of B, each as wide as a tile, are copied at a
  // time. Copies lie on the stack, in the order in which they are read.
  bool copies_a = false;
  int64_t copied_panels = 0;
  bool operator==(const ProductSchedule&) const = default;
};
// As text, without zeros: "tile=4x3 k=128 rows=192 columns=2048 a=1 b=4". And back: none for text that is not in this
// form.
std::string ToString(const ProductSchedule& schedule);
std::optional<ProductSchedule> ParseProductSchedule(std::string_view text);

// Whether code can be made with the schedule: the tile fits the registers, and is a whole number of panels wide where
// it has to be; what the blocks need is known before the program runs; copies stay small.
bool IsValid(const ProductSchedule& schedule, const ProductShape& shape, const Target& target);

// Whether a tile of these rows and vectors fits the registers and the shape.
bool FitsRegisters(int64_t rows, int64_t vectors, const ProductShape& shape, const Target& target);

// Whether there is a tile with this number of rows.
bool HasTile(int64_t rows, const ProductShape& shape, const Target& target);

enum class ScheduleOrigin : uint8_t { kModel, kSearch, kGiven };
const char* Name(ScheduleOrigin origin);

struct ScheduledProduct {
  ProductShape shape;
  ProductSchedule schedule;
  ScheduleOrigin origin = ScheduleOrigin::kModel;
};

// A source of schedules besides the model. None for shapes that it knows nothing of.
using ScheduleSource = std::function<std::optional<ProductSchedule>(const ProductShape&)>;

// Cuts rows into nearly equal tiles: `tall` of them have `rows` rows, the other `row_tiles - tall` one row less.
struct RowCut {
  int64_t rows = 1, row_tiles = 0, tall = 0;
};
RowCut CutRows(int64_t m, int64_t tile_rows);

// Cuts a product into tiles.
struct Tiling : RowCut {
  int64_t vectors = 1;
  int64_t lanes = 1;  // Of a vector.
  int64_t panel() const { return vectors * lanes; }
};
Tiling Cut(int64_t m, int64_t tile_rows, int64_t tile_vectors, int64_t lanes);
inline int64_t Lanes(const Target& target, DType dtype) { return target.vector_bytes / SizeOf(dtype); }

// Twice the cycles that a tile takes for each k, by the model: a whole number.
int64_t TwiceCyclesOfTile(int64_t rows, int64_t vectors);

// A thread may have more work than an equal share, by one part in this number, if it gets whole panels for that.
inline constexpr int64_t kMostImbalance = 16;

// The tiling of the shape by the schedule's tile.
Tiling TilingOf(const ProductSchedule& schedule, const ProductShape& shape, const Target& target);

// Whether the panels that are copied next can be prefetched: each tile prefetches a part of them, and few tiles would
// have to prefetch too much each.
bool PrefetchesFit(const ProductSchedule& schedule, const Tiling& tiling, int64_t element);

// Bytes of a copy, at most: threads' stacks are small.
inline constexpr int64_t kLargestCopy = 256 * 1024;

// Row tiles that go over all columns before the next: blocks of nearly the same size.
int64_t TilesOfBlock(const ProductSchedule& schedule, const Tiling& tiling);

// The width of a register tile, at most.
inline constexpr int64_t kWidestTile = 8 * kPanel;

// The number of elements that the sums of a blocked product take, whatever its tile.
inline int64_t PartialSums(int64_t m, int64_t n) { return m * (n + kWidestTile); }

}  // namespace fusebox
