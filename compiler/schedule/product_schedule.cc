// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/schedule/product_schedule.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/str_split.h"
#include "fmt/format.h"

namespace fusebox {
namespace {

constexpr int64_t kFewRows = 6;
constexpr int64_t kStreams = 8;      // Rows of B, from end to end: more than that no processor follows well.
constexpr int64_t kScattered = 64;   // Rows of a data set, here and there, that are read without much ado.
constexpr int64_t kLeastBlock = 64;  // Of k: sums go to memory and back once a block.
constexpr int64_t kPage = 4096;
constexpr int64_t kOneRow = int64_t{2} << 20;  // Bytes of B that come fast enough from any third level.
constexpr int64_t kPages = 64;                 // Rows of B, a page or more apart, that the first-level TLB finds.
// Copying pays from so many readers on: row tiles for a panel of B, panels for a row tile of A.
constexpr int64_t kTilesToCopyB = 64;
constexpr int64_t kPanelsToCopyA = 8, kTilesToCopyA = 16, kTilesToCopyAOfPages = 5;
// Bytes of a row of B that are copied at a time: long enough for the processor to foresee the next.
constexpr int64_t kPieceOfB = 256;
// Bytes of B a cycle that a tile may ask of the second level. More comes, but not always in time.
constexpr double kNearBytesOfACycle = 16;
// Bytes of a copy: threads' stacks are small.
constexpr int64_t kLargestCopy = 256 * 1024;
constexpr int64_t kPrefetchesOfATile = 64;  // Each is an instruction. See Operands::Prefetch.
constexpr size_t kTilesToTry = 8;

// ---- Shares of the caches.

// Of k, for many rows: a panel of B, of rows of so many bytes, takes two thirds of the first level at most, and a piece of A
// lies beside it.
int64_t BlockOfK(const CacheSizes& caches, int64_t panel_row) {
  return std::max(std::min(caches.l1d / 256, caches.l1d * 2 / 3 / panel_row), kLeastBlock);
}
// Bytes of B that need no care: they stay in the second level.
int64_t Near(const CacheSizes& caches) { return caches.l2 / 2; }
// For one row of A, which reads B once: where it comes from the third level fast enough without more ado. How large that
// level is tells little beyond some size: many cores share it then.
int64_t OneRowOf(const CacheSizes& caches) { return std::max(std::min(caches.l3 / 16, kOneRow), Near(caches)); }
// Bytes of a block of A: a part of the second level,
int64_t CopyOfA(const CacheSizes& caches) { return std::min(caches.l2 * 3 / 16, kLargestCopy); }
// and of its rows over all of k.
int64_t RowsOfA(const CacheSizes& caches) { return caches.l2 / 8; }
int64_t SumsInCache(const CacheSizes& caches) { return caches.l1d / 2; }

// ---- The tile.

bool Fits(int64_t rows, int64_t vectors, const ProductShape& shape, const codegen::Target& target) {
  const int64_t width = vectors * Lanes(target, shape.dtype);
  if (rows < 1 || vectors < 1 || width > kWidestTile || (shape.in_panels && width % kPanel != 0)) return false;
  if (shape.tile_rows != 0 && rows != shape.tile_rows) return false;
  // Beside the accumulators a row of B and a broadcast element of A. For one row of A multiply-adds take B from memory.
  return rows * vectors + (rows > 1 ? vectors : 0) + 1 <= target.registers;
}

// Half cycles for each k of all tiles. Loads take no time beside as many multiply-adds, yet fewer of them are better: some
// come late.
double Cost(const Tiling& t, int64_t n) {
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

// How much longer two and four threads take for it, on average, than if each had as much to do. Where the program writes what
// lies in panels, as a training step does its weights, each thread should have the same whole panels in every kernel: of one
// that is shared, all threads fetch what the others wrote: worse than a sixteenth more to do (codegen/work_units.h).
double Unevenness(const Tiling& t, int64_t n) {
  constexpr double kOfSharing = 1 + 1.0 / kShareOff;
  if (n <= 0) return 1;
  const int64_t vectors = CeilDiv(n, t.lanes), panels = CeilDiv(n, t.panel());
  double sum = 0;
  for (const int64_t threads : {2, 4}) {
    const double most = double(std::min(CeilDiv(panels, threads) * t.vectors, vectors));
    sum += std::min(most * double(threads) / double(vectors), kOfSharing) / 2;
  }
  return sum;
}

// The cheapest that is no wider. Of equal ones the one that reads B less often, then the wider: B is read in longer pieces.
std::optional<Tiling> CheapestTile(const ProductShape& shape, const codegen::Target& target, int64_t most_vectors) {
  std::optional<Tiling> best;
  double best_cost = std::numeric_limits<double>::infinity();
  for (int64_t vectors = 1; vectors <= most_vectors; ++vectors) {
    const int64_t least = std::max<int64_t>(shape.tile_rows, 1);
    for (int64_t rows = least; Fits(rows, vectors, shape, target); ++rows) {
      const Tiling t = Cut(shape.Rows(), rows, vectors, Lanes(target, shape.dtype));
      const double cost = Cost(t, shape.Columns()) * (shape.in_panels ? Unevenness(t, shape.Columns()) : 1);
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

Tiling ChooseTile(const ProductShape& shape, const codegen::Target& target) {
  const int64_t widest = kWidestTile / Lanes(target, shape.dtype);
  // One row's time is that of reading B: in pieces as long as can be, unless it comes from far away, row by row.
  const int64_t m = shape.Rows();
  const bool near = shape.Columns() * shape.Depth() * SizeOf(shape.dtype) <= OneRowOf(target.caches);
  const int64_t most = m == 1 && near ? widest : m <= 2 ? 8 : shape.in_panels ? 5 : 4;
  const std::optional<Tiling> tile = CheapestTile(shape, target, std::min(most, widest));
  // Where vectors are short, some panels may be more of them. One row of accumulators always fits.
  return tile ? *tile : *CheapestTile(shape, target, widest);
}

// ---- Blocks.

Tiling TilingOf(const ProductSchedule& schedule, const ProductShape& shape, const codegen::Target& target) {
  return Cut(shape.Rows(), schedule.tile_rows, schedule.tile_vectors, Lanes(target, shape.dtype));
}

// Each tile asks for its share of the panels that are copied next. Of few tiles each would have to ask for too much.
bool PrefetchesFit(const ProductSchedule& schedule, const Tiling& tiling, int64_t element) {
  const int64_t turns = TilesOfBlock(schedule, tiling) * schedule.copied_panels;
  const int64_t row = schedule.copied_panels * tiling.panel() * element;
  return CeilDiv(schedule.k, std::max<int64_t>(turns, 1)) * CeilDiv(row, 64) <= kPrefetchesOfATile;
}

bool PaysToCopyA(const ProductShape& shape, const Tiling& tiling) {
  if (shape.n < kPanelsToCopyA * tiling.panel()) return false;
  // The columns of a transposed A come line by line. Rows that are whole pages apart would push each other out of the first
  // level.
  const bool apart = shape.Depth() * SizeOf(shape.dtype) % kPage == 0;
  return shape.transposed ? tiling.row_tiles >= kTilesToCopyA : apart && tiling.row_tiles >= kTilesToCopyAOfPages;
}

void ChooseCopies(ProductSchedule& schedule, const ProductShape& shape, const codegen::Target& target) {
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

void ChooseBlocks(ProductSchedule& schedule, const ProductShape& shape, const codegen::Target& target) {
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
  // The elements of a column of A lie here and there: so many of them that they are read from a copy or, if few panels
  // read them, in blocks of which all rows stay near.
  const bool scattered = shape.transposed && shape.rows_of_data && k >= kScattered;
  if (shape.layout_of_b == Layout::kPanels) {
    // B is one stream already. Rows of A stay in the second-level cache while all panels go over them.
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
    // All of B is near. It comes from there fast enough, unless tiles are low and wide; then panels stay in the first
    // level, if the sums are as near.
    const double asked = 2 * double(panel_row) / double(TwiceCyclesOfTile(tiling.rows, tiling.vectors));
    const bool is_short = !shape.transposed && m > kFewRows && m * n * element <= Near(caches) / 2;
    if (is_short && asked > kNearBytesOfACycle && k >= 2 * block) {
      block_k_by(block);
    } else {
      schedule.rows = rows_that_stay();
    }
  } else if (m <= kFewRows) {
    // Short rows are no stream worth the name: as many as the first level holds.
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

// ---- Variations.

class Neighbourhood {
 public:
  Neighbourhood(const ProductSchedule& schedule, const ProductShape& shape, const codegen::Target& target)
      : schedule_(schedule), shape_(shape), target_(target) {}

  std::vector<ProductSchedule> Find() && {
    Tiles();
    BlocksOfK();
    BlocksOfRows();
    BlocksOfColumns();
    Copies();
    return std::move(found_);
  }

 private:
  void Add(const ProductSchedule& s) {
    if (s == schedule_ || !IsValid(s, shape_, target_) || std::ranges::find(found_, s) != found_.end()) return;
    found_.push_back(s);
  }
  // As it is, and with what the model would have beside the change.
  void AddWithCopies(ProductSchedule s) {
    Add(s);
    ChooseCopies(s, shape_, target_);
    Add(s);
  }

  void Tiles() {
    const int64_t lanes = Lanes(target_, shape_.dtype), m = shape_.Rows();
    std::multimap<double, std::pair<int64_t, int64_t>> tiles;
    for (int64_t vectors = 1; vectors * lanes <= kWidestTile; ++vectors) {
      if (vectors > 1 && (vectors - 1) * lanes >= shape_.Columns()) break;
      const int64_t least = std::max<int64_t>(shape_.tile_rows, 1);
      for (int64_t rows = least; rows <= m && Fits(rows, vectors, shape_, target_); ++rows) {
        const Tiling t = Cut(m, rows, vectors, lanes);
        if (t.rows == rows) tiles.emplace(Cost(t, shape_.Columns()), std::pair(rows, vectors));
      }
    }
    size_t count = 0;
    for (const auto& [cost, tile] : tiles) {
      ProductSchedule s = schedule_;
      std::tie(s.tile_rows, s.tile_vectors) = tile;
      AddWithCopies(s);
      if (++count == kTilesToTry) break;
    }
  }

  void BlocksOfK() {
    const int64_t k = shape_.Depth();
    const std::vector<int64_t> others =
        schedule_.k == 0 ? std::vector<int64_t>{8, 32, 128, 256, k}
                         : std::vector<int64_t>{0, schedule_.k / 2, schedule_.k * 2, CeilDiv(k, 2), k};
    for (const int64_t block : others) {
      if (block > k) continue;
      ProductSchedule s = schedule_;
      s.k = block;
      if (block == 0) s.copies_a = false, s.copied_panels = 0;
      AddWithCopies(s);
    }
  }

  void BlocksOfRows() {
    const int64_t m = shape_.Rows(), rows = schedule_.rows;
    for (const int64_t block :
         rows == 0 ? std::vector<int64_t>{m / 2, m / 4} : std::vector<int64_t>{0, rows / 2, rows * 2}) {
      ProductSchedule s = schedule_;
      s.rows = block >= m ? 0 : block;
      if (block == 0 || block > s.tile_rows) Add(s);
    }
  }

  void BlocksOfColumns() {
    const int64_t n = shape_.n, columns = schedule_.columns;
    if (n <= 0) return;
    const int64_t of_sums = SumsInCache(target_.caches) / (SizeOf(shape_.dtype) * std::max<int64_t>(shape_.Rows(), 1));
    for (const int64_t block : columns == 0 ? std::vector<int64_t>{of_sums, n / 2, n / 4}
                                            : std::vector<int64_t>{0, columns / 2, columns * 2}) {
      ProductSchedule s = schedule_;
      s.columns = block >= n ? 0 : block;
      if (block == 0 || block >= s.tile_vectors * Lanes(target_, shape_.dtype)) Add(s);
    }
  }

  void Copies() {
    if (schedule_.k == 0) return;
    ProductSchedule s = schedule_;
    s.copies_a = !s.copies_a;
    Add(s);
    s = schedule_;
    const Tiling tiling = TilingOf(s, shape_, target_);
    const int64_t panels = s.copied_panels, all = CeilDiv(shape_.n, tiling.panel());
    for (const int64_t count :
         panels == 0 ? std::vector<int64_t>{1, 4} : std::vector<int64_t>{0, panels / 2, panels * 2}) {
      s.copied_panels = std::min(count, all);
      Add(s);
    }
  }

  const ProductSchedule& schedule_;
  const ProductShape& shape_;
  const codegen::Target& target_;
  std::vector<ProductSchedule> found_;
};

std::optional<int64_t> Number(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

}  // namespace

// Two multiply-adds and two loads a cycle, and five cycles until an accumulator can be used again (four, and one for a load
// that comes late).
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

bool HasTile(int64_t rows, const ProductShape& shape, const codegen::Target& target) {
  const int64_t widest = kWidestTile / Lanes(target, shape.dtype);
  for (int64_t vectors = 1; vectors <= widest; ++vectors) {
    if (Fits(rows, vectors, shape, target)) return true;
  }
  return false;
}

int64_t TilesOfBlock(const ProductSchedule& schedule, const Tiling& tiling) {
  const int64_t all = tiling.row_tiles, most = schedule.rows / tiling.rows;
  return schedule.rows == 0 ? all : CeilDiv(all, CeilDiv(all, std::max<int64_t>(most, 1)));
}

bool IsValid(const ProductSchedule& schedule, const ProductShape& shape, const codegen::Target& target) {
  if (!Fits(schedule.tile_rows, schedule.tile_vectors, shape, target)) return false;
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

ProductSchedule ChooseSchedule(const ProductShape& shape, const codegen::Target& target) {
  const Tiling tile = ChooseTile(shape, target);
  ProductSchedule schedule{.tile_rows = tile.rows, .tile_vectors = tile.vectors};
  ChooseBlocks(schedule, shape, target);
  return schedule;
}

std::vector<ProductSchedule> Variations(const ProductSchedule& schedule, const ProductShape& shape,
                                        const codegen::Target& target) {
  return Neighbourhood(schedule, shape, target).Find();
}

std::string ToString(const ProductShape& shape) {
  constexpr const char* kLayouts[] = {"", " padded", " in panels"};
  const Shape a = shape.transposed ? Shape{shape.k, shape.m} : Shape{shape.m, shape.k};
  std::string text = fmt::format("{} {}{}{} {}{}", Name(shape.dtype), ToString(a), shape.transposed ? "T" : "",
                                 shape.rows_of_data ? " of a data set" : kLayouts[size_t(shape.layout_of_a)],
                                 ToString(Shape{shape.k, shape.n}), kLayouts[size_t(shape.layout_of_b)]);
  if (shape.in_panels && shape.layout_of_b != Layout::kPanels) text += " to panels";
  if (std::min({shape.m, shape.k, shape.n}) < 0) text += fmt::format(", N = {}", shape.rows);
  if (shape.tile_rows != 0) text += fmt::format(", tiles of {} rows", shape.tile_rows);
  return text;
}

std::string ToString(const ProductSchedule& schedule) {
  std::string text = fmt::format("tile={}x{}", schedule.tile_rows, schedule.tile_vectors);
  for (const auto& [name, value] :
       {std::pair("k", schedule.k), std::pair("rows", schedule.rows), std::pair("columns", schedule.columns),
        std::pair("a", int64_t(schedule.copies_a)), std::pair("b", schedule.copied_panels)}) {
    if (value != 0) text += fmt::format(" {}={}", name, value);
  }
  return text;
}

std::optional<ProductSchedule> ParseProductSchedule(std::string_view text) {
  ProductSchedule schedule;
  int64_t a = 0;
  const std::map<std::string_view, int64_t*> numbers = {{"k", &schedule.k},
                                                        {"rows", &schedule.rows},
                                                        {"columns", &schedule.columns},
                                                        {"a", &a},
                                                        {"b", &schedule.copied_panels}};
  for (const std::string& word :
       std::vector<std::string>(absl::StrSplit(absl::string_view(text.data(), text.size()), ' '))) {
    const size_t equals = word.find('='), x = word.find('x', equals == std::string::npos ? 0 : equals);
    if (equals == std::string::npos) return std::nullopt;
    const std::string_view name = std::string_view(word).substr(0, equals),
                           value = std::string_view(word).substr(equals + 1);
    if (name == "tile" && x != std::string::npos) {
      const auto rows = Number(value.substr(0, x - equals - 1)), vectors = Number(value.substr(x - equals));
      if (!rows || !vectors) return std::nullopt;
      schedule.tile_rows = *rows, schedule.tile_vectors = *vectors;
      continue;
    }
    const auto at = numbers.find(name);
    const std::optional<int64_t> number = Number(value);
    if (at == numbers.end() || !number) return std::nullopt;
    *at->second = *number;
  }
  schedule.copies_a = a != 0;
  // In the one form that ToString writes.
  return ToString(schedule) == text ? std::optional(schedule) : std::nullopt;
}

const char* Name(ScheduleOrigin origin) {
  constexpr const char* kNames[] = {"model", "tuned", "given"};
  return kNames[size_t(origin)];
}

}  // namespace fusebox
