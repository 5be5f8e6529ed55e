// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/codegen/cpu/kernels.h"

#include "fusebox/graph/check.h"

namespace fusebox::codegen {

WorkUnits Units(const KernelContext& c) {
  if (c.by_rows) return {c.ir.I64(c.plan.row_cut.row_tiles)};
  switch (c.kernel.kind) {
    case KernelKind::kMatMul:
      return MatMulUnits(c);
    case KernelKind::kRows:
      return {RowsUnits(c)};
    case KernelKind::kColumns:
      return {ColumnsUnits(c)};
    case KernelKind::kTranspose:
      return {TransposeUnits(c)};
    case KernelKind::kCopy:
    case KernelKind::kScatter:
    case KernelKind::kControl:
      break;
  }
  return {c.ir.I64(1)};
}

void Emit(const KernelContext& c) {
  switch (c.kernel.kind) {
    case KernelKind::kMatMul:
      return EmitMatMul(c);
    case KernelKind::kRows:
      return EmitRows(c);
    case KernelKind::kColumns:
      return EmitColumns(c);
    case KernelKind::kTranspose:
      return EmitTranspose(c);
    case KernelKind::kCopy:
      return EmitCopy(c);
    case KernelKind::kScatter:
      return EmitScatter(c);
    case KernelKind::kControl:
      Check(false, "a branch or loop is no kernel of one function");
  }
}

Value* RowOfTile(const KernelContext& c, Value* tile) {
  const RowCut& cut = c.plan.row_cut;
  Value* row = c.ir.Add(c.ir.Mul(tile, c.ir.I64(cut.rows - 1)), c.ir.Min(tile, c.ir.I64(cut.tall)));
  return c.ir.Min(row, c.batch);
}

Values Unflatten(const KernelContext& c, Value* index, const Shape& axes) {
  Values indices(axes.size());
  for (size_t i = axes.size(); i-- > 0;) {
    if (i == 0) {
      indices[0] = index;
      break;
    }
    Value* size = c.Dim(axes[i]);
    indices[i] = c.ir.b.CreateURem(index, size);
    index = c.ir.b.CreateUDiv(index, size);
  }
  return indices;
}

Value* LanesBefore(Ir& ir, Value* first, Value* end, int64_t lanes) {
  llvm::Type* type = Ir::Lanes(ir.b.getInt32Ty(), lanes);
  Value* left = ir.b.CreateTrunc(ir.b.CreateSub(end, first), ir.b.getInt32Ty());
  return ir.b.CreateICmpSLT(ir.LaneIndex(type), ir.Splat(left, lanes));
}

}  // namespace fusebox::codegen
