// SPDX-License-Identifier: Apache-2.0
// Packs a state into panels, and unpacks it: see matrix_layout.h. A unit is one panel.
#include "fusebox/compiler/codegen/cpu/kernels.h"
#include "fusebox/compiler/matrix_layout.h"

namespace fusebox::codegen {

Value* PanelUnits(const KernelContext& c, const Plan::Packed& packed) {
  return c.ir.CeilDiv(c.Dim(c.graph()[packed.state].type.shape[1]), kPanel);
}

void EmitPanels(const KernelContext& c, const Plan::Packed& packed, bool pack) {
  Ir& ir = c.ir;
  const Type& type = c.graph()[packed.state].type;
  Value* plain = PortAddress(c, c.plan.ports[size_t(packed.port)], c.Number(NumberKind::kPort, packed.state));
  Value* panels = StorageAddress(c, packed.state);
  Value* rows = c.Dim(type.shape[0]);
  Value* columns = c.Dim(type.shape[1]);
  ir.Loop(c.begin, c.end, 1, [&](Value* unit) {
    Value* column = ir.Mul(unit, ir.I64(kPanel));
    Value* mask = LanesBefore(ir, column, columns, kPanel);
    ir.Loop(ir.I64(0), rows, 1, [&](Value* row) {
      Value* from = ir.Add(ir.Mul(row, columns), column);
      Value* to = PanelIndex(ir, rows, row, column);
      if (pack) {
        ir.StoreLanes(ir.LoadLanes(plain, type.dtype, from, kPanel, mask), panels, type.dtype, to, nullptr);
      } else {
        ir.StoreLanes(ir.LoadLanes(panels, type.dtype, to, kPanel, nullptr), plain, type.dtype, from, mask);
      }
    });
  });
}

}  // namespace fusebox::codegen
