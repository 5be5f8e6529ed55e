// SPDX-License-Identifier: Apache-2.0
// Kernels that only move elements: a matrix transposed block by block, pieces put side by side, rows added up at the
// places that an index tells.
#include <algorithm>

#include "fusebox/compiler/codegen/cpu/kernels.h"
#include "fusebox/compiler/codegen/op_emitters.h"

namespace fusebox::codegen {
namespace {

constexpr int64_t kBlock = 8;  // Rows and columns of the matrix that are transposed at a time.

// Moves bytes, not numbers: a bool stays the byte that it is.
DType Raw(DType dtype) { return dtype == DType::kBool ? DType::kU8 : dtype; }

// Transposes an 8 x 8 block in registers: three rounds swap the off-diagonal halves of ever larger blocks.
Values TurnBlock(Ir& ir, Values rows) {
  for (int64_t s = 1; s < kBlock; s *= 2) {
    Values turned(rows.size());
    for (int64_t i = 0; i < kBlock; ++i) {
      if ((i & s) != 0) continue;
      std::vector<int> low, high;
      for (int64_t lane = 0; lane < kBlock; ++lane) {
        low.push_back(int((lane & s) != 0 ? kBlock + (lane & ~s) : lane));
        high.push_back(int((lane & s) != 0 ? kBlock + lane : (lane | s)));
      }
      turned[size_t(i)] = ir.b.CreateShuffleVector(rows[size_t(i)], rows[size_t(i | s)], low);
      turned[size_t(i | s)] = ir.b.CreateShuffleVector(rows[size_t(i)], rows[size_t(i | s)], high);
    }
    rows = std::move(turned);
  }
  return rows;
}

const Node& Only(const KernelContext& c) { return c.graph()[c.kernel.members.back()]; }

}  // namespace

Value* TransposeUnits(const KernelContext& c) { return c.ir.CeilDiv(c.Dim(c.kernel.space[0]), kBlock); }

// A unit is 8 rows of the output, which are 8 columns of the input.
void EmitTranspose(const KernelContext& c) {
  Ir& ir = c.ir;
  const Node& node = Only(c);
  const DType dtype = Raw(node.type.dtype);
  PointEmitter points(c);
  const NodeId source = StorageOf(c.graph(), node.inputs[0]);
  Value* from = points.base(source);
  Value* to = points.base(c.kernel.members.back());
  Value* rows = c.Dim(c.kernel.space[0]);
  Value* columns = c.Dim(c.kernel.space[1]);
  Value* to_stride = c.RowStride(c.kernel.members.back());
  // The index of element (row, column) of the input. Eight lanes of columns from a multiple of 8 on lie in one panel.
  const auto index_of_input = [&](Value* row, Value* column) {
    if (c.LayoutOf(source) != Layout::kPanels) return ir.Add(ir.Mul(row, c.RowStride(node.inputs[0])), column);
    Value* in_panel = ir.b.CreateAnd(column, ir.I64(kPanel - 1));
    return ir.Add(PanelIndex(ir, columns, row, ir.b.CreateSub(column, in_panel)), in_panel);
  };
  const auto one_by_one = [&](Value* row_begin, Value* row_end, Value* column_begin) {
    ir.Loop(row_begin, row_end, 1, [&](Value* r) {
      ir.Loop(column_begin, columns, 1, [&](Value* column) {
        Value* x = ir.LoadLanes(from, dtype, index_of_input(column, r), 1, nullptr);
        ir.StoreLanes(x, to, dtype, ir.Add(ir.Mul(r, to_stride), column), nullptr);
      });
    });
  };
  // Transposes `height` rows and `width` columns of the output, at most a block of them.
  const bool is_padded = c.LayoutOf(source) != Layout::kExact;
  const auto turn = [&](Value* row, int64_t height, Value* column, int64_t width) {
    Value* inside = height < kBlock && !is_padded ? LanesBefore(ir, ir.I64(0), ir.I64(height), kBlock) : nullptr;
    Value* edge = width < kBlock ? LanesBefore(ir, ir.I64(0), ir.I64(width), kBlock) : nullptr;
    Values block;
    for (int64_t i = 0; i < kBlock; ++i) {
      // Reads the last column again for those behind it. These lanes are not stored.
      Value* of = ir.Add(column, ir.I64(std::min(i, width - 1)));
      block.push_back(ir.LoadLanes(from, dtype, index_of_input(of, row), kBlock, inside));
    }
    block = TurnBlock(ir, std::move(block));
    for (int64_t i = 0; i < height; ++i) {
      Value* index = ir.Add(ir.Mul(ir.Add(row, ir.I64(i)), to_stride), column);
      ir.StoreLanes(block[size_t(i)], to, dtype, index, edge);
    }
  };
  const auto turn_rows = [&](Value* row, int64_t height) {
    Value* whole = ir.b.CreateAnd(columns, ir.I64(-kBlock));
    ir.Loop(ir.I64(0), whole, kBlock, [&](Value* column) { turn(row, height, column, kBlock); });
    const int64_t n = c.kernel.space[1];
    if (n < 0) return one_by_one(row, ir.Add(row, ir.I64(height)), whole);
    if (n % kBlock != 0) turn(row, height, whole, n % kBlock);
  };
  ir.Loop(c.begin, c.end, 1, [&](Value* unit) {
    Value* row = ir.Mul(unit, ir.I64(kBlock));
    const int64_t m = c.kernel.space[0];
    ir.If(
        ir.b.CreateICmpSLE(ir.Add(row, ir.I64(kBlock)), rows), [&] { turn_rows(row, kBlock); },
        [&] {
          if (m < 0) return one_by_one(row, rows, ir.I64(0));
          if (m % kBlock != 0) turn_rows(row, m % kBlock);
        });
  });
}

// Concatenate and pad: the output is [outer, axis, inner]; each piece fills a range of the axis.
void EmitCopy(const KernelContext& c) {
  Ir& ir = c.ir;
  const Node& node = Only(c);
  const DType dtype = Raw(node.type.dtype);
  PointEmitter points(c);
  Value* to = points.base(c.kernel.members.back());
  const auto axis = size_t(node.attributes.Int("axis"));
  Value* outer = c.Size(Shape(node.type.shape.begin(), node.type.shape.begin() + int64_t(axis)));
  Value* inner = c.Size(node.type.shape, axis + 1);
  Value* out_step = ir.Mul(c.Dim(node.type.shape[axis]), inner);
  llvm::Type* element = ir.MemoryType(dtype);

  // Fills [begin, begin + size) of the axis, for each outer index: with a piece, or with zeros if it is null.
  const auto fill = [&](int64_t begin, int64_t size, Value* piece) {
    Value* count = ir.Mul(ir.I64(size), inner);
    ir.Loop(ir.I64(0), outer, 1, [&](Value* o) {
      Value* start = ir.Add(ir.Mul(o, out_step), ir.Mul(ir.I64(begin), inner));
      Value* whole = ir.b.CreateAnd(count, ir.I64(-kLanes));
      const auto move = [&](Value* i, int64_t lanes) {
        Value* x = piece != nullptr ? ir.LoadLanes(piece, dtype, ir.Add(ir.Mul(o, count), i), lanes, nullptr)
                                    : llvm::Constant::getNullValue(Ir::Lanes(element, lanes));
        ir.StoreLanes(x, to, dtype, ir.Add(start, i), nullptr);
      };
      ir.Loop(ir.I64(0), whole, kLanes, [&](Value* i) { move(i, kLanes); });
      ir.Loop(whole, count, 1, [&](Value* i) { move(i, 1); });
    });
  };
  // The kernel is one unit, so one thread does all of it.
  ir.Loop(c.begin, c.end, 1, [&](Value*) {
    int64_t at = node.attributes.Int("before");  // Of a pad; 0 where pieces alone are put side by side.
    if (at > 0) fill(0, at, nullptr);
    for (const NodeId input : node.inputs) {
      const int64_t size = c.graph()[input].type.shape[axis];
      fill(at, size, points.base(StorageOf(c.graph(), input)));
      at += size;
    }
    if (at < node.type.shape[axis]) fill(at, node.type.shape[axis] - at, nullptr);
  });
}

// Adds in the order of the updates, on one thread, so that sums do not depend on the threads.
void EmitScatter(const KernelContext& c) {
  Ir& ir = c.ir;
  const Node& node = Only(c);
  const DType dtype = node.type.dtype;
  PointEmitter points(c);
  Value* indices = points.base(StorageOf(c.graph(), node.inputs[0]));
  Value* updates = points.base(StorageOf(c.graph(), node.inputs[1]));
  Value* to = points.base(c.kernel.members.back());
  Value* width = c.Size(node.type.shape, 1);
  Value* rows = c.Dim(node.type.shape[0]);
  Value* count = c.Dim(c.graph()[node.inputs[0]].type.shape[0]);
  ir.Loop(c.begin, c.end, 1, [&](Value*) {
    ir.Loop(ir.I64(0), ir.Mul(rows, width), 1, [&](Value* i) {
      ir.StoreLanes(llvm::Constant::getNullValue(ir.ElementType(dtype)), to, dtype, i, nullptr);
    });
    ir.Loop(ir.I64(0), count, 1, [&](Value* i) {
      Value* row = ir.b.CreateSExt(ir.LoadLanes(indices, DType::kI32, i, 1, nullptr), ir.i64());
      ir.If(ir.b.CreateICmpULT(row, rows), [&] {
        ir.Loop(ir.I64(0), width, 1, [&](Value* j) {
          Value* at = ir.Add(ir.Mul(row, width), j);
          Value* old = ir.LoadLanes(to, dtype, at, 1, nullptr);
          Value* more = ir.LoadLanes(updates, dtype, ir.Add(ir.Mul(i, width), j), 1, nullptr);
          ir.StoreLanes(Sum(ir, dtype, old, more), to, dtype, at, nullptr);
        });
      });
    });
  });
}

}  // namespace fusebox::codegen
