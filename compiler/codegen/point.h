// SPDX-License-Identifier: Apache-2.0
// A kernel's members computed at one point of its space (or at some neighbouring ones, in lanes): operands loaded from
// where the plan put them, ops emitted, results stored. What every kind of loop nest has inside.
#pragma once
#include <map>
#include <string>

#include "fusebox/compiler/codegen/cpu/fingerprint.h"
#include "fusebox/compiler/codegen/ir.h"
#include "fusebox/compiler/fuse/kernel.h"
#include "fusebox/compiler/plan/plan.h"

namespace fusebox::codegen {

// A kernel's function and what it works on.
struct KernelContext {
  Ir& ir;
  const FusedProgram& program;
  const Kernel& kernel;
  const Plan& plan;
  int64_t row_capacity;
  const Target& target;
  bool by_rows = false;  // See Plan::by_rows.
  // The function's arguments: the RunContext, the first row of this step and how many it has, the units to do.
  Value *run = nullptr, *first_row = nullptr, *batch = nullptr, *begin = nullptr, *end = nullptr;

  // The numbers that the kernel's fingerprint lists, constants or not: wherever its arrays lie is told by these alone, as
  // the function may be other kernels' as well.
  const std::map<NumberKey, Value*>* numbers = nullptr;

  const Graph& graph() const { return program.graph; }
  Value* Number(NumberKind kind, NodeId id) const { return numbers->at({kind, id}); }
  Value* Dim(int64_t dim) const { return dim >= 0 ? ir.I64(dim) : ir.Mul(batch, ir.I64(-dim)); }
  Value* Size(const Shape& shape, size_t from = 0) const;
  Layout LayoutOf(NodeId value) const { return plan.places[StorageOf(graph(), value)].layout; }
  // From one row of a matrix to the next, in elements.
  Value* RowStride(NodeId value) const;
};

using Memo = std::map<NodeId, Value*>;

// The axes before `outer` are loops around, with an index each; those from there on are one loop, `inner` its index: but
// for a constant a multiple of kPanel.
struct Point {
  Values outer;
  Value* inner = nullptr;
  int64_t lanes = 1;
  Value* mask = nullptr;  // Which lanes lie inside; null: all.
  Memo* memo = nullptr;   // Members already computed here.
};

class PointEmitter {
 public:
  // Emits the base addresses of all that the kernel reads and writes: call at the function's entry.
  explicit PointEmitter(const KernelContext& context);

  // Values of the current row: results of reductions, and what follows from them alone.
  Memo reduced;
  // Forgets what was loaded for the row before.
  void NextRow() {
    reduced.clear();
    row_loads_.clear();
  }

  // A member that has an element at each point.
  Value* Element(NodeId id, const Point& point);
  // A member that has one value a row: in `reduced`, or computed from there.
  Value* Reduced(NodeId id, const Point& point);
  // An operand, as a member computed here, or loaded: a vector of point.lanes, or a scalar if `scalar`.
  Value* Operand(const Node& user, size_t input, const Point& point, bool scalar = false);
  // Loads ahead what does not change along the inner axis.
  void Preload(const Point& point);
  void Store(NodeId id, Value* value, const Point& point);
  // Asks for the cache lines of what the members will load at this point, where it lies as the space does.
  void Prefetch(const Point& point);
  // Computes all of them, then stores them: a result may lie where an operand of the others does.
  void StoreElements(const std::vector<NodeId>& ids, const Point& point);

  Value* base(NodeId storage) const;
  Value* data_set(NodeId rows) const { return data_sets_.at(rows); }  // Of a member that takes rows of it.
  // The index of element (outer..., inner) of a value, read by a node of shape `context`; sets `across` if all lanes read
  // the same one.
  Value* Index(NodeId value, const Shape& context, const Point& point, bool* across) const;

 private:
  Value* Load(NodeId value, const Shape& context, const Point& point, bool scalar);
  Value* MaskFor(NodeId storage, const Point& point) const;
  Value* Compute(NodeId id, const Point& point, bool scalar);
  Value* IndexAlong(const Node& node, int64_t axis, const Point& point);
  Value* Rows(NodeId id, const Point& point);
  Value* Gather(const Node& node, const Point& point);
  Value* Strided(const Node& node, const Point& point);
  Value* Random(NodeId id, const Point& point, bool scalar);
  Value* Constant(const Node& node);
  Value* InnerLanes(const Point& point);

  const KernelContext& c_;
  Ir& ir_;
  std::map<NodeId, Value*> bases_;
  std::map<NodeId, Value*> data_sets_;                     // By the node that takes rows of it.
  std::map<std::pair<NodeId, size_t>, Value*> row_loads_;  // By value and rank of the reader.
};

// The index of element (row, column) of a matrix of so many rows in panels. But for a constant, `column` must be a
// multiple of kPanel; lanes from there on must not reach into the next panel.
Value* PanelIndex(Ir& ir, Value* rows, Value* row, Value* column);

// The address of a port's array for this step, by the port's index.
Value* PortAddress(const KernelContext& c, const Port& port, Value* index);
Value* ArenaAddress(const KernelContext& c, Value* offset);
// Of the array that a value is read from or stored to.
Value* StorageAddress(const KernelContext& c, NodeId storage);

}  // namespace fusebox::codegen
