// SPDX-License-Identifier: Apache-2.0
// The loop nests: one source for each kind of kernel. Each emitter fills a function that computes units [begin, end) of
// a kernel.
#pragma once
#include "fusebox/compiler/codegen/cpu/work_units.h"
#include "fusebox/compiler/codegen/point.h"

namespace fusebox::codegen {

// Every vector loop outside matrix products, and every reduction, works on this many logical lanes, whatever the size
// of the machine's vectors. So results do not depend on it.
inline constexpr int64_t kLanes = 16;

WorkUnits MatMulUnits(const KernelContext& c);
Value* RowsUnits(const KernelContext& c);
Value* ColumnsUnits(const KernelContext& c);
Value* TransposeUnits(const KernelContext& c);

void EmitRows(const KernelContext& c);
void EmitColumns(const KernelContext& c);
void EmitMatMul(const KernelContext& c);
void EmitTranspose(const KernelContext& c);
void EmitCopy(const KernelContext& c);     // One unit.
void EmitScatter(const KernelContext& c);  // One unit.

// Copies between a state's port and its panels.
Value* PanelUnits(const KernelContext& c, const Plan::Packed& packed);
void EmitPanels(const KernelContext& c, const Plan::Packed& packed, bool pack);

WorkUnits Units(const KernelContext& c);
void Emit(const KernelContext& c);

// The register tile of a matrix product, as text for reports.
std::string MatMulTile(const KernelContext& c);

// In a kernel that is cut by rows: the first row of tile `tile`, at most the number of rows in this step.
Value* RowOfTile(const KernelContext& c, Value* tile);

// The index along each of several axes, from the index of the one loop over all of them.
Values Unflatten(const KernelContext& c, Value* index, const Shape& axes);

// A mask of the lanes, from `first` on, that lie before `end`.
Value* LanesBefore(Ir& ir, Value* first, Value* end, int64_t lanes = kLanes);

}  // namespace fusebox::codegen
