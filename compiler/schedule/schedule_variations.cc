// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/schedule/schedule_variations.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "fusebox/compiler/schedule/schedule_model.h"

namespace fusebox {
namespace {

constexpr size_t kTilesToTry = 8;

class Neighbourhood {
 public:
  Neighbourhood(const ProductSchedule& schedule, const ProductShape& shape, const Target& target)
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
  // Adds the schedule as it is, and with the copies that the model would make beside the change.
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
      for (int64_t rows = least; rows <= m && FitsRegisters(rows, vectors, shape_, target_); ++rows) {
        const Tiling t = Cut(m, rows, vectors, lanes);
        if (t.rows == rows) tiles.emplace(TileCost(t, shape_.Columns()), std::pair(rows, vectors));
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
  const Target& target_;
  std::vector<ProductSchedule> found_;
};

}  // namespace

std::vector<ProductSchedule> Variations(const ProductSchedule& schedule, const ProductShape& shape,
                                        const Target& target) {
  return Neighbourhood(schedule, shape, target).Find();
}

}  // namespace fusebox
