// SPDX-License-Identifier: Apache-2.0
// Columns: sums (or maxima) over a run of axes for 16 columns at once, then what is computed from them.
//
//     for unit in outer x chunks of 16 columns
//       for k in run, ascending: fold x[outer, k, columns]
//       members on the results; store
#include <algorithm>

#include "fusebox/compiler/codegen/kernels.h"
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

void Chunk(const KernelContext& c, PointEmitter& points, const Axes& axes, const Point& point) {
  Ir& ir = c.ir;
  Value* run = c.Size(axes.run);
  Value* width = c.Size(axes.inner);
  std::vector<NodeId> folds;
  Values state;
  for (const NodeId id : c.kernel.members) {
    const Node& node = c.graph()[id];
    if (node.info().kind != OpKind::kReduce) continue;
    folds.push_back(id);
    llvm::Type* type = Ir::Lanes(ir.ElementType(node.type.dtype), kLanes);
    state.push_back(node.op == Op::kSum ? llvm::Constant::getNullValue(type)
                                        : MaximumIdentity(ir, node.type.dtype, type));
  }
  // x[outer, k, column] lies at ((outer * run) + k) * width + column.
  Value* outer = ir.I64(0);
  for (size_t i = 0; i < point.outer.size(); ++i) outer = ir.Add(ir.Mul(outer, c.Dim(axes.outer[i])), point.outer[i]);
  Value* start = ir.Add(ir.Mul(ir.Mul(outer, run), width), point.inner);
  state = ir.Loop(ir.I64(0), run, 1, std::move(state), [&](Value* k, Values carried) {
    Value* index = ir.Add(start, ir.Mul(k, width));
    for (size_t i = 0; i < folds.size(); ++i) {
      const Node& node = c.graph()[folds[i]];
      const DType dtype = node.type.dtype;
      Value* x = ir.LoadLanes(points.base(StorageOf(c.graph(), node.inputs[0])), dtype, index, kLanes, point.mask);
      carried[i] = node.op == Op::kSum ? Sum(ir, dtype, carried[i], x) : Maximum(ir, dtype, carried[i], x);
    }
    return carried;
  });
  for (size_t i = 0; i < folds.size(); ++i) (*point.memo)[folds[i]] = state[i];
  for (const NodeId id : c.kernel.stored) points.Store(id, points.Element(id, point), point);
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
    Value* whole = ir.b.CreateICmpSLE(ir.Add(first, ir.I64(kLanes)), width);
    ir.If(whole, [&] { chunk(nullptr); }, [&] { chunk(LanesBefore(ir, first, width)); });
  });
}

}  // namespace fusebox::codegen
