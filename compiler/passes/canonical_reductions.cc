// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/canonical_reductions.h"

#include <algorithm>

#include "fusebox/compiler/passes/support.h"

namespace fusebox {
namespace {

constexpr int64_t kLongRow = 64;         // Elements of a row that is worth a turn of its own.
constexpr int64_t kManyElements = 4096;  // Elements of an array that is worth a second reduction.

// Splits axes into runs of adjacent ones, the last run first.
std::vector<Ints> RunsFromTheLast(const Ints& axes) {
  std::vector<Ints> runs;
  for (size_t i = axes.size(); i-- > 0;) {
    if (runs.empty() || runs.back().front() != axes[i] + 1) runs.emplace_back();
    runs.back().insert(runs.back().begin(), axes[i]);
  }
  return runs;
}

// Whether a reduction of this run would be one long row, which one thread alone would have to fold.
bool IsOneLongRow(const Shape& shape, const Ints& run) {
  if (std::ranges::any_of(shape, [](int64_t size) { return size < 0; })) return false;
  const int64_t elements = NumElements(shape, 1);
  int64_t reduced = 1;
  for (const int64_t axis : run) reduced *= shape[size_t(axis)];
  return run.size() > 1 && reduced == elements && elements >= kManyElements && shape[size_t(run.back())] >= kLongRow;
}

// One axis after the other, from the last.
std::vector<Ints> AxisByAxis(const Ints& run) {
  std::vector<Ints> axes;
  for (size_t i = run.size(); i-- > 0;) axes.push_back({run[i]});
  return axes;
}

NodeId Canonical(Graph& copy, const Node& node, std::vector<NodeId> inputs) {
  // An index cannot be combined from parts, so argmax has one axis and never keeps it.
  if (node.info().kind != OpKind::kReduce || node.attributes.Find("axes") == nullptr) {
    return Keep(copy, node, std::move(inputs));
  }
  const Shape shape = copy[inputs[0]].type.shape;
  Ints folded;
  for (const int64_t axis : node.attributes.List("axes")) {
    if (shape[size_t(axis)] != 1) folded.push_back(axis);
  }
  NodeId value = inputs[0];
  std::vector<Ints> runs = RunsFromTheLast(folded);
  if (runs.size() == 1 && IsOneLongRow(shape, runs[0])) runs = AxisByAxis(runs[0]);
  for (Ints& run : runs) {
    value = AddFor(copy, node, node.op, {value}, Attribute("axes", std::move(run)));
  }
  return ReshapeFor(copy, node, value, node.type.shape);
}

}  // namespace

absl::StatusOr<Graph> CanonicalReductions(const Graph& graph) { return Rewrite(graph, Canonical); }

}  // namespace fusebox
