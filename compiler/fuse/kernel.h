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

// Whether a member has one element for each point of the space, or for each point that its reductions leave. An index
// (iota) can be told at any point, whatever its own shape is.
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
// How many products each element of a matmul sums up: the dimension that its operands share.
int64_t DepthOfProduct(const Graph& graph, const Node& matmul);
// A source is read where it lies, or is known when compiling; no kernel computes it.
bool IsLeaf(const Node& node);

// "dense/matmul+add+max": the layer that most of it comes from, and its operations.
std::string NameOf(const FusedProgram& program, const Kernel& kernel);

// As text: "%5 = kernel matmul [N,300] { %3 matmul; %4 add; %5 max } ...".
std::string Print(const FusedProgram& program);

}  // namespace fusebox
