// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/schedule/schedule_model.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

namespace fusebox {
namespace {

constexpr int64_t kFewRows = 6;
constexpr int64_t kStreams = 8;      // Rows of B read from end to end: no processor prefetches more of them well.
constexpr int64_t kScattered = 64;   // Rows scattered over a data set that may be read without a copy.
constexpr int64_t kLeastBlock = 64;  // Of k: once a block, sums go to memory and back.
constexpr int64_t kPage = 4096;
constexpr int64_t kOneRow = int64_t{2} << 20;  // Bytes of B that any third-level cache delivers fast enough.
constexpr int64_t kPages = 64;                 // Rows of B, a page or more apart, that the first-level TLB covers.
// The number of readers from which on copying pays: row tiles for a panel of B, panels for a row tile of A.
constexpr int64_t kTilesToCopyB = 64;
constexpr int64_t kPanelsToCopyA = 8, kTilesToCopyA = 16, kTilesToCopyAOfPages = 5;
// Bytes of a row of B that are copied at a time: long enough for the processor to prefetch the next.
constexpr int64_t kPieceOfB = 256;
// Bytes of B that a tile may load from the second level per cycle. It delivers more, but not always in time.
constexpr double kNearBytesOfACycle = 16;

// ---- Shares of the caches.

// The block of k, for many rows: a panel of B, whose rows have `panel_row` bytes, takes at most two thirds of the first
// level, beside a piece of A.
int64_t BlockOfK(const CacheSizes& caches, int64_t panel_row) {
  return std::max(std::min(caches.l1d / 256, caches.l1d * 2 / 3 / panel_row), kLeastBlock);
}
// Bytes of B that need no blocks: they stay in the second level.
int64_t Near(const CacheSizes& caches) { return caches.l2 / 2; }
// Bytes of B that need no blocks if A is one row, which reads B once: the third level delivers them fast enough. Beyond
// some size, that level's size tells little, as many cores share it.
int64_t OneRowOf(const CacheSizes& caches) { return std::max(std::min(caches.l3 / 16, kOneRow), Near(caches)); }
// Bytes of a block of A: a part of the second level.
int64_t CopyOfA(const CacheSizes& caches) { return std::min(caches.l2 * 3 / 16, kLargestCopy); }
// Bytes of rows of A over all of k.
int64_t RowsOfA(const CacheSizes& caches) { return caches.l2 / 8; }

// ---- The tile.

// How much longer two and four threads take, on average, than if each had equal work. Where the program writes matrices
// in panels, as a training step does its weights, each thread should have the same whole panels in every kernel: if
// threads share a panel, each fetches what the others wrote, which costs more than a sixteenth more work
// (kMostImbalance).
double Unevenness(const Tiling& t, int64_t n) {
  constexpr double kOfSharing = 1 + 1.0 / kMostImbalance;
  if (n <= 0) return 1;
  const int64_t vectors = CeilDiv(n, t.lanes), panels = CeilDiv(n, t.panel());
  double sum = 0;
  for (const int64_t threads : {2, 4}) {
    const double most = double(std::min(CeilDiv(panels, threads) * t.vectors, vectors));
    sum += std::min(most * double(threads) / double(vectors), kOfSharing) / 2;
  }
  return sum;
}

// The cheapest tile of at most `most_vectors` vectors. Of equal ones, the one that reads B less often; then the wider
// one, which reads B in longer pieces.
std::optional<Tiling> CheapestTile(const ProductShape& shape, const Target& target, int64_t most_vectors) {
  std::optional<Tiling> best;
  double best_cost = std::numeric_limits<double>::infinity();
  for (int64_t vectors = 1; vectors <= most_vectors; ++vectors) {
    const int64_t least = std::max<int64_t>(shape.tile_rows, 1);
    for (int64_t rows = least; FitsRegisters(rows, vectors, shape, target); ++rows) {
      const Tiling t = Cut(shape.Rows(), rows, vectors, Lanes(target, shape.dtype));
      const double cost = TileCost(t, shape.Columns()) * (shape.in_panels ? Unevenness(t, shape.Columns()) : 1);
      const auto equal_but_better = [&] {
        return std::pair(-t.row_tiles, t.vectors) > std::pair(-best->row_tiles, best->vectors);
      };
      if (cost < best_cost || (cost == best_cost && equal_but_better())) {
        best = t;
        best_cost = cost;
      }
    }
  }
  return best;
}

Tiling ChooseTile(const ProductShape& shape, const Target& target) {
  const int64_t widest = kWidestTile / Lanes(target, shape.dtype);
  // For one row, reading B takes all the time. Its pieces should be as long as possible, unless B comes from far away,
  // row by row.
  const int64_t m = shape.Rows();
  const bool near = shape.Columns() * shape.Depth() * SizeOf(shape.dtype) <= OneRowOf(target.caches);
  const int64_t most = m == 1 && near ? widest : m <= 2 ? 8 : shape.in_panels ? 5 : 4;
  const std::optional<Tiling> tile = CheapestTile(shape, target, std::min(most, widest));
  // If vectors are short, a whole number of panels may be more of them. One row of accumulators always fits.
  return tile ? *tile : *CheapestTile(shape, target, widest);
}

// ---- Blocks.

bool PaysToCopyA(const ProductShape& shape, const Tiling& tiling) {
  if (shape.n < kPanelsToCopyA * tiling.panel()) return false;
  // The columns of a transposed A come line by line. Rows that are whole pages apart would evict each other from the
  // first level.
  const bool apart = shape.Depth() * SizeOf(shape.dtype) % kPage == 0;
  return shape.transposed ? tiling.row_tiles >= kTilesToCopyA : apart && tiling.row_tiles >= kTilesToCopyAOfPages;
}

}  // namespace

int64_t SumsInCache(const CacheSizes& caches) { return caches.l1d / 2; }

// Half cycles for each k of all tiles. Loads take no time beside as many multiply-adds, yet fewer of them are better:
// some come late.
double TileCost(const Tiling& t, int64_t n) {
  const auto tile = [](int64_t rows, int64_t vectors) {
    return double(TwiceCyclesOfTile(rows, vectors)) + double(rows + vectors) / 16;
  };
  const int64_t panels = n / t.panel(), rest = CeilDiv(n % t.panel(), t.lanes);
  double cost = 0;
  for (const auto& [rows, count] : {std::pair(t.rows, t.tall), std::pair(t.rows - 1, t.row_tiles - t.tall)}) {
    if (rows == 0) continue;
    cost += double(count) * (double(panels) * tile(rows, t.vectors) + (rest > 0 ? tile(rows, rest) : 0));
  }
  return cost;
}

void ChooseCopies(ProductSchedule& schedule, const ProductShape& shape, const Target& target) {
  schedule.copies_a = false;
  schedule.copied_panels = 0;
  if (schedule.k == 0) return;
  const Tiling tiling = TilingOf(schedule, shape, target);
  const int64_t element = SizeOf(shape.dtype);
  if (shape.layout_of_b != Layout::kPanels && tiling.row_tiles >= kTilesToCopyB) {
    schedule.copied_panels = std::max<int64_t>(kPieceOfB / (tiling.panel() * element), 1);
    if (!PrefetchesFit(schedule, tiling, element)) schedule.copied_panels = 0;
  }
  schedule.copies_a = PaysToCopyA(shape, tiling);
}

namespace {

void ChooseBlocks(ProductSchedule& schedule, const ProductShape& shape, const Target& target) {
  const CacheSizes& caches = target.caches;
  const int64_t element = SizeOf(shape.dtype), m = shape.Rows(), k = shape.Depth(), n = shape.n;
  schedule.k = schedule.rows = schedule.columns = 0;
  if (m <= 0 || n <= 0 || k <= 0) return;
  const Tiling tiling = TilingOf(schedule, shape, target);
  const int64_t panel_row = tiling.panel() * element, block = BlockOfK(caches, panel_row);
  const auto rows_that_stay = [&]() -> int64_t {
    return m * k * element > 2 * RowsOfA(caches) ? std::max<int64_t>(RowsOfA(caches) / (k * element), 1) : 0;
  };
  const auto block_k_by = [&](int64_t size) {
    schedule.k = size;
    schedule.rows = CopyOfA(caches) / (size * element);
    ChooseCopies(schedule, shape, target);
  };
  const bool near = n * k * element <= (m == 1 ? OneRowOf(caches) : Near(caches));
  // The elements of a column of A are scattered. There are so many that they are read from a copy or, if few panels
  // read them, in blocks whose rows all stay near.
  const bool scattered = shape.transposed && shape.rows_of_data && k >= kScattered;
  if (shape.layout_of_b == Layout::kPanels) {
    // B is one stream already. Keep rows of A in the second-level cache while all panels go over them.
    schedule.rows = rows_that_stay();
  } else if (scattered && k < 2 * block && PaysToCopyA(shape, tiling)) {
    block_k_by(k);
  } else if (scattered && k >= 2 * block && !PaysToCopyA(shape, tiling)) {
    block_k_by(kScattered);
    if (near) {
      schedule.rows = rows_that_stay();
      schedule.copied_panels = 0;
    }
  } else if (near) {
    // All of B is near, and comes fast enough, unless tiles are low and wide. Then panels stay in the first level, if
    // the sums are as near.
    const double asked = 2 * double(panel_row) / double(TwiceCyclesOfTile(tiling.rows, tiling.vectors));
    const bool is_short = !shape.transposed && m > kFewRows && m * n * element <= Near(caches) / 2;
    if (is_short && asked > kNearBytesOfACycle && k >= 2 * block) {
      block_k_by(block);
    } else {
      schedule.rows = rows_that_stay();
    }
  } else if (m <= kFewRows) {
    // Short rows make poor streams: take as many as the first level holds.
    const int64_t streams = std::max(caches.l1d / (n * element) / kStreams * kStreams, kStreams);
    if (k > streams) {
      schedule.k = streams;
      schedule.columns = SumsInCache(caches) / (element * m);
    }
  } else if (k >= 2 * block) {
    block_k_by(block);
    // Read where it lies, a panel is a piece of each row.
    if (n * element >= kPage && schedule.copied_panels == 0) block_k_by(std::min(block, kPages));
  }
}

}  // namespace

ProductSchedule ChooseSchedule(const ProductShape& shape, const Target& target) {
  const Tiling tile = ChooseTile(shape, target);
  ProductSchedule schedule{.tile_rows = tile.rows, .tile_vectors = tile.vectors};
  ChooseBlocks(schedule, shape, target);
  return schedule;
}

}  // namespace fusebox
