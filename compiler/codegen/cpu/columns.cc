// SPDX-License-Identifier: Apache-2.0
// Columns: sums, maxima or their indices over a run of axes for 16 columns at once, then what is computed from them.
//
//     for unit in outer x chunks of 16 columns
//       for k in run, ascending: fold x[outer, k, columns]
//       members on the results; store
#include "fusebox/compiler/codegen/cpu/kernels.h"
#include "fusebox/compiler/codegen/op_emitters.h"

namespace fusebox::codegen {
namespace {

struct Axes {
  Shape outer, run, inner;
};
Axes AxesOf(const Kernel& kernel) {
  const auto a = kernel.space.begin() + kernel.outer_rank, b = a + kernel.run_rank;
  return {Shape(kernel.space.begin(), a), Shape(a, b), Shape(b, kernel.space.end())};
}

// A reduction's accumulator has 16 lanes; argmax has a second one for the index of the best so far.
struct Fold {
  NodeId id;
  Op op;
  DType dtype;  // Of the operand.
  Value* base;
  Value* stride;  // From one k to the next, in elements.
};

Values Begin(Ir& ir, const std::vector<Fold>& folds) {
  Values state;
  for (const Fold& fold : folds) {
    llvm::Type* type = Ir::Lanes(ir.ElementType(fold.dtype), kLanes);
    state.push_back(FoldingOf(fold.op).identity(ir, fold.dtype, type));
    if (Info(fold.op).gives_index) state.push_back(ir.Integer(Ir::Lanes(ir.b.getInt32Ty(), kLanes), -1));
  }
  return state;
}

Values Step(Ir& ir, const std::vector<Fold>& folds, Value* k, Value* start, Value* mask, Values state) {
  size_t s = 0;
  for (const Fold& fold : folds) {
    Value* index = ir.Add(start, ir.Mul(k, fold.stride));
    Value* x = ir.LoadLanes(fold.base, fold.dtype, index, kLanes, mask);
    Value* old = state[s];
    if (!Info(fold.op).gives_index) {
      state[s] = FoldingOf(fold.op).combine(ir, fold.dtype, old, x);
    } else {
      Value* at = state[s + 1];
      Value* first = ir.b.CreateICmpSLT(at, ir.Integer(at->getType(), 0));
      Value* take = ir.b.CreateOr(Beats(ir, fold.dtype, x, old), first);
      state[s] = ir.b.CreateSelect(take, x, old);
      state[s + 1] = ir.b.CreateSelect(take, ir.Splat(ir.b.CreateTrunc(k, ir.b.getInt32Ty()), kLanes), at);
      ++s;
    }
    ++s;
  }
  return state;
}

void Chunk(const KernelContext& c, PointEmitter& points, const Axes& axes, const Point& point) {
  Ir& ir = c.ir;
  std::vector<Fold> folds;
  for (const NodeId id : c.kernel.members) {
    const Node& node = c.graph()[id];
    if (node.info().kind != OpKind::kReduce) continue;
    const NodeId operand = node.inputs[0];
    Value* stride = c.LayoutOf(operand) == Layout::kPadded ? c.RowStride(operand) : c.Size(axes.inner);
    folds.push_back({id, node.op, c.graph()[operand].type.dtype, points.base(StorageOf(c.graph(), operand)), stride});
  }
  // x[outer, k, column] lies at ((outer * run) + k) * width + column. If rows are padded, there is no outer.
  Value* run = c.Size(axes.run);
  Value* width = c.Size(axes.inner);
  Value* outer = ir.I64(0);
  for (size_t i = 0; i < point.outer.size(); ++i) outer = ir.Add(ir.Mul(outer, c.Dim(axes.outer[i])), point.outer[i]);
  Value* start = ir.Add(ir.Mul(ir.Mul(outer, run), width), point.inner);
  const Values state = ir.Loop(ir.I64(0), run, 1, Begin(ir, folds), [&](Value* k, Values carried) {
    return Step(ir, folds, k, start, point.mask, std::move(carried));
  });
  size_t s = 0;
  for (const Fold& fold : folds) {
    s += Info(fold.op).gives_index ? 1 : 0;
    (*point.memo)[fold.id] = state[s++];
  }
  points.StoreElements(c.kernel.stored, point);
}

}  // namespace

Value* ColumnsUnits(const KernelContext& c) {
  const Axes axes = AxesOf(c.kernel);
  return c.ir.Mul(c.Size(axes.outer), c.ir.CeilDiv(c.Size(axes.inner), kLanes));
}

void EmitColumns(const KernelContext& c) {
  Ir& ir = c.ir;
  const Axes axes = AxesOf(c.kernel);
  PointEmitter points(c);
  Value* width = c.Size(axes.inner);
  Value* chunks = ir.CeilDiv(width, kLanes);
  ir.Loop(c.begin, c.end, 1, [&](Value* unit) {
    Value* first = ir.Mul(ir.b.CreateURem(unit, chunks), ir.I64(kLanes));
    points.NextRow();
    const auto chunk = [&](Value* mask) {
      Memo memo;
      Point point;
      point.outer = Unflatten(c, ir.b.CreateUDiv(unit, chunks), axes.outer);
      point.inner = first;
      point.lanes = kLanes;
      point.mask = mask;
      point.memo = &memo;
      Chunk(c, points, axes, point);
    };
    // A fixed width may rule out one of the two cases.
    const int64_t fixed = SymbolicProduct(axes.inner).value_or(-1);
    if (fixed >= 0 && fixed % kLanes == 0) return chunk(nullptr);
    if (fixed >= 0 && fixed < kLanes) return chunk(LanesBefore(ir, first, width));
    Value* whole = ir.b.CreateICmpSLE(ir.Add(first, ir.I64(kLanes)), width);
    ir.If(whole, [&] { chunk(nullptr); }, [&] { chunk(LanesBefore(ir, first, width)); });
  });
}

}  // namespace fusebox::codegen
