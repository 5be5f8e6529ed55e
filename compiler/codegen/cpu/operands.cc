// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/codegen/cpu/operands.h"

#include "fusebox/compiler/codegen/cpu/kernels.h"
#include "fusebox/graph/check.h"

namespace fusebox::codegen {

Product::Product(const KernelContext& c) {
  for (const NodeId id : c.kernel.members) {
    if (c.graph()[id].info().kind == OpKind::kMatMul) node = id;
  }
  const Node& product = c.graph()[node];
  a = product.inputs[0];
  b = product.inputs[1];
  dtype = product.type.dtype;
  m = product.type.shape[0];
  n = product.type.shape[1];
  transposed = product.attributes.Flag("transpose_a");
  k = c.graph()[a].type.shape[transposed ? 0 : 1];
  if (c.kernel.Has(StorageOf(c.graph(), a))) rows_of_data = StorageOf(c.graph(), a);
  layout_of_b = c.LayoutOf(b);
  const auto planned = c.plan.products.find(node);
  Check(planned != c.plan.products.end(), "a product without a schedule");
  in_panels = planned->second.shape.in_panels;
  schedule = planned->second.schedule;
  partial_sums = planned->second.partial_sums;
  Check(IsValid(schedule, planned->second.shape, c.target), "a product's schedule is for another target");
  tiling = Cut(Resolve(m, c.row_capacity), schedule.tile_rows, schedule.tile_vectors, Lanes(c.target, dtype));
}

// ---- Pieces of A.

PieceOfA PieceOfA::Strided(DType dtype, Value* start, Value* row_stride, Value* k_stride) {
  PieceOfA piece;
  piece.dtype_ = dtype;
  piece.start_ = start;
  piece.row_stride_ = row_stride;
  piece.k_stride_ = k_stride;
  return piece;
}
PieceOfA PieceOfA::Rows(DType dtype, Values rows) {
  PieceOfA piece;
  piece.dtype_ = dtype;
  piece.rows_ = std::move(rows);
  return piece;
}
PieceOfA PieceOfA::Ordered(DType dtype, Value* order, Value* start, Value* row_stride, Value* row_size) {
  PieceOfA piece = Strided(dtype, start, row_stride, row_size);
  piece.order_ = order;
  return piece;
}

Value* PieceOfA::Begin(Ir& ir) const {
  if (order_ != nullptr) return order_;
  return rows_.empty() ? start_ : ir.I64(0);
}
Value* PieceOfA::Next(Ir& ir, Value* here, Value* count) const {
  if (order_ != nullptr) return ir.At(here, DType::kI32, count);
  return rows_.empty() ? ir.At(here, dtype_, ir.Mul(count, k_stride_)) : ir.Add(here, count);
}

PieceOfA::Column PieceOfA::At(Ir& ir, Value* here, Value* u) const {
  if (order_ != nullptr) {
    return {ir.At(start_, dtype_, ir.Mul(ir.LoadIndex(here, u), k_stride_)), ir.I64(0)};
  }
  if (!rows_.empty()) return {nullptr, ir.Add(here, u)};
  return {here, ir.Mul(u, k_stride_)};
}
Value* PieceOfA::Address(Ir& ir, const Column& column, int64_t i) const {
  if (!rows_.empty()) return ir.At(rows_[size_t(i)], dtype_, column.index);
  return ir.At(column.base, dtype_, ir.Add(ir.Mul(ir.I64(i), row_stride_), column.index));
}

// ---- Row tiles.

RowTiles::RowTiles(const KernelContext& c, const Product& product) : c_(c), ir_(c.ir), product_(product) {
  const Tiling& tiling = product.tiling;
  tall_ = ir_.I64(tiling.tall);
  all_ = ir_.I64(tiling.row_tiles);
  end_row_ = c.Dim(product.m);
  if (product.m >= 0) return;
  Value* rows = end_row_;
  Value* tall = ir_.Min(ir_.b.CreateUDiv(rows, ir_.I64(tiling.rows)), tall_);
  if (tiling.rows == 1) {
    tall_ = all_ = tall;
    end_row_ = RowOfTall(tall);
    return;
  }
  Value* behind = ir_.Max(ir_.b.CreateSub(rows, RowOfTall(tall_)), ir_.I64(0));
  all_ = ir_.Add(tall, ir_.b.CreateUDiv(behind, ir_.I64(tiling.rows - 1)));
  end_row_ = ir_.b.CreateSelect(ir_.b.CreateICmpSGT(all_, tall_), RowOfLow(all_), RowOfTall(tall));
  tall_ = tall;
}

Value* RowTiles::RowOfTall(Value* tile) const { return ir_.Mul(tile, ir_.I64(product_.tiling.rows)); }
Value* RowTiles::RowOfLow(Value* tile) const {
  return ir_.Add(ir_.Mul(tile, ir_.I64(product_.tiling.rows - 1)), ir_.I64(product_.tiling.tall));
}

void RowTiles::ForEachWhole(Value* from, Value* to, const Body& body) const {
  const Tiling& tiling = product_.tiling;
  ir_.Loop(from, ir_.Min(to, tall_), 1, [&](Value* tile) { body(tile, RowOfTall(tile), tiling.rows); });
  if (tiling.rows == 1 || tiling.tall == tiling.row_tiles) return;
  ir_.Loop(ir_.Max(from, ir_.I64(tiling.tall)), ir_.Min(to, all_), 1,
           [&](Value* tile) { body(tile, RowOfLow(tile), tiling.rows - 1); });
}

void RowTiles::ForEachRowBehind(Value* from, Value* to, const std::function<void(Value* row)>& body) const {
  if (product_.m >= 0) return;
  Value* mine = ir_.b.CreateAnd(ir_.b.CreateICmpSGE(all_, from), ir_.b.CreateICmpSLT(all_, to));
  ir_.If(mine, [&] { ir_.Loop(end_row_, c_.Dim(product_.m), 1, body); });
}

// ---- Operands.

Operands::Operands(const KernelContext& c, const Product& product, const RowTiles& tiles, const PointEmitter& points)
    : c_(c),
      ir_(c.ir),
      product_(product),
      tiles_(tiles),
      a_(product.rows_of_data != 0 ? points.data_set(product.rows_of_data)
                                   : points.base(StorageOf(c.graph(), product.a))),
      b_(points.base(StorageOf(c.graph(), product.b))),
      a_stride_(c.RowStride(product.a)),
      b_stride_(c.RowStride(product.b)) {
  if (product.rows_of_data != 0) {
    order_ = points.base(StorageOf(c.graph(), c.graph()[product.rows_of_data].inputs[0]));
  }
  const Tiling& tiling = product.tiling;
  const ProductSchedule& schedule = product.schedule;
  if (schedule.copied_panels > 0) copy_of_b_ = Room(schedule.k * tiling.panel() * schedule.copied_panels);
  if (schedule.copies_a) copy_of_a_ = Room(schedule.k * tiling.rows * tiles_a_block());
}

Value* Operands::Room(int64_t elements) {
  llvm::Type* type = llvm::ArrayType::get(ir_.ElementType(product_.dtype), uint64_t(elements));
  llvm::AllocaInst* room = ir_.b.CreateAlloca(type);
  room->setAlignment(llvm::Align(64));
  return room;
}

int64_t Operands::tiles_a_block() const { return TilesOfBlock(product_.schedule, product_.tiling); }

Value* Operands::RowOfData(Value* row) const {
  if (order_ != nullptr) row = ir_.LoadIndex(order_, row);
  return ir_.At(a_, product_.dtype, ir_.Mul(row, a_stride_));
}

PieceOfA Operands::RowsOfA(const Part& part, Value* row, int64_t height) {
  const DType dtype = product_.dtype;
  if (order_ != nullptr && product_.transposed) {
    return PieceOfA::Ordered(dtype, ir_.At(order_, DType::kI32, part.begin_k), ir_.At(a_, dtype, row), ir_.I64(1),
                             a_stride_);
  }
  if (order_ != nullptr) {
    Values rows;
    for (int64_t i = 0; i < height; ++i) {
      rows.push_back(ir_.At(RowOfData(ir_.Add(row, ir_.I64(i))), dtype, part.begin_k));
    }
    return PieceOfA::Rows(dtype, std::move(rows));
  }
  Value* row_stride = product_.transposed ? ir_.I64(1) : a_stride_;
  Value* k_stride = product_.transposed ? a_stride_ : ir_.I64(1);
  Value* index = ir_.Add(ir_.Mul(row, row_stride), ir_.Mul(part.begin_k, k_stride));
  return PieceOfA::Strided(dtype, ir_.At(a_, dtype, index), row_stride, k_stride);
}

PieceOfA Operands::A(const Part& part, Value* tile, Value* row, int64_t height) {
  return copy_of_a_ == nullptr ? RowsOfA(part, row, height) : CopyOfA(part, tile);
}

// The copy holds tile after tile, each with its rows one after the other or, if A is transposed, its columns. So a tile
// is one stream, not pieces that are pages apart.
PieceOfA Operands::CopyOfA(const Part& part, Value* tile) const {
  const int64_t rows = product_.tiling.rows, k = product_.schedule.k;
  Value* start = ir_.Mul(ir_.b.CreateSub(tile, part.first_tile), ir_.I64(rows * k));
  return PieceOfA::Strided(product_.dtype, ir_.At(copy_of_a_, product_.dtype, start),
                           ir_.I64(product_.transposed ? 1 : k), ir_.I64(product_.transposed ? rows : 1));
}

void Operands::CopyTileOfA(const PieceOfA& from, const PieceOfA& to, Value* size_of_k, int64_t height) {
  const auto copy = [&](int64_t i, Value* k, int64_t lanes) {
    Value* source = from.Address(ir_, from.At(ir_, from.Begin(ir_), k), i);
    Value* target = to.Address(ir_, to.At(ir_, to.Begin(ir_), k), i);
    Value* x = ir_.LoadLanes(source, product_.dtype, ir_.I64(0), lanes, nullptr);
    ir_.StoreLanes(x, target, product_.dtype, ir_.I64(0), nullptr);
  };
  if (product_.transposed) {
    ir_.Loop(ir_.I64(0), size_of_k, 1, [&](Value* k) { copy(0, k, height); });
    return;
  }
  const int64_t lanes = product_.tiling.lanes;
  Value* whole = ir_.b.CreateAnd(size_of_k, ir_.I64(-lanes));
  for (int64_t i = 0; i < height; ++i) {
    ir_.Loop(ir_.I64(0), whole, lanes, [&](Value* k) { copy(i, k, lanes); });
    ir_.Loop(whole, size_of_k, 1, [&](Value* k) { copy(i, k, 1); });
  }
}

void Operands::BeginPart(const Part& part, Value* first_panel, Value* last_panel) {
  first_panel_ = first_panel;
  if (copy_of_a_ == nullptr) return;
  // All tiles of the part, unless its units lie in one panel and so are only some of its tiles.
  Value* tiles = ir_.I64(product_.tiling.row_tiles);
  Value* one_panel = ir_.b.CreateICmpEQ(ir_.Add(first_panel, ir_.I64(1)), last_panel);
  Value* start = ir_.Mul(first_panel, tiles);
  Value* from = ir_.b.CreateSelect(one_panel, ir_.b.CreateSub(part.begin_unit, start), ir_.I64(0));
  Value* to = ir_.b.CreateSelect(one_panel, ir_.b.CreateSub(part.end_unit, start), tiles);
  tiles_.ForEachWhole(ir_.Max(from, part.first_tile), ir_.Min(to, part.end_tile),
                      [&](Value* tile, Value* row, int64_t height) {
                        CopyTileOfA(RowsOfA(part, row, height), CopyOfA(part, tile), part.size_of_k, height);
                      });
}

Value* Operands::RowMajorB(const Part& part, Value* column) {
  return ir_.At(b_, product_.dtype, ir_.Add(ir_.Mul(part.begin_k, b_stride_), column));
}

PieceOfB Operands::B(const Part& part, Value* column, Value* mask) {
  const DType dtype = product_.dtype;
  if (copy_of_b_ != nullptr) {
    const int64_t panel = product_.tiling.panel();
    return {ir_.At(copy_of_b_, dtype, ir_.Mul(slot_, ir_.I64(product_.schedule.k * panel))), ir_.I64(panel), nullptr};
  }
  if (product_.layout_of_b == Layout::kPanels) {
    return {ir_.At(b_, dtype, PanelIndex(ir_, c_.Dim(product_.k), part.begin_k, column)), ir_.I64(kPanel), nullptr};
  }
  return {RowMajorB(part, column), b_stride_, product_.layout_of_b == Layout::kExact ? mask : nullptr};
}

void Operands::BeginPanel(const Part& part, Value* first_panel, Value* panel, Value* last_panel) {
  if (copy_of_b_ == nullptr) return;
  slot_ = ir_.b.CreateURem(ir_.b.CreateSub(panel, first_panel), ir_.I64(product_.schedule.copied_panels));
  ir_.If(ir_.b.CreateIsNull(slot_), [&] { CopyB(part, panel, last_panel); });
}

// Copies several panels together: in a row-major B, each of them is a line or two of every row, far apart.
void Operands::CopyB(const Part& part, Value* panel, Value* last_panel) {
  const Tiling& tiling = product_.tiling;
  const int64_t width = tiling.panel(), rest = product_.n % width, panels = product_.schedule.copied_panels;
  const auto copy_row = [&](Value* k, Value* slot, int64_t vectors, Value* mask, Value* column) {
    Value* from = ir_.Add(ir_.Mul(k, b_stride_), column);
    Value* to = ir_.Add(ir_.Mul(slot, ir_.I64(product_.schedule.k * width)), ir_.Mul(k, ir_.I64(width)));
    for (int64_t j = 0; j < vectors; ++j) {
      Value* lanes = ir_.I64(j * tiling.lanes);
      Value* edge = j == vectors - 1 ? mask : nullptr;
      Value* start = RowMajorB(part, ir_.I64(0));
      Value* x = ir_.LoadLanes(start, product_.dtype, ir_.Add(from, lanes), tiling.lanes, edge);
      ir_.StoreLanes(x, copy_of_b_, product_.dtype, ir_.Add(to, lanes), nullptr);
    }
  };
  const auto for_each_row = [&](const std::function<void(Value * k)>& body) {
    ir_.Loop(ir_.I64(0), part.size_of_k, 1, body);
  };

  Value* first_column = ir_.Mul(panel, ir_.I64(width));
  Value* count = ir_.Min(ir_.b.CreateSub(last_panel, panel), ir_.I64(panels));
  Value* behind = ir_.b.CreateSub(ir_.I64(product_.n / width), panel);  // The index of the last, narrow panel.
  Value* whole = ir_.Min(count, behind);
  ir_.If(
      ir_.b.CreateICmpEQ(whole, ir_.I64(panels)),
      [&] {
        for_each_row([&](Value* k) {
          for (int64_t i = 0; i < panels; ++i) {
            copy_row(k, ir_.I64(i), tiling.vectors, nullptr, ir_.Add(first_column, ir_.I64(i * width)));
          }
        });
      },
      [&] {
        for_each_row([&](Value* k) {
          ir_.Loop(ir_.I64(0), whole, 1, [&](Value* i) {
            copy_row(k, i, tiling.vectors, nullptr, ir_.Add(first_column, ir_.Mul(i, ir_.I64(width))));
          });
        });
      });
  if (rest == 0) return;
  ir_.If(ir_.b.CreateICmpSLT(behind, count), [&] {
    const int64_t vectors = CeilDiv(rest, tiling.lanes), first = product_.n - rest;
    Value* mask = nullptr;
    if (product_.layout_of_b == Layout::kExact && rest % tiling.lanes != 0) {
      mask = LanesBefore(ir_, ir_.I64(first + (vectors - 1) * tiling.lanes), ir_.I64(product_.n), tiling.lanes);
    }
    for_each_row([&](Value* k) { copy_row(k, behind, vectors, mask, ir_.I64(first)); });
  });
}

// A few lines for each tile, so that copying does not wait for memory.
void Operands::Prefetch(const Part& part, Value* panel, Value* tile) {
  Value* tile_of_block = ir_.b.CreateSub(tile, part.first_tile);
  const int64_t tiles = tiles_a_block();
  const auto lines = [&](Value* start, int64_t bytes) {
    const int64_t line = 64 / SizeOf(product_.dtype);
    for (int64_t i = 0; i * 64 < bytes; ++i) ir_.Prefetch(ir_.At(start, product_.dtype, ir_.I64(i * line)));
  };
  const int64_t k = product_.schedule.k;
  if (copy_of_b_ != nullptr) {
    const int64_t width = product_.tiling.panel(), panels = product_.schedule.copied_panels,
                  rows = CeilDiv(k, tiles * panels);
    Value* turn = ir_.Add(ir_.Mul(slot_, ir_.I64(tiles)), tile_of_block);
    Value* first = ir_.Min(ir_.Mul(turn, ir_.I64(rows)), ir_.I64(k));
    Value* next = ir_.Mul(ir_.Add(ir_.b.CreateSub(panel, slot_), ir_.I64(panels)), ir_.I64(width));
    for (int64_t i = 0; i < rows; ++i) {
      Value* row = ir_.Mul(ir_.Add(first, ir_.I64(i)), b_stride_);
      lines(ir_.At(RowMajorB(part, next), product_.dtype, row), panels * width * SizeOf(product_.dtype));
    }
  }
  if (copy_of_a_ != nullptr) {
    // Part of the same rows of A, for the next block of k. In memory it is `pieces` pieces of `piece` elements.
    const int64_t rows = tiles * product_.tiling.rows, pieces = product_.transposed ? k : rows;
    const int64_t piece = product_.transposed ? rows : k;
    Value* turn = ir_.Add(ir_.Mul(ir_.b.CreateSub(panel, first_panel_), ir_.I64(tiles)), tile_of_block);
    turn = ir_.Min(turn, ir_.I64(pieces - 1));
    Value* begin_k = ir_.Add(part.begin_k, ir_.I64(k));
    Value* begin_row = ir_.Mul(part.first_tile, ir_.I64(product_.tiling.rows));
    Value* row = ir_.Add(product_.transposed ? begin_k : begin_row, turn);
    // Beyond the last row there is no entry that tells where a row lies.
    if (order_ != nullptr) {
      row = ir_.Min(row, ir_.b.CreateSub(c_.Dim(product_.transposed ? product_.k : product_.m), ir_.I64(1)));
    }
    Value* start = ir_.At(RowOfData(row), product_.dtype, product_.transposed ? begin_row : begin_k);
    lines(start, piece * SizeOf(product_.dtype));
  }
}

}  // namespace fusebox::codegen
