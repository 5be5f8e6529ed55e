// SPDX-License-Identifier: Apache-2.0
// Matrix products: C[m, n] = A[m, k] B[k, n], A read transposed if so asked, and everything elementwise that follows,
// while the tile is in registers.
//
//     for unit in panels of columns x tiles of rows        a panel's B stays in cache over its row tiles
//       tile = 0                                           rows x vectors accumulators, all in registers
//       for k ascending: tile += broadcast(A[row, k]) * B[k, columns]
//       members on the tile; store
//
// A long k goes in blocks: for each, all units, whose sums lie in memory in between. So what a block of A and B reads
// stays in the second-level cache, and where there are many row tiles, a panel of B is copied to be contiguous.
//
// Each element is one ascending chain of fused multiply-adds over k, so the result depends on no tile shape, thread or
// vector width. Matrices lie as layouts.h says. Where a row is exact, its last vector is masked; the rows
// of a last, partial batch go one by one. After Goto and van de Geijn (2008), Anatomy of High-Performance Matrix
// Multiplication.
#include "fusebox/compiler/codegen/kernels.h"
#include "fusebox/compiler/codegen/tiling.h"
#include "fusebox/graph/check.h"

namespace fusebox::codegen {
namespace {

constexpr int64_t kTilesToCopyB = 8;      // Row tiles from which on copying B's block pays.
constexpr int64_t kPanelsToCopyA = 8;     // Panels from which on copying A's block pays.
constexpr int64_t kBytesOfA = 96 * 1024;  // Of a block of A: a part of the second-level cache.
constexpr int64_t kUnroll = 2;  // Of k. More gains nothing, and takes longer to compile.

int64_t CeilDiv(int64_t x, int64_t by) { return (x + by - 1) / by; }

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
    tiling_ = ChooseTiling(c.target, dtype_, Resolve(m_, c.row_capacity), Resolve(n_, c.row_capacity), TouchesPanels());
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
    Value* k = c_.Dim(k_);
    Value* row_tiles = ir_.I64(tiling_.row_tiles);
    if (const auto partial = c_.plan.partial_sums.find(matmul_); partial != c_.plan.partial_sums.end()) {
      partial_ = ArenaAddress(c_, partial->second);
      const auto room = [&](int64_t elements) {
        llvm::AllocaInst* copy =
            ir_.b.CreateAlloca(llvm::ArrayType::get(ir_.ElementType(dtype_), uint64_t(elements)));
        copy->setAlignment(llvm::Align(64));
        return copy;
      };
      const int64_t tiles = RowTilesABlock();
      if (tiling_.row_tiles >= kTilesToCopyB) copy_of_b_ = room(kBlockOfK * tiling_.panel());
      if (CopiesA()) copy_of_a_ = room(kBlockOfK * tiling_.rows * tiles);
      ir_.Loop(ir_.I64(0), row_tiles, tiles, [&](Value* tile) {
        ir_.Loop(ir_.I64(0), k, kBlockOfK, [&](Value* begin) {
          Value* size = ir_.Min(ir_.b.CreateSub(k, begin), ir_.I64(kBlockOfK));
          Panels({.begin = begin,
                  .size = size,
                  .first_tile = tile,
                  .end_tile = ir_.Min(ir_.Add(tile, ir_.I64(tiles)), row_tiles),
                  .first = ir_.b.CreateIsNull(begin),
                  .last = ir_.b.CreateICmpEQ(ir_.b.CreateAdd(begin, size), k)});
        });
      });
    } else {
      Panels({.begin = ir_.I64(0), .size = k, .first_tile = ir_.I64(0), .end_tile = row_tiles});
    }
  }

 private:
  // Whether B, or anything that the kernel's members read or write, lies in panels.
  bool TouchesPanels() const {
    for (const NodeId id : c_.kernel.members) {
      if (c_.LayoutOf(id) == Layout::kPanels) return true;
      for (const NodeId input : DataInputs(c_.graph()[id])) {
        if (c_.LayoutOf(input) == Layout::kPanels) return true;
      }
    }
    return false;
  }

  // A copy of A is read once a panel.
  bool CopiesA() const {
    return tiling_.row_tiles >= kTilesToCopyB && n_ >= kPanelsToCopyA * tiling_.panel();
  }
  int64_t RowTilesABlock() const {
    return std::max<int64_t>(kBytesOfA / (SizeOf(dtype_) * kBlockOfK * tiling_.rows), 1);
  }

  // Part of k, for some row tiles. Where there are several parts, the sums so far lie in memory between them.
  struct Block {
    Value *begin, *size;
    Value *first_tile, *end_tile;
    Value *first = nullptr, *last = nullptr;  // i1; null: it is all of k.
  };
  // Some rows of A's columns in a block: element (i, k) lies at start + i row_stride + k k_stride.
  struct PieceOfA {
    Value* start;
    Value* row_stride;
    Value* k_stride;
  };
  // Some columns of B's rows in a block.
  struct PieceOfB {
    Value* start;     // At the block's first row.
    Value* k_stride;  // From row to row.
    Value* mask;      // Of the last vector, where it may reach into what is not B's; null: nowhere.
  };

  void Panels(const Block& block) {
    Value* columns = c_.Dim(n_);
    const WholeTiles whole = CountWholeTiles();
    // The units of one panel after the other; of the first and the last one maybe some tiles only.
    Value* tiles = ir_.I64(tiling_.row_tiles);
    Value* first = ir_.b.CreateUDiv(c_.begin, tiles);
    Value* last = ir_.CeilDiv(c_.end, tiling_.row_tiles);
    if (copy_of_a_ != nullptr) CopyA(block, whole, first, last);
    ir_.Loop(first, last, 1, [&](Value* panel) {
      Value* start = ir_.Mul(panel, tiles);
      Value* from = ir_.Max(ir_.b.CreateSub(c_.begin, start), block.first_tile);
      Value* to = ir_.Min(ir_.b.CreateSub(c_.end, start), block.end_tile);
      ForPanel(ir_.Mul(panel, ir_.I64(tiling_.panel())), columns, [&](int64_t vectors, Value* mask, Value* column) {
        const PieceOfB b = FindB(block, column, vectors, mask);
        ir_.Loop(from, ir_.Min(to, whole.tall), 1, [&](Value* tile) {
          Value* row = RowOfTall(tile);
          Tile(block, FindA(block, tile, row), b, row, tiling_.rows, column, vectors, mask);
        });
        if (tiling_.rows > 1 && tiling_.tall < tiling_.row_tiles) {
          ir_.Loop(ir_.Max(from, ir_.I64(tiling_.tall)), ir_.Min(to, whole.all), 1, [&](Value* tile) {
            Value* row = RowOfLow(tile);
            Tile(block, FindA(block, tile, row), b, row, tiling_.rows - 1, column, vectors, mask);
          });
        }
        if (m_ >= 0) return;
        Value* mine = ir_.b.CreateAnd(ir_.b.CreateICmpSGE(whole.all, from), ir_.b.CreateICmpSLT(whole.all, to));
        ir_.If(mine, [&] {
          ir_.Loop(whole.rows, c_.Dim(m_), 1,
                   [&](Value* row) { Tile(block, WhereAIs(block, row), b, row, 1, column, vectors, mask); });
        });
      });
    });
  }

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

  Value* RowOfTall(Value* tile) { return ir_.Mul(tile, ir_.I64(tiling_.rows)); }
  Value* RowOfLow(Value* tile) { return ir_.Add(ir_.Mul(tile, ir_.I64(tiling_.rows - 1)), ir_.I64(tiling_.tall)); }

  // The tiles that lie inside the rows, the tall ones and all, and where they end. Of a partial batch the rows behind
  // are fewer than a tile; they belong to the next one, and go one by one.
  struct WholeTiles {
    Value *tall, *all, *rows;
  };
  WholeTiles CountWholeTiles() {
    Value* tall = ir_.I64(tiling_.tall);
    if (m_ >= 0) return {tall, ir_.I64(tiling_.row_tiles), ir_.I64(m_)};
    Value* rows = c_.Dim(m_);
    Value* whole_tall = ir_.Min(ir_.b.CreateUDiv(rows, ir_.I64(tiling_.rows)), tall);
    if (tiling_.rows == 1) return {whole_tall, whole_tall, RowOfTall(whole_tall)};
    Value* behind = ir_.Max(ir_.b.CreateSub(rows, RowOfTall(tall)), ir_.I64(0));
    Value* all = ir_.Add(whole_tall, ir_.b.CreateUDiv(behind, ir_.I64(tiling_.rows - 1)));
    Value* end = ir_.b.CreateSelect(ir_.b.CreateICmpSGT(all, tall), RowOfLow(all), RowOfTall(whole_tall));
    return {whole_tall, all, end};
  }

  PieceOfA WhereAIs(const Block& block, Value* row) {
    Value* stride = c_.RowStride(c_.graph()[matmul_].inputs[0]);
    Value* a_row = transposed_ ? ir_.I64(1) : stride;
    Value* a_k = transposed_ ? stride : ir_.I64(1);
    return {ir_.At(a_, dtype_, ir_.Add(ir_.Mul(row, a_row), ir_.Mul(block.begin, a_k))), a_row, a_k};
  }
  PieceOfA FindA(const Block& block, Value* tile, Value* row) {
    if (copy_of_a_ == nullptr) return WhereAIs(block, row);
    Value* start = ir_.Mul(ir_.b.CreateSub(tile, block.first_tile), ir_.I64(tiling_.rows * kBlockOfK));
    return {ir_.At(copy_of_a_, dtype_, start), ir_.I64(transposed_ ? 1 : kBlockOfK),
            ir_.I64(transposed_ ? tiling_.rows : 1)};
  }

  // Tile by tile, of each its rows one after the other, or, where A is transposed, its columns. So a tile is read as one
  // stream, not as lines that are pages apart.
  void CopyA(const Block& block, const WholeTiles& whole, Value* first_panel, Value* last_panel) {
    Value* tiles = ir_.I64(tiling_.row_tiles);
    Value* one = ir_.b.CreateICmpEQ(ir_.Add(first_panel, ir_.I64(1)), last_panel);
    Value* start = ir_.Mul(first_panel, tiles);
    Value* from = ir_.Max(ir_.b.CreateSelect(one, ir_.b.CreateSub(c_.begin, start), ir_.I64(0)), block.first_tile);
    Value* to = ir_.Min(ir_.b.CreateSelect(one, ir_.b.CreateSub(c_.end, start), tiles), block.end_tile);
    const auto copy_tile = [&](Value* tile, Value* row, int64_t height) {
      const PieceOfA source = WhereAIs(block, row), copy = FindA(block, tile, row);
      const auto move = [&](Value* from_index, Value* to_index, int64_t lanes) {
        ir_.StoreLanes(ir_.LoadLanes(source.start, dtype_, from_index, lanes, nullptr), copy.start, dtype_, to_index,
                       nullptr);
      };
      if (transposed_) {
        ir_.Loop(ir_.I64(0), block.size, 1, [&](Value* k) {
          move(ir_.Mul(k, source.k_stride), ir_.Mul(k, copy.k_stride), height);
        });
        return;
      }
      const int64_t lanes = tiling_.lanes;
      Value* whole_lanes = ir_.b.CreateAnd(block.size, ir_.I64(-lanes));
      for (int64_t i = 0; i < height; ++i) {
        Value* from_row = ir_.Mul(ir_.I64(i), source.row_stride);
        Value* to_row = ir_.Mul(ir_.I64(i), copy.row_stride);
        ir_.Loop(ir_.I64(0), whole_lanes, lanes,
                 [&](Value* k) { move(ir_.Add(from_row, k), ir_.Add(to_row, k), lanes); });
        ir_.Loop(whole_lanes, block.size, 1, [&](Value* k) { move(ir_.Add(from_row, k), ir_.Add(to_row, k), 1); });
      }
    };
    ir_.Loop(from, ir_.Min(to, whole.tall), 1, [&](Value* tile) { copy_tile(tile, RowOfTall(tile), tiling_.rows); });
    if (tiling_.rows > 1 && tiling_.tall < tiling_.row_tiles) {
      ir_.Loop(ir_.Max(from, ir_.I64(tiling_.tall)), ir_.Min(to, whole.all), 1,
               [&](Value* tile) { copy_tile(tile, RowOfLow(tile), tiling_.rows - 1); });
    }
  }

  // Where B is read, or a copy of it, made here: row-major, it is a line or two of every row, far apart.
  PieceOfB FindB(const Block& block, Value* column, int64_t vectors, Value* mask) {
    const NodeId b = c_.graph()[matmul_].inputs[1];
    if (layout_of_b_ == Layout::kPanels) {
      Value* index = PanelIndex(ir_, c_.Dim(k_), block.begin, column);
      return {ir_.At(b_, dtype_, index), ir_.I64(kPanel), nullptr};
    }
    Value* stride = c_.RowStride(b);
    Value* start = ir_.At(b_, dtype_, ir_.Add(ir_.Mul(block.begin, stride), column));
    if (layout_of_b_ != Layout::kExact) mask = nullptr;
    if (copy_of_b_ == nullptr) return {start, stride, mask};
    ir_.Loop(ir_.I64(0), block.size, 1, [&](Value* k) {
      for (int64_t j = 0; j < vectors; ++j) {
        Value* lanes = ir_.I64(j * tiling_.lanes);
        Value* edge = j == vectors - 1 ? mask : nullptr;
        Value* x = ir_.LoadLanes(start, dtype_, ir_.Add(ir_.Mul(k, stride), lanes), tiling_.lanes, edge);
        ir_.StoreLanes(x, copy_of_b_, dtype_, ir_.Add(ir_.Mul(k, ir_.I64(tiling_.panel())), lanes), nullptr);
      }
    });
    return {copy_of_b_, ir_.I64(tiling_.panel()), nullptr};
  }

  void Tile(const Block& block, const PieceOfA& piece_of_a, const PieceOfB& piece, Value* row, int64_t height,
            Value* column, int64_t vectors, Value* mask) {
    llvm::Type* vector = Ir::Lanes(ir_.ElementType(dtype_), tiling_.lanes);
    // B's row k lies at b + k b_k; in panels, those of one row lie as many rows apart as B has, and the last one is padded.
    const bool panels = layout_of_b_ == Layout::kPanels;
    Value* a_row = piece_of_a.row_stride;
    Value* a_k = piece_of_a.k_stride;
    Value* b_k = piece.k_stride;
    const auto b_column = [&](Value* j) { return panels ? PanelIndex(ir_, c_.Dim(k_), ir_.I64(0), j) : j; };
    Value* a = piece_of_a.start;
    Value* b = piece.start;
    Values tile(size_t(height * vectors), llvm::Constant::getNullValue(vector));
    if (block.first != nullptr) {
      tile = ir_.Choose(block.first, [&] { return tile; }, [&] { return LoadPartial(row, height, column, vectors); });
    }
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
          Value* edge = j == vectors - 1 ? piece.mask : nullptr;
          b_row.push_back(ir_.LoadLanes(b_here, dtype_, index, tiling_.lanes, edge));
        }
        // A column of A is one short piece of each row: the next tiles' pieces are asked for well ahead.
        if (transposed_ && copy_of_a_ == nullptr) ir_.Prefetch(ir_.At(a_here, dtype_, ir_.Add(ir_.Mul(ir_.I64(u), a_k), ir_.I64(kPanel))));
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
    if (auto* fixed = llvm::dyn_cast<llvm::ConstantInt>(block.size)) {
      const int64_t k = fixed->getSExtValue(), whole = k / kUnroll * kUnroll;
      if (whole > 0) tile = ir_.InnerLoop(ir_.I64(0), ir_.I64(whole), kUnroll, std::move(tile), body(kUnroll));
      if (k > whole) tile = body(k - whole)(nullptr, std::move(tile));
    } else {
      Value* whole = ir_.b.CreateAnd(block.size, ir_.I64(-kUnroll));
      tile = ir_.Loop(ir_.I64(0), whole, kUnroll, std::move(tile), body(kUnroll));
      tile = ir_.Loop(whole, block.size, 1, std::move(tile), body(1));
    }
    tile.resize(size_t(height * vectors));
    if (block.last == nullptr) return Epilogue(tile, row, height, column, vectors, mask);
    ir_.If(
        block.last, [&] { Epilogue(tile, row, height, column, vectors, mask); },
        [&] { StorePartial(tile, row, height, column, vectors); });
  }

  // Sums so far: a matrix with padded rows.
  Value* PartialIndex(Value* row, Value* column) {
    return ir_.Add(ir_.Mul(row, ir_.I64(RowStride(n_, Layout::kPadded))), column);
  }
  Values LoadPartial(Value* row, int64_t height, Value* column, int64_t vectors) {
    Values tile;
    for (int64_t i = 0; i < height; ++i) {
      for (int64_t j = 0; j < vectors; ++j) {
        Value* index = PartialIndex(ir_.Add(row, ir_.I64(i)), ir_.Add(column, ir_.I64(j * tiling_.lanes)));
        tile.push_back(ir_.LoadLanes(partial_, dtype_, index, tiling_.lanes, nullptr));
      }
    }
    return tile;
  }
  void StorePartial(const Values& tile, Value* row, int64_t height, Value* column, int64_t vectors) {
    for (int64_t i = 0; i < height; ++i) {
      for (int64_t j = 0; j < vectors; ++j) {
        Value* index = PartialIndex(ir_.Add(row, ir_.I64(i)), ir_.Add(column, ir_.I64(j * tiling_.lanes)));
        ir_.StoreLanes(tile[size_t(i * vectors + j)], partial_, dtype_, index, nullptr);
      }
    }
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
  Value* partial_ = nullptr;  // Where sums over some blocks of k lie; null if k is one block.
  // Where a block of A, a block of B are copied to; null if they are read where they lie.
  Value *copy_of_a_ = nullptr, *copy_of_b_ = nullptr;
};

}  // namespace

Value* MatMulUnits(const KernelContext& c) { return MatMulEmitter(c).Units(); }
void EmitMatMul(const KernelContext& c) { MatMulEmitter(c).Run(); }

std::string MatMulTile(const KernelContext& c) {
  const Tiling t = MatMulEmitter(c).tiling();
  return fmt::format("{}x{}", t.rows, t.panel());
}

}  // namespace fusebox::codegen
