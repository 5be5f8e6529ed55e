// SPDX-License-Identifier: Apache-2.0
// The two operands of a matrix product, as its inner loops read them: where they lie, or, of a product in blocks
// (product_schedule.h), from copies of a block that lie as they are read.
#pragma once
#include "fusebox/compiler/codegen/point.h"
#include "fusebox/compiler/schedule/product_schedule.h"

namespace fusebox::codegen {

// The matrix product of a kernel: C[m, n] = A[m, k] B[k, n].
struct Product {
  explicit Product(const KernelContext& c);

  NodeId node = 0, a = 0, b = 0;
  DType dtype = DType::kF32;
  int64_t m = 0, n = 0, k = 0;  // As in shapes: symbolic ones are negative.
  bool transposed = false;      // A lies as [k, m].
  NodeId rows_of_data = 0;      // Not 0: A is these rows of a data set, and lies there.
  Layout layout_of_b = Layout::kExact;
  bool in_panels = false;  // As in ProductShape.
  ProductSchedule schedule;
  Tiling tiling;                                            // As the schedule says.
  bool sums_in_parts() const { return partial_sums >= 0; }  // Over blocks of k, one after the other.
  int64_t partial_sums = -1;                                // Where they lie meanwhile.
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

// Some rows of A, over some of k. In memory of its own, element (i, k) of it lies at start + i row_stride + k k_stride. Where
// A is rows of a data set, each row lies where the data set has it.
class PieceOfA {
 public:
  static PieceOfA Strided(DType dtype, Value* start, Value* row_stride, Value* k_stride);
  // Each row begins at one of these.
  static PieceOfA Rows(DType dtype, Values rows);
  // Of A transposed: row `order[k]` of the data set has this piece's elements (i, k) at start + i row_stride + row row_size.
  static PieceOfA Ordered(DType dtype, Value* order, Value* start, Value* row_stride, Value* row_size);

  // Along k: what an inner loop carries, begins with, and goes on to.
  Value* Begin(Ir& ir) const;
  Value* Next(Ir& ir, Value* here, Value* count) const;
  // The elements (., k) `u` behind there: element i lies at index i of this.
  struct Column {
    Value* base;  // Null: each row has its own.
    Value* index;
  };
  Column At(Ir& ir, Value* here, Value* u) const;
  Value* Address(Ir& ir, const Column& column, int64_t i) const;

 private:
  DType dtype_ = DType::kF32;
  Value *start_ = nullptr, *row_stride_ = nullptr, *k_stride_ = nullptr;
  Values rows_ = {};
  Value* order_ = nullptr;
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

  PieceOfA A(const Part& part, Value* tile, Value* row, int64_t height);
  // Of A where it lies: `height` rows, which are copied next or, being no whole tile, not at all.
  PieceOfA RowsOfA(const Part& part, Value* row, int64_t height);
  PieceOfB B(const Part& part, Value* column, Value* mask);

  // Asks for what this tile should find in the cache, or the next panels.
  void Prefetch(const Part& part, Value* panel, Value* tile);
  // Columns of A come line by line, not as a stream.
  bool scattered_a() const { return product_.transposed && copy_of_a_ == nullptr; }

 private:
  Value* Room(int64_t elements);
  PieceOfA CopyOfA(const Part& part, Value* tile) const;
  void CopyTileOfA(const PieceOfA& from, const PieceOfA& to, Value* size_of_k, int64_t height);
  // Of the array that A's elements lie in: where row `row` of the batch begins.
  Value* RowOfData(Value* row) const;
  void CopyB(const Part& part, Value* panel, Value* last_panel);
  Value* RowMajorB(const Part& part, Value* column);

  const KernelContext& c_;
  Ir& ir_;
  const Product& product_;
  const RowTiles& tiles_;
  Value *a_, *b_, *a_stride_, *b_stride_;              // Of A, or of the data set that has its rows.
  Value* order_ = nullptr;                             // i32[batch], which rows these are.
  Value *copy_of_a_ = nullptr, *copy_of_b_ = nullptr;  // Null: read where it lies.
  Value* first_panel_ = nullptr;                       // Of the part.
  Value* slot_ = nullptr;                              // Which of the copied panels of B is read now.
};

}  // namespace fusebox::codegen
