// SPDX-License-Identifier: Apache-2.0
// The two operands of a matrix product, as its inner loops read them: where they lie, or, of a product in blocks
// (product_schedule.h), from copies of a block that lie as they are read.
#pragma once
#include "fusebox/compiler/codegen/point.h"
#include "fusebox/compiler/product_schedule.h"

namespace fusebox::codegen {

// The matrix product of a kernel: C[m, n] = A[m, k] B[k, n].
struct Product {
  explicit Product(const KernelContext& c);

  NodeId node = 0, a = 0, b = 0;
  DType dtype = DType::kF32;
  int64_t m = 0, n = 0, k = 0;  // As in shapes: symbolic ones are negative.
  bool transposed = false;      // A lies as [k, m].
  Layout layout_of_b = Layout::kExact;
  ProductSchedule schedule;
  Tiling tiling;  // As the schedule says.
};

// What the inner loops do at a time: some units, of them some row tiles, and of these some of k.
struct Part {
  Value *begin_unit, *end_unit;
  Value *begin_k, *size_of_k;
  Value *first_tile, *end_tile;
  Value *first = nullptr, *last = nullptr;  // i1, whether it is the first, the last part of k; null: it is all of k.
};

// The row tiles of this step.
class RowTiles {
 public:
  RowTiles(const KernelContext& c, const Product& product);

  // Those of [from, to) that lie inside the rows.
  using Body = std::function<void(Value* tile, Value* row, int64_t height)>;
  void ForEachWhole(Value* from, Value* to, const Body& body) const;
  // Of a partial batch the rows behind are fewer than a tile. They belong to the next one, and go one by one.
  void ForEachRowBehind(Value* from, Value* to, const std::function<void(Value* row)>& body) const;

 private:
  Value* RowOfTall(Value* tile) const;
  Value* RowOfLow(Value* tile) const;

  const KernelContext& c_;
  Ir& ir_;
  const Product& product_;
  Value *tall_, *all_, *end_row_;  // How many tiles are whole: of the tall ones, of all; and where they end.
};

// Some rows of A: element (i, k) of them lies at start + i row_stride + k k_stride.
struct PieceOfA {
  Value* start;
  Value* row_stride;
  Value* k_stride;
};
// Some columns of B.
struct PieceOfB {
  Value* start;     // At the part's first row.
  Value* k_stride;  // From row to row.
  Value* mask;      // Of the last vector, where it may reach into what is not B's; null: nowhere.
};

class Operands {
 public:
  // Call at the function's entry.
  Operands(const KernelContext& c, const Product& product, const RowTiles& tiles, const PointEmitter& points);

  // Of a product in blocks, how many row tiles go over all columns before the next.
  int64_t tiles_a_block() const;

  // Copies what will be read over and over: call before the part's panels, and before each of its panels.
  void BeginPart(const Part& part, Value* first_panel, Value* last_panel);
  void BeginPanel(const Part& part, Value* first_panel, Value* panel, Value* last_panel);

  PieceOfA A(const Part& part, Value* tile, Value* row);
  PieceOfA RowOfA(const Part& part, Value* row);  // Which is of no whole tile, and so was not copied.
  PieceOfB B(const Part& part, Value* column, Value* mask);

  // Asks for what this tile should find in the cache, or the next panels.
  void Prefetch(const Part& part, Value* panel, Value* tile);
  // Columns of A come line by line, not as a stream.
  bool scattered_a() const { return product_.transposed && copy_of_a_ == nullptr; }

 private:
  Value* Room(int64_t elements);
  void CopyTileOfA(const PieceOfA& from, const PieceOfA& to, Value* size_of_k, int64_t height);
  void CopyB(const Part& part, Value* panel, Value* last_panel);
  Value* RowMajorB(const Part& part, Value* column);

  const KernelContext& c_;
  Ir& ir_;
  const Product& product_;
  const RowTiles& tiles_;
  Value *a_, *b_, *a_stride_, *b_stride_;
  Value *copy_of_a_ = nullptr, *copy_of_b_ = nullptr;  // Null: read where it lies.
  Value* first_panel_ = nullptr;                       // Of the part.
  Value* slot_ = nullptr;                              // Which of the copied panels of B is read now.
};

}  // namespace fusebox::codegen
