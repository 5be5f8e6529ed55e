// SPDX-License-Identifier: Apache-2.0
// What the emitters know while they fill a kernel's function: the kernel, the plan, the function's arguments, and where
// arrays lie.
#pragma once
#include <cstddef>
#include <map>

#include "fusebox/compiler/codegen/ir.h"
#include "fusebox/compiler/codegen/number.h"
#include "fusebox/compiler/fuse/kernel.h"
#include "fusebox/compiler/matrix_layout.h"
#include "fusebox/compiler/plan/plan.h"
#include "fusebox/compiler/port.h"
#include "fusebox/compiler/target.h"

namespace fusebox::codegen {

// A kernel's function, and what it works on.
struct KernelContext {
  Ir& ir;
  const FusedProgram& program;
  const Kernel& kernel;
  const Plan& plan;
  int64_t row_capacity;
  const Target& target;
  bool by_rows = false;  // See Plan::by_rows.
  // The function's arguments: the RunContext, the first row of this step and its number of rows, the units to compute.
  Value *run = nullptr, *first_row = nullptr, *batch = nullptr, *begin = nullptr, *end = nullptr;

  // The numbers that the kernel's fingerprint lists, as constants or loaded from a table. They alone tell where its
  // arrays lie, as other kernels may share the function.
  const std::map<NumberKey, Value*>* numbers = nullptr;

  const Graph& graph() const { return program.graph; }
  Value* Number(NumberKind kind, NodeId id) const { return numbers->at({kind, id}); }
  Value* Dim(int64_t dim) const { return dim >= 0 ? ir.I64(dim) : ir.Mul(batch, ir.I64(-dim)); }
  Value* Size(const Shape& shape, size_t from = 0) const;
  Layout LayoutOf(NodeId value) const { return plan.places[StorageOf(graph(), value)].layout; }
  // From one row of a matrix to the next, in elements.
  Value* RowStride(NodeId value) const;
};

// The index of element (row, column) of a matrix of `rows` rows in panels. `column` must be a multiple of kPanel plus a
// constant; lanes from there on must not reach into the next panel.
Value* PanelIndex(Ir& ir, Value* rows, Value* row, Value* column);

// The address of a field of a RunContext.
Value* ContextField(Ir& ir, Value* context, size_t offset);
// The address of a port's array for this step, by the port's index.
Value* PortAddress(const KernelContext& c, const Port& port, Value* index);
Value* ArenaAddress(const KernelContext& c, Value* offset);
// The address of the array that a value is read from or stored to.
Value* StorageAddress(const KernelContext& c, NodeId storage);

}  // namespace fusebox::codegen
