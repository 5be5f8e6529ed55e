// SPDX-License-Identifier: Apache-2.0
// Kernels: what fusion makes of a graph. A kernel is a set of nodes computed in one loop nest, so that values between
// them stay in registers. It is a view of the graph, not a second IR.
//
//   matmul     C[m, n] tile by tile, then its elementwise users on the tile       space [m, n]
//   rows       for each row: elementwise nodes, and reductions along the row      space [outer..., inner...]
//   columns    for each column: reductions over a run of axes, then their users   space [outer..., run..., inner...]
//   transpose  a matrix transposed                                                space [rows, columns] of the output
//   copy       pieces put side by side (concatenate, pad)                         space of the output
//   scatter    rows added up at the places that an index tells                    space of the updates
//   control    a branch or a loop: programs of their own, fused for themselves    none
#pragma once
#include <map>
#include <string>
#include <vector>

#include "fusebox/graph/graph.h"

namespace fusebox {

enum class KernelKind : uint8_t { kMatMul, kRows, kColumns, kTranspose, kCopy, kScatter, kControl };
const char* Name(KernelKind kind);

struct Kernel {
  KernelKind kind = KernelKind::kRows;
  Shape space = {};
  // The axes before outer_rank are loops around; the run_rank axes after them are folded by the kernel's reductions
  // (0: it has none). For rows these are the last axes; for columns others follow, which stay.
  int64_t outer_rank = 0, run_rank = 0;
  std::vector<NodeId> members = {};  // Ascending, so in topological order. A cheap node may be in several kernels.
  std::vector<NodeId> stored = {};   // Members whose values others read.

  bool Has(NodeId id) const;
  void Insert(NodeId id);  // As a member.
};

// Whether a member has one element for each point of the space, or for each point that its reductions leave; an index
// (IsIndex) always has.
bool IsElement(const Graph& graph, const Kernel& kernel, NodeId id);
// The part of the space that the reductions leave.
Shape ReducedSpace(const Kernel& kernel);

struct FusedProgram {
  Graph graph;
  std::vector<Kernel> kernels;                               // Each after those whose values it reads.
  std::vector<std::string> unfused;                          // A line for each edge between kernels: why they are two.
  std::map<NodeId, std::vector<FusedProgram>> regions = {};  // By control node, its regions.
};

// The node whose memory a value is read from: reshapes share their input's.
NodeId StorageOf(const Graph& graph, NodeId id);
// The inputs whose elements a node needs: iota and extent look at a shape alone.
std::vector<NodeId> DataInputs(const Node& node);
// How much code computes an element of a node, in instructions, roughly.
int64_t WorkOf(const Node& node);
// The work of all members. Code of one loop that is too long takes LLVM more than its share of time, and registers are
// used up long before.
int64_t WorkOf(const Graph& graph, const Kernel& kernel);
inline constexpr int64_t kMostWork = 256;
// How many products each element of a matmul sums up: the dimension that its operands share.
int64_t DepthOfProduct(const Graph& graph, const Node& matmul);

// ---- What a node is to a loop nest: answers of its op's entry.

// A source is read where it lies, or is known when compiling; no kernel computes it.
inline bool IsLeaf(const Node& node) { return node.info().access == Access::kNone; }
// A leaf that lies in no memory: code has its one number at hand.
inline bool IsNumberAtHand(const Node& node) { return IsLeaf(node) && node.info().binding == Binding::kNone; }
// The input's memory under another shape: no kernel computes it, either.
inline bool IsView(const Node& node) { return node.info().access == Access::kSameMemory; }
// Computed one element at a time, so it can be a member of any kernel with such a space.
inline bool IsPointwise(const Node& node) {
  const Access access = node.info().access;
  return access == Access::kSamePoint || access == Access::kIndex || access == Access::kElsewhere;
}
inline bool ReadsSamePoint(const Node& node) { return node.info().access == Access::kSamePoint; }
// Reads elements of its input at other places than its own, so the input has to lie in memory.
inline bool ReadsElsewhere(const Node& node) { return node.info().access == Access::kElsewhere; }
// Of those, one that copies whole rows, by a row's number.
inline bool PicksRows(const Node& node) { return ReadsElsewhere(node) && node.info().axis_map == nullptr; }
// The index along an axis: it can be told at any point, whatever the node's own shape is.
inline bool IsIndex(const Node& node) { return node.info().access == Access::kIndex && node.info().reads_shape_only; }

// "dense/matmul+add+max": the layer that most of it comes from, and its operations.
std::string NameOf(const FusedProgram& program, const Kernel& kernel);

// As text: "%5 = kernel matmul [N,300] { %3 matmul; %4 add; %5 max } ...".
std::string Print(const FusedProgram& program);

}  // namespace fusebox
