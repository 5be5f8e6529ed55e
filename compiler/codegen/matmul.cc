// SPDX-License-Identifier: Apache-2.0
// Matrix products: C[m, n] = A[m, k] B[k, n], A read transposed if so asked, and everything elementwise that follows,
// while the tile is in registers.
//
//     for unit in panels of columns x tiles of rows        a panel's B stays in cache over its row tiles
//       tile = 0                                           rows x vectors accumulators, all in registers
//       for k ascending: tile += broadcast(A[row, k]) * B[k, columns]
//       members on the tile; store
//
// Each element is one ascending chain of fused multiply-adds over k, so the result depends on no tile shape, thread or
// vector width. B is read where it lies, row-major or in panels (layouts.h). The last vector of a row is masked, the rows
// of a last, partial batch go one by one. After Goto and van de Geijn (2008), Anatomy of High-Performance Matrix
// Multiplication.
#include <algorithm>
#include <limits>

#include "fusebox/compiler/codegen/kernels.h"
#include "fusebox/graph/check.h"

namespace fusebox::codegen {
namespace {

constexpr int64_t kUnroll = 2;  // Of k. More gains nothing, and takes longer to compile.

int64_t CeilDiv(int64_t x, int64_t by) { return (x + by - 1) / by; }

// A tile of `rows` x `vectors` accumulators. The row tiles are nearly equal: `tall` of them have this height, the other
// `row_tiles - tall` one row less.
struct Tiling {
  int64_t rows = 1, vectors = 1;
  int64_t row_tiles = 0, tall = 0;
  int64_t lanes = 1;  // Of a vector.
  int64_t panel() const { return vectors * lanes; }
};

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

// The cheapest tile that fits into the registers beside one row of B and one broadcast element of A. Where B lies in
// panels, a tile is as wide as some of them.
Tiling ChooseTiling(const Target& target, DType dtype, int64_t m, int64_t n, bool panels) {
  const int64_t lanes = target.vector_bytes / SizeOf(dtype);
  Tiling best;
  double best_cost = std::numeric_limits<double>::infinity();
  for (int64_t vectors = 1; vectors <= 4; ++vectors) {
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

class MatMulEmitter {
 public:
  explicit MatMulEmitter(const KernelContext& c) : c_(c), ir_(c.ir) {
    for (const NodeId id : c.kernel.members) {
      if (c.graph()[id].op == Op::kMatMul) matmul_ = id;
    }
    const Node& node = c.graph()[matmul_];
    dtype_ = node.type.dtype;
    m_ = node.type.shape[0];
    n_ = node.type.shape[1];
    transposed_ = node.attributes.Flag("transpose_a");
    const Shape& a = c.graph()[node.inputs[0]].type.shape;
    k_ = a[transposed_ ? 0 : 1];
    layout_of_b_ = c.LayoutOf(node.inputs[1]);
    tiling_ = ChooseTiling(c.target, dtype_, Resolve(m_, c.row_capacity), Resolve(n_, c.row_capacity),
                           layout_of_b_ == Layout::kPanels);
  }

  const Tiling& tiling() const { return tiling_; }
  Value* Units() { return ir_.Mul(ir_.CeilDiv(c_.Dim(n_), tiling_.panel()), ir_.I64(tiling_.row_tiles)); }

  void Run() {
    if (tiling_.row_tiles == 0) return;
    PointEmitter points(c_);
    points_ = &points;
    const Node& node = c_.graph()[matmul_];
    a_ = points.base(StorageOf(c_.graph(), node.inputs[0]));
    b_ = points.base(StorageOf(c_.graph(), node.inputs[1]));
    Value* rows = c_.Dim(m_);
    Value* columns = c_.Dim(n_);
    // The units of one panel after the other; of the first and the last one maybe some tiles only.
    Value* tiles = ir_.I64(tiling_.row_tiles);
    Value* tall = ir_.I64(tiling_.tall);
    Value* first = ir_.b.CreateUDiv(c_.begin, tiles);
    Value* last = ir_.CeilDiv(c_.end, tiling_.row_tiles);
    ir_.Loop(first, last, 1, [&](Value* panel) {
      Value* start = ir_.Mul(panel, tiles);
      Value* from = ir_.Max(ir_.b.CreateSub(c_.begin, start), ir_.I64(0));
      Value* to = ir_.Min(ir_.b.CreateSub(c_.end, start), tiles);
      ForPanel(ir_.Mul(panel, ir_.I64(tiling_.panel())), columns, [&](int64_t vectors, Value* mask, Value* column) {
        ir_.Loop(from, ir_.Min(to, tall), 1, [&](Value* tile) {
          Rows(ir_.Mul(tile, ir_.I64(tiling_.rows)), tiling_.rows, rows, column, vectors, mask);
        });
        if (tiling_.rows == 1 || tiling_.tall == tiling_.row_tiles) return;
        ir_.Loop(ir_.Max(from, tall), to, 1, [&](Value* tile) {
          Value* row = ir_.Add(ir_.Mul(tile, ir_.I64(tiling_.rows - 1)), tall);
          Rows(row, tiling_.rows - 1, rows, column, vectors, mask);
        });
      });
    });
  }

 private:
  // Whole panels, and what is left of the columns: fewer vectors, the last of them masked.
  using PanelBody = std::function<void(int64_t vectors, Value* mask, Value* column)>;
  void ForPanel(Value* column, Value* columns, const PanelBody& body) {
    const auto masked_rest = [&](int64_t vectors) {
      Value* last = ir_.Add(column, ir_.I64((vectors - 1) * tiling_.lanes));
      return LanesBefore(ir_, last, columns, tiling_.lanes);
    };
    if (n_ >= 0) {
      const int64_t rest = n_ % tiling_.panel();
      const int64_t vectors = CeilDiv(rest, tiling_.lanes);
      const auto whole = [&] { body(tiling_.vectors, nullptr, column); };
      const auto part = [&] { body(vectors, rest % tiling_.lanes != 0 ? masked_rest(vectors) : nullptr, column); };
      if (rest == 0) return whole();
      if (n_ < tiling_.panel()) return part();
      ir_.If(ir_.b.CreateICmpSLT(column, ir_.I64(n_ - rest)), whole, part);
      return;
    }
    // A symbolic width: vector by vector behind the last whole panel.
    Value* whole = ir_.b.CreateICmpSLE(ir_.Add(column, ir_.I64(tiling_.panel())), columns);
    ir_.If(
        whole, [&] { body(tiling_.vectors, nullptr, column); },
        [&] {
          ir_.Loop(column, columns, tiling_.lanes,
                   [&](Value* at) { body(1, LanesBefore(ir_, at, columns, tiling_.lanes), at); });
        });
  }

  // A tile of this height if it lies inside, else its rows one by one.
  void Rows(Value* row, int64_t height, Value* rows, Value* column, int64_t vectors, Value* mask) {
    if (m_ >= 0) return Tile(row, height, column, vectors, mask);
    Value* end = ir_.Add(row, ir_.I64(height));
    ir_.If(
        ir_.b.CreateICmpSLE(end, rows), [&] { Tile(row, height, column, vectors, mask); },
        [&] { ir_.Loop(row, ir_.Min(end, rows), 1, [&](Value* one) { Tile(one, 1, column, vectors, mask); }); });
  }

  void Tile(Value* row, int64_t height, Value* column, int64_t vectors, Value* mask) {
    llvm::Type* vector = Ir::Lanes(ir_.ElementType(dtype_), tiling_.lanes);
    // Element (i, k) of A lies at a + i a_row + k a_k, B's row k at b + k b_k; in panels, those of one row lie `k` rows
    // apart, and the last one is padded.
    const Node& node = c_.graph()[matmul_];
    const bool panels = layout_of_b_ == Layout::kPanels;
    Value* a_stride = c_.RowStride(node.inputs[0]);
    Value* a_row = transposed_ ? ir_.I64(1) : a_stride;
    Value* a_k = transposed_ ? a_stride : ir_.I64(1);
    Value* b_k = panels ? ir_.I64(kPanel) : c_.RowStride(node.inputs[1]);
    const auto b_column = [&](Value* j) { return panels ? PanelIndex(ir_, c_.Dim(k_), ir_.I64(0), j) : j; };
    Value* a = ir_.At(a_, dtype_, ir_.Mul(row, a_row));
    Value* b = ir_.At(b_, dtype_, b_column(column));
    Values tile(size_t(height * vectors), llvm::Constant::getNullValue(vector));
    // What the members load is asked for now: it comes while the products are computed.
    for (int64_t i = 0; i < height; ++i) {
      for (int64_t j = 0; j < vectors * tiling_.lanes; j += kPanel) {
        Point point;
        point.outer = {ir_.Add(row, ir_.I64(i))};
        point.inner = ir_.Add(column, ir_.I64(j));
        points_->Prefetch(point);
      }
    }

    const auto rank_updates = [&](int64_t count, Value* a_here, Value* b_here, Values acc) {
      for (int64_t u = 0; u < count; ++u) {
        Values b_row;
        for (int64_t j = 0; j < vectors; ++j) {
          Value* index = ir_.Add(ir_.Mul(ir_.I64(u), b_k), b_column(ir_.I64(j * tiling_.lanes)));
          Value* edge = j == vectors - 1 && layout_of_b_ == Layout::kExact ? mask : nullptr;
          b_row.push_back(ir_.LoadLanes(b_here, dtype_, index, tiling_.lanes, edge));
        }
        // A column of A is one short piece of each row: the next tiles' pieces are asked for well ahead.
        if (transposed_) ir_.Prefetch(ir_.At(a_here, dtype_, ir_.Add(ir_.Mul(ir_.I64(u), a_k), ir_.I64(kPanel))));
        for (int64_t i = 0; i < height; ++i) {
          Value* index = ir_.Add(ir_.Mul(ir_.I64(i), a_row), ir_.Mul(ir_.I64(u), a_k));
          Value* element = ir_.Splat(ir_.LoadLanes(a_here, dtype_, index, 1, nullptr), tiling_.lanes);
          for (int64_t j = 0; j < vectors; ++j) {
            Value*& t = acc[size_t(i * vectors + j)];
            t = ir_.b.CreateIntrinsic(llvm::Intrinsic::fmuladd, {vector}, {element, b_row[size_t(j)], t});
          }
        }
      }
      return acc;
    };
    // Along k with the accumulators and the two pointers carried: an inner loop that computes no address.
    tile.push_back(a);
    tile.push_back(b);
    const auto body = [&](int64_t count) {
      return [&, count](Value*, Values acc) {
        Value* b_here = acc.back();
        acc.pop_back();
        Value* a_here = acc.back();
        acc.pop_back();
        acc = rank_updates(count, a_here, b_here, std::move(acc));
        acc.push_back(ir_.At(a_here, dtype_, ir_.Mul(ir_.I64(count), a_k)));
        acc.push_back(ir_.At(b_here, dtype_, ir_.Mul(ir_.I64(count), b_k)));
        return acc;
      };
    };
    if (k_ >= 0) {
      const int64_t whole = k_ / kUnroll * kUnroll;
      if (whole > 0) tile = ir_.InnerLoop(ir_.I64(0), ir_.I64(whole), kUnroll, std::move(tile), body(kUnroll));
      if (k_ > whole) tile = body(k_ - whole)(nullptr, std::move(tile));
    } else {
      Value* k = c_.Dim(k_);
      Value* whole = ir_.b.CreateAnd(k, ir_.I64(-kUnroll));
      tile = ir_.Loop(ir_.I64(0), whole, kUnroll, std::move(tile), body(kUnroll));
      tile = ir_.Loop(whole, k, 1, std::move(tile), body(1));
    }
    tile.resize(size_t(height * vectors));
    Epilogue(tile, row, height, column, vectors, mask);
  }

  // All results first, then all stores: so loads that rows share are loaded once.
  void Epilogue(const Values& tile, Value* row, int64_t height, Value* column, int64_t vectors, Value* mask) {
    std::vector<std::pair<Point, std::vector<Value*>>> results;
    std::vector<Memo> memos(size_t(height * vectors));
    points_->NextRow();
    for (int64_t i = 0; i < height; ++i) {
      for (int64_t j = 0; j < vectors; ++j) {
        Memo& memo = memos[size_t(i * vectors + j)];
        memo[matmul_] = tile[size_t(i * vectors + j)];
        Point point;
        point.outer = {ir_.Add(row, ir_.I64(i))};
        point.inner = ir_.Add(column, ir_.I64(j * tiling_.lanes));
        point.lanes = tiling_.lanes;
        point.mask = j == vectors - 1 ? mask : nullptr;
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
  NodeId matmul_ = 0;
  DType dtype_ = DType::kF32;
  int64_t m_ = 0, n_ = 0, k_ = 0;
  bool transposed_ = false;
  Layout layout_of_b_ = Layout::kExact;
  Tiling tiling_;
  PointEmitter* points_ = nullptr;
  Value *a_ = nullptr, *b_ = nullptr;
};

}  // namespace

Value* MatMulUnits(const KernelContext& c) { return MatMulEmitter(c).Units(); }
void EmitMatMul(const KernelContext& c) { MatMulEmitter(c).Run(); }

std::string MatMulTile(const KernelContext& c) {
  const Tiling t = MatMulEmitter(c).tiling();
  return fmt::format("{}x{}", t.rows, t.panel());
}

}  // namespace fusebox::codegen
