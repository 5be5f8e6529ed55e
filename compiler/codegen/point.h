// SPDX-License-Identifier: Apache-2.0
// codegen/ emits LLVM IR for the members of a kernel at one point of its space, or at neighbouring points in lanes. It
// knows lanes alone: types and loops (ir.h), elementary functions (math.h), one entry for each op (op_emitters.h), and
// this unit, which loads operands from where the plan put them, emits ops and stores results. Which points there are,
// and which thread computes them, is up to codegen/cpu/, which this room does not see. It sees fuse/, plan/ and the
// words beside compiler.h.
#pragma once
#include <map>
#include <utility>
#include <vector>

#include "fusebox/compiler/codegen/kernel_context.h"

namespace fusebox::codegen {

using Memo = std::map<NodeId, Value*>;

// A point of a kernel's space. The first axes are loops around it, whose indices are `outer`. The other axes are one
// loop, whose index is `inner`: a multiple of kPanel plus a constant.
struct Point {
  Values outer;
  Value* inner = nullptr;
  int64_t lanes = 1;
  Value* mask = nullptr;  // The lanes that lie inside; null: all.
  Memo* memo = nullptr;   // Members already computed here.
};

class PointEmitter {
 public:
  // Emits the base addresses of everything that the kernel reads and writes. Call at the function's entry.
  explicit PointEmitter(const KernelContext& context);

  // Values of the current row: results of reductions, and members computed from these alone.
  Memo reduced;
  // Forgets what was loaded for the previous row.
  void NextRow() {
    reduced.clear();
    row_loads_.clear();
  }

  // A member that has an element at each point.
  Value* Element(NodeId id, const Point& point);
  // A member that has one value a row: from `reduced`, or computed from values there.
  Value* Reduced(NodeId id, const Point& point);
  // An operand, computed here if it is a member and loaded otherwise: a vector of point.lanes, or a scalar if `scalar`.
  Value* Operand(const Node& user, size_t input, const Point& point, bool scalar = false);
  // Loads operands that do not change along the inner axis, ahead of the loop.
  void Preload(const Point& point);
  void Store(NodeId id, Value* value, const Point& point);
  // Prefetches what the members will load at this point, for operands of the space's shape.
  void Prefetch(const Point& point);
  // Computes all of them before it stores any: a result may take the place of another one's operand.
  void StoreElements(const std::vector<NodeId>& ids, const Point& point);

  Value* base(NodeId storage) const;
  Value* data_set(NodeId rows) const { return data_sets_.at(rows); }  // By the member that takes rows of it.
  // The index of element (outer..., inner) of a value that a node of shape `context` reads. Sets `across` if all lanes
  // read the same element.
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

}  // namespace fusebox::codegen
