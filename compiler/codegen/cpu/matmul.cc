// SPDX-License-Identifier: Apache-2.0
// Matrix products: C[m, n] = A[m, k] B[k, n], where A may be read transposed, and all elementwise members that follow,
// while the tile is in registers.
//
//     for unit in panels of columns x tiles of rows     a panel's B stays in cache over its row tiles; in a chain
//                                                       (plan/row_chains.h) a unit is a tile of rows, over all columns
//       tile = 0                                        rows x vectors accumulators, all in registers
//       for k ascending: tile += broadcast(A[row, k]) * B[k, columns]
//       members on the tile; store
//
// Where B is large, all of this happens in blocks (product_schedule.h) of columns, rows and k, for which operands.h
// copies what is read often. Between blocks of k, sums lie in memory.
//
// Each element is one ascending chain of fused multiply-adds over k, so the result depends on no tile shape, thread or
// vector width. Matrices lie as matrix_layout.h says. If rows are exact, the last vector of a row is masked; the last
// rows of a partial batch are processed one at a time. After Goto and van de Geijn (2008), Anatomy of High-Performance
// Matrix Multiplication.
#include "fusebox/compiler/codegen/cpu/kernels.h"
#include "fusebox/compiler/codegen/cpu/operands.h"

namespace fusebox::codegen {
namespace {

constexpr int64_t kUnroll = 2;  // Of k. More gains nothing, and takes longer to compile.

class MatMulEmitter {
 public:
  explicit MatMulEmitter(const KernelContext& c) : c_(c), ir_(c.ir), product_(c), tiling_(product_.tiling) {}

  Value* Units() { return ir_.Mul(ir_.CeilDiv(c_.Dim(product_.n), tiling_.panel()), ir_.I64(tiling_.row_tiles)); }

  void Run() {
    if (tiling_.row_tiles == 0) return;
    PointEmitter points(c_);
    const RowTiles tiles(c_, product_);
    Operands operands(c_, product_, tiles, points);
    points_ = &points;
    tiles_ = &tiles;
    operands_ = &operands;
    Part all = {.begin_unit = c_.begin,
                .end_unit = c_.end,
                .begin_k = ir_.I64(0),
                .size_of_k = c_.Dim(product_.k),
                .first_tile = ir_.I64(0),
                .end_tile = ir_.I64(tiling_.row_tiles)};
    if (c_.by_rows) {
      all.begin_unit = ir_.I64(0);
      all.end_unit = Units();
      all.first_tile = c_.begin;
      all.end_tile = c_.end;
    }
    if (product_.sums_in_parts()) partial_sums_ = ArenaAddress(c_, c_.Number(NumberKind::kPartialSums, product_.node));
    BlocksOfColumns(all, [&](const Part& columns) {
      BlocksOfRows(columns, [&](const Part& rows) { BlocksOfK(rows, [&](const Part& part) { Panels(part); }); });
    });
  }

 private:
  using PartBody = std::function<void(const Part&)>;

  void BlocksOfColumns(const Part& all, const PartBody& body) {
    const int64_t panels = product_.schedule.columns / tiling_.panel();
    if (panels == 0 || panels * tiling_.panel() >= product_.n) return body(all);
    const int64_t units = panels * tiling_.row_tiles;
    ir_.Loop(all.begin_unit, all.end_unit, units, [&](Value* begin) {
      Part part = all;
      part.begin_unit = begin;
      part.end_unit = ir_.Min(ir_.Add(begin, ir_.I64(units)), all.end_unit);
      body(part);
    });
  }
  void BlocksOfRows(const Part& all, const PartBody& body) {
    const int64_t tiles = operands_->tiles_a_block();
    if (tiles >= tiling_.row_tiles) return body(all);
    ir_.Loop(all.first_tile, all.end_tile, tiles, [&](Value* tile) {
      Part part = all;
      part.first_tile = tile;
      part.end_tile = ir_.Min(ir_.Add(tile, ir_.I64(tiles)), all.end_tile);
      body(part);
    });
  }
  void BlocksOfK(const Part& all, const PartBody& body) {
    if (!product_.sums_in_parts()) return body(all);
    ir_.Loop(all.begin_k, all.size_of_k, product_.schedule.k, [&](Value* begin) {
      Part part = all;
      part.begin_k = begin;
      part.size_of_k = ir_.Min(ir_.b.CreateSub(all.size_of_k, begin), ir_.I64(product_.schedule.k));
      part.first = ir_.b.CreateIsNull(begin);
      part.last = ir_.b.CreateICmpEQ(ir_.b.CreateAdd(begin, part.size_of_k), all.size_of_k);
      body(part);
    });
  }

  void Panels(const Part& part) {
    // The units of one panel after the other. Of the first and the last panel, there may be some tiles only.
    Value* tiles = ir_.I64(tiling_.row_tiles);
    Value* first = ir_.b.CreateUDiv(part.begin_unit, tiles);
    Value* last = ir_.CeilDiv(part.end_unit, tiling_.row_tiles);
    operands_->BeginPart(part, first, last);
    ir_.Loop(first, last, 1, [&](Value* panel) {
      Value* start = ir_.Mul(panel, tiles);
      Value* from = ir_.Max(ir_.b.CreateSub(part.begin_unit, start), part.first_tile);
      Value* to = ir_.Min(ir_.b.CreateSub(part.end_unit, start), part.end_tile);
      operands_->BeginPanel(part, first, panel, last);
      ForPanel(ir_.Mul(panel, ir_.I64(tiling_.panel())), [&](int64_t vectors, Value* mask, Value* column) {
        const PieceOfB b = operands_->B(part, column, mask);
        tiles_->ForEachWhole(from, to, [&](Value* tile, Value* row, int64_t height) {
          operands_->Prefetch(part, panel, tile);
          Compute(part, operands_->A(part, tile, row, height), b, {row, height, column, vectors, mask});
        });
        tiles_->ForEachRowBehind(from, to, [&](Value* row) {
          Compute(part, operands_->RowsOfA(part, row, 1), b, {row, 1, column, vectors, mask});
        });
      });
    });
  }

  // Whole panels, then the columns that are left: fewer vectors, the last of them masked.
  using PanelBody = std::function<void(int64_t vectors, Value* mask, Value* column)>;
  void ForPanel(Value* column, const PanelBody& body) {
    const int64_t n = product_.n;
    Value* columns = c_.Dim(n);
    const auto masked_rest = [&](int64_t vectors) {
      Value* last = ir_.Add(column, ir_.I64((vectors - 1) * tiling_.lanes));
      return LanesBefore(ir_, last, columns, tiling_.lanes);
    };
    if (n >= 0) {
      const int64_t rest = n % tiling_.panel();
      const int64_t vectors = CeilDiv(rest, tiling_.lanes);
      const auto whole = [&] { body(tiling_.vectors, nullptr, column); };
      const auto part = [&] { body(vectors, rest % tiling_.lanes != 0 ? masked_rest(vectors) : nullptr, column); };
      if (rest == 0) return whole();
      if (n < tiling_.panel()) return part();
      ir_.If(ir_.b.CreateICmpSLT(column, ir_.I64(n - rest)), whole, part);
      return;
    }
    // The width is symbolic: behind the last whole panel, vector by vector.
    Value* whole = ir_.b.CreateICmpSLE(ir_.Add(column, ir_.I64(tiling_.panel())), columns);
    ir_.If(
        whole, [&] { body(tiling_.vectors, nullptr, column); },
        [&] {
          ir_.Loop(column, columns, tiling_.lanes,
                   [&](Value* at) { body(1, LanesBefore(ir_, at, columns, tiling_.lanes), at); });
        });
  }

  // A register tile: `height` rows from `row` on, `vectors` vectors of columns from `column` on. The mask is for the
  // last vector; null: all lanes lie inside.
  struct Tile {
    Value* row;
    int64_t height;
    Value* column;
    int64_t vectors;
    Value* mask;

    size_t size() const { return size_t(height * vectors); }
    size_t Index(int64_t i, int64_t j) const { return size_t(i * vectors + j); }
  };

  void Compute(const Part& part, const PieceOfA& a, const PieceOfB& b, const Tile& tile) {
    Values sums = Begin(part, tile);
    PrefetchOperandsOfMembers(tile);
    sums = AlongK(part.size_of_k, a, b, tile, std::move(sums));
    if (part.last == nullptr) return Epilogue(sums, tile);
    ir_.If(part.last, [&] { Epilogue(sums, tile); }, [&] { StorePartial(sums, tile); });
  }

  llvm::Type* Vector() { return Ir::Lanes(ir_.ElementType(product_.dtype), tiling_.lanes); }

  // Zeros, or the sums over the blocks of k before this one.
  Values Begin(const Part& part, const Tile& tile) {
    Values sums(tile.size(), llvm::Constant::getNullValue(Vector()));
    if (part.first == nullptr) return sums;
    sums = ir_.Choose(part.first, [&] { return sums; }, [&] { return LoadPartial(tile); });
    for (int64_t i = 0; i < tile.height * tiling_.panel(); i += kPanel) {
      Value* next = PartialIndex(ir_.Add(tile.row, ir_.I64(tile.height)), tile.column);
      ir_.Prefetch(ir_.At(partial_sums_, product_.dtype, ir_.Add(next, ir_.I64(i))));
    }
    return sums;
  }

  // What the members load comes while the products are computed.
  void PrefetchOperandsOfMembers(const Tile& tile) {
    for (int64_t i = 0; i < tile.height; ++i) {
      for (int64_t j = 0; j < tile.vectors * tiling_.lanes; j += kPanel) {
        Point point;
        point.outer = {ir_.Add(tile.row, ir_.I64(i))};
        point.inner = ir_.Add(tile.column, ir_.I64(j));
        points_->Prefetch(point);
      }
    }
  }

  // Along k with the accumulators and the two pointers carried: an inner loop that computes no address.
  Values AlongK(Value* size_of_k, const PieceOfA& a, const PieceOfB& b, const Tile& tile, Values sums) {
    sums.push_back(a.Begin(ir_));
    sums.push_back(b.start);
    const auto body = [&](int64_t count) {
      return [&, count](Value*, Values acc) {
        Value* b_here = acc.back();
        acc.pop_back();
        Value* a_here = acc.back();
        acc.pop_back();
        for (int64_t u = 0; u < count; ++u) RankUpdate(ir_.I64(u), a, a_here, b, b_here, tile, acc);
        acc.push_back(a.Next(ir_, a_here, ir_.I64(count)));
        acc.push_back(ir_.At(b_here, product_.dtype, ir_.Mul(ir_.I64(count), b.k_stride)));
        return acc;
      };
    };
    if (auto* fixed = llvm::dyn_cast<llvm::ConstantInt>(size_of_k)) {
      const int64_t k = fixed->getSExtValue(), whole = k / kUnroll * kUnroll;
      if (whole > 0) sums = ir_.InnerLoop(ir_.I64(0), ir_.I64(whole), kUnroll, std::move(sums), body(kUnroll));
      if (k > whole) sums = body(k - whole)(nullptr, std::move(sums));
    } else {
      Value* whole = ir_.b.CreateAnd(size_of_k, ir_.I64(-kUnroll));
      sums = ir_.Loop(ir_.I64(0), whole, kUnroll, std::move(sums), body(kUnroll));
      sums = ir_.Loop(whole, size_of_k, 1, std::move(sums), body(1));
    }
    sums.resize(tile.size());
    return sums;
  }

  // Adds the products of a column of A and a row of B, `u` behind the positions `a_here` and `b_here`.
  void RankUpdate(Value* u, const PieceOfA& a, Value* a_here, const PieceOfB& b, Value* b_here, const Tile& tile,
                  Values& acc) {
    // In panels, the vectors of a row of B lie as many rows apart as B has.
    const bool panels = product_.layout_of_b == Layout::kPanels;
    const auto b_column = [&](Value* j) { return panels ? PanelIndex(ir_, c_.Dim(product_.k), ir_.I64(0), j) : j; };
    Values b_row;
    for (int64_t j = 0; j < tile.vectors; ++j) {
      Value* index = ir_.Add(ir_.Mul(u, b.k_stride), b_column(ir_.I64(j * tiling_.lanes)));
      Value* edge = j == tile.vectors - 1 ? b.mask : nullptr;
      b_row.push_back(ir_.LoadLanes(b_here, product_.dtype, index, tiling_.lanes, edge));
    }
    const PieceOfA::Column column = a.At(ir_, a_here, u);
    // A column of A is one short piece of each row, so the pieces of the next tiles are prefetched well ahead.
    if (operands_->scattered_a()) ir_.Prefetch(a.Address(ir_, column, kPanel));
    for (int64_t i = 0; i < tile.height; ++i) {
      Value* address = a.Address(ir_, column, i);
      Value* element = ir_.Splat(ir_.LoadLanes(address, product_.dtype, ir_.I64(0), 1, nullptr), tiling_.lanes);
      for (int64_t j = 0; j < tile.vectors; ++j) {
        Value*& sum = acc[tile.Index(i, j)];
        sum = ir_.b.CreateIntrinsic(llvm::Intrinsic::fmuladd, {Vector()}, {element, b_row[size_t(j)], sum});
      }
    }
  }

  // Sums so far lie by panels, so those of a tile are contiguous.
  Value* PartialIndex(Value* row, Value* column) {
    return ir_.Add(ir_.Mul(column, c_.Dim(product_.m)), ir_.Mul(row, ir_.I64(tiling_.panel())));
  }
  Value* PartialIndex(const Tile& tile, int64_t i, int64_t j) {
    return ir_.Add(PartialIndex(ir_.Add(tile.row, ir_.I64(i)), tile.column), ir_.I64(j * tiling_.lanes));
  }
  Values LoadPartial(const Tile& tile) {
    Values sums;
    for (int64_t i = 0; i < tile.height; ++i) {
      for (int64_t j = 0; j < tile.vectors; ++j) {
        Value* index = PartialIndex(tile, i, j);
        sums.push_back(ir_.LoadLanes(partial_sums_, product_.dtype, index, tiling_.lanes, nullptr));
      }
    }
    return sums;
  }
  void StorePartial(const Values& sums, const Tile& tile) {
    for (int64_t i = 0; i < tile.height; ++i) {
      for (int64_t j = 0; j < tile.vectors; ++j) {
        Value* index = PartialIndex(tile, i, j);
        ir_.StoreLanes(sums[tile.Index(i, j)], partial_sums_, product_.dtype, index, nullptr);
      }
    }
  }

  // Computes all results before it stores any, so that what rows share is loaded once.
  void Epilogue(const Values& sums, const Tile& tile) {
    std::vector<std::pair<Point, std::vector<Value*>>> results;
    std::vector<Memo> memos(tile.size());
    points_->NextRow();
    for (int64_t i = 0; i < tile.height; ++i) {
      for (int64_t j = 0; j < tile.vectors; ++j) {
        Memo& memo = memos[tile.Index(i, j)];
        memo[product_.node] = sums[tile.Index(i, j)];
        Point point;
        point.outer = {ir_.Add(tile.row, ir_.I64(i))};
        point.inner = ir_.Add(tile.column, ir_.I64(j * tiling_.lanes));
        point.lanes = tiling_.lanes;
        point.mask = j == tile.vectors - 1 ? tile.mask : nullptr;
        point.memo = &memo;
        std::vector<Value*> values;
        for (const NodeId id : c_.kernel.stored) values.push_back(points_->Element(id, point));
        results.emplace_back(std::move(point), std::move(values));
      }
    }
    for (const auto& [point, values] : results) {
      for (size_t s = 0; s < values.size(); ++s) points_->Store(c_.kernel.stored[s], values[s], point);
    }
  }

  const KernelContext& c_;
  Ir& ir_;
  const Product product_;
  const Tiling& tiling_;
  // Set while Run runs.
  PointEmitter* points_ = nullptr;
  const RowTiles* tiles_ = nullptr;
  Operands* operands_ = nullptr;
  Value* partial_sums_ = nullptr;  // Where sums over some blocks of k lie; null if k is one block.
};

}  // namespace

// The units of a panel are a group if the kernel reads or writes matrices in panels. The tiles of the last panel may be
// narrower.
WorkUnits MatMulUnits(const KernelContext& c) {
  const Product product(c);
  const Tiling& t = product.tiling;
  WorkUnits units = {.count = MatMulEmitter(c).Units()};
  if (product.in_panels && product.n > t.panel() && t.row_tiles > 0) units.group = t.row_tiles;
  if (const int64_t rest = product.n > 0 ? product.n % t.panel() : 0; rest > 0) {
    units.light = t.row_tiles;
    units.work = TwiceCyclesOfTile(t.rows, t.vectors);
    units.light_work = TwiceCyclesOfTile(t.rows, CeilDiv(rest, t.lanes));
  }
  return units;
}
void EmitMatMul(const KernelContext& c) { MatMulEmitter(c).Run(); }

std::string MatMulTile(const KernelContext& c) {
  const Tiling t = Product(c).tiling;
  return fmt::format("{}x{}", t.rows, t.panel());
}

}  // namespace fusebox::codegen
