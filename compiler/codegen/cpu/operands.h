// SPDX-License-Identifier: Apache-2.0
// The two operands of a matrix product, as its inner loops read them: where they lie or, if the product is cut into
// blocks (product_schedule.h), from copies of a block in the order in which they are read.
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
  NodeId rows_of_data = 0;      // Not 0: the node that takes A's rows from a data set, in which they stay.
  Layout layout_of_b = Layout::kExact;
  bool in_panels = false;  // As in ProductShape.
  ProductSchedule schedule;
  Tiling tiling;                                            // By the schedule's tile.
  bool sums_in_parts() const { return partial_sums >= 0; }  // Over blocks of k, one after the other.
  int64_t partial_sums = -1;                                // Where they lie meanwhile.
};

// What the inner loops compute at a time: some units, some of their row tiles, and for these some of k.
struct Part {
  Value *begin_unit, *end_unit;
  Value *begin_k, *size_of_k;
  Value *first_tile, *end_tile;
  Value *first = nullptr, *last = nullptr;  // i1: whether it is the first, the last part of k. Null: it is all of k.
};

// The row tiles of this step.
class RowTiles {
 public:
  RowTiles(const KernelContext& c, const Product& product);

  // Goes over the tiles of [from, to) that are whole.
  using Body = std::function<void(Value* tile, Value* row, int64_t height)>;
  void ForEachWhole(Value* from, Value* to, const Body& body) const;
  // The last rows of a partial batch do not fill a tile. They belong to the next one, and are processed one at a time.
  void ForEachRowBehind(Value* from, Value* to, const std::function<void(Value* row)>& body) const;

 private:
  Value* RowOfTall(Value* tile) const;
  Value* RowOfLow(Value* tile) const;

  const KernelContext& c_;
  Ir& ir_;
  const Product& product_;
  Value *tall_, *all_, *end_row_;  // How many of the tall tiles, and of all, are whole; the row at which these end.
};

// Some rows of A, over some of k. If A has memory of its own, element (i, k) lies at start + i row_stride + k k_stride.
// If A is rows of a data set, each row lies where the data set has it.
class PieceOfA {
 public:
  static PieceOfA Strided(DType dtype, Value* start, Value* row_stride, Value* k_stride);
  // Each row begins at one of these addresses.
  static PieceOfA Rows(DType dtype, Values rows);
  // For a transposed A: row `order[k]` of the data set holds the elements (i, k), at start + i row_stride + row
  // row_size.
  static PieceOfA Ordered(DType dtype, Value* order, Value* start, Value* row_stride, Value* row_size);

  // The position along k that an inner loop carries: the first one, and the one `count` further on.
  Value* Begin(Ir& ir) const;
  Value* Next(Ir& ir, Value* here, Value* count) const;
  // The elements (., k) of the column `u` behind `here`.
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
  Value* mask;      // For the last vector, which may reach beyond B's columns; null: it does not.
};

class Operands {
 public:
  // Call at the function's entry.
  Operands(const KernelContext& c, const Product& product, const RowTiles& tiles, const PointEmitter& points);

  // In a product that is cut into blocks: how many row tiles go over all columns before the next.
  int64_t tiles_a_block() const;

  // Copy what will be read over and over. Call BeginPart before the part's panels, BeginPanel before each of them.
  void BeginPart(const Part& part, Value* first_panel, Value* last_panel);
  void BeginPanel(const Part& part, Value* first_panel, Value* panel, Value* last_panel);

  PieceOfA A(const Part& part, Value* tile, Value* row, int64_t height);
  // `height` rows of A where they lie: to be copied next, or not a whole tile and never copied.
  PieceOfA RowsOfA(const Part& part, Value* row, int64_t height);
  PieceOfB B(const Part& part, Value* column, Value* mask);

  // Prefetches what the next copies will read.
  void Prefetch(const Part& part, Value* panel, Value* tile);
  // Whether columns of A are read line by line, not as a stream.
  bool scattered_a() const { return product_.transposed && copy_of_a_ == nullptr; }

 private:
  Value* Room(int64_t elements);
  PieceOfA CopyOfA(const Part& part, Value* tile) const;
  void CopyTileOfA(const PieceOfA& from, const PieceOfA& to, Value* size_of_k, int64_t height);
  // Where row `row` of the batch begins in the array that holds A's elements.
  Value* RowOfData(Value* row) const;
  void CopyB(const Part& part, Value* panel, Value* last_panel);
  Value* RowMajorB(const Part& part, Value* column);

  const KernelContext& c_;
  Ir& ir_;
  const Product& product_;
  const RowTiles& tiles_;
  Value *a_, *b_, *a_stride_, *b_stride_;              // a_: A, or the data set that holds its rows.
  Value* order_ = nullptr;                             // i32[batch]: the numbers of these rows in the data set.
  Value *copy_of_a_ = nullptr, *copy_of_b_ = nullptr;  // Null: read where it lies.
  Value* first_panel_ = nullptr;                       // Of the part.
  Value* slot_ = nullptr;                              // The copied panel of B that is read now.
};

}  // namespace fusebox::codegen
