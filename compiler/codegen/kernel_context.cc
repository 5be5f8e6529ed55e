// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/codegen/kernel_context.h"

#include <cstddef>

#include "fusebox/compiler/run_context.h"
#include "fusebox/graph/check.h"

namespace fusebox::codegen {

Value* KernelContext::Size(const Shape& shape, size_t from) const {
  Value* size = ir.I64(1);
  for (size_t i = from; i < shape.size(); ++i) size = ir.Mul(size, Dim(shape[i]));
  return size;
}

Value* ContextField(Ir& ir, Value* context, size_t offset) {
  return ir.b.CreateConstInBoundsGEP1_64(ir.b.getInt8Ty(), context, offset);
}

Value* PortAddress(const KernelContext& c, const Port& p, Value* index) {
  Ir& ir = c.ir;
  Value* table = ir.b.CreateLoad(ir.ptr(), ContextField(ir, c.run, offsetof(RunContext, ports)));
  Value* array = ir.b.CreateLoad(ir.ptr(), ir.b.CreateInBoundsGEP(ir.ptr(), table, index));
  const bool of_a_batch = p.kind == Port::Kind::kInput || p.kind == Port::Kind::kOutput;
  const bool batched = of_a_batch && !p.type.shape.empty() && p.type.shape[0] < 0;
  if (!batched) return array;
  // A row of the batch is -shape[0] leading entries of the array, each as large as the other axes.
  Value* row_size = ir.Mul(c.Size(p.type.shape, 1), ir.I64(-p.type.shape[0]));
  return ir.At(array, p.type.dtype, ir.Mul(c.first_row, row_size));
}

Value* KernelContext::RowStride(NodeId value) const {
  Check(graph()[value].type.rank() == 2, "the rows of what is no matrix");
  const Layout layout = LayoutOf(value);
  const int64_t columns = graph()[value].type.shape[1];
  return layout == Layout::kPadded ? ir.I64(fusebox::RowStride(columns, layout)) : Dim(columns);
}

Value* ArenaAddress(const KernelContext& c, Value* offset) {
  auto& b = c.ir.b;
  Value* arena = b.CreateLoad(c.ir.ptr(), ContextField(c.ir, c.run, offsetof(RunContext, arena)));
  return b.CreateInBoundsGEP(b.getInt8Ty(), arena, offset);
}

Value* StorageAddress(const KernelContext& c, NodeId storage) {
  const Place& place = c.plan.places[storage];
  Value* number = c.Number(NumberKind::kStorage, storage);
  if (place.kind != Place::Kind::kPort) return ArenaAddress(c, number);
  return PortAddress(c, c.plan.ports[size_t(place.port)], number);
}

Value* PanelIndex(Ir& ir, Value* rows, Value* row, Value* column) {
  const auto [start, offset] = ir.SplitConstant(column);
  // start / 16 * (rows * 16), as start is a multiple of 16.
  Value* panel = ir.Add(ir.Mul(start, rows), ir.Mul(ir.I64(offset / kPanel * kPanel), rows));
  return ir.Add(ir.Add(panel, ir.Mul(row, ir.I64(kPanel))), ir.I64(offset % kPanel));
}

}  // namespace fusebox::codegen
