// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/fuse/loop_nest.h"

#include <algorithm>

namespace fusebox {
namespace {

bool IsTransposeOfMatrix(const Node& node) {
  return node.op == Op::kTranspose && node.type.rank() == 2 && node.attributes.List("permutation") == Ints{1, 0};
}

// An index along the last axis of the space. It is known at each point, whatever the rank of the node itself.
bool IsIndexInto(const Node& node, const Shape& space) {
  return IsIndex(node) && node.type.rank() == 1 && !space.empty() && node.type.shape[0] == space.back();
}

Shape WithOnes(Shape shape, size_t rank) {
  while (shape.size() < rank) shape.insert(shape.begin(), 1);
  return shape;
}

// Elementwise, on values that the reductions leave.
Reason FitsReduced(const Graph& graph, const Kernel& k, const Node& node) {
  if (!IsPointwise(node) || ReadsElsewhere(node)) return fmt::format("{} has a loop nest of its own", node.info().name);
  for (const NodeId input : DataInputs(node)) {
    const NodeId storage = StorageOf(graph, input);
    if (!k.Has(storage)) continue;
    if (IsElement(graph, k, storage)) return "it reads other elements than its own";
    if (WithOnes(graph[input].type.shape, node.type.shape.size()) != node.type.shape)
      return "it reads other rows' results";
  }
  return "";
}

// One element for each point of a kernel of rows. `outer_and_ones` is the shape of values that each row has one of.
Reason FitsElements(const Graph& graph, const Kernel& k, const Node& node, const Shape& outer_and_ones) {
  if (k.run_rank > 1) {
    // The folded axes are one loop: an operand must lie along all of them, or along none.
    if (ReadsElsewhere(node) || IsIndex(node)) return "it needs the index of an axis that is folded";
    for (const NodeId input : DataInputs(node)) {
      const Shape s = WithOnes(graph[input].type.shape, k.space.size());
      const bool along = std::equal(s.begin() + k.outer_rank, s.end(), k.space.begin() + k.outer_rank);
      const bool across = std::all_of(s.begin() + k.outer_rank, s.end(), [](int64_t d) { return d == 1; });
      if (!along && !across) return "an operand repeats along some of the folded axes only";
    }
  }
  for (const NodeId input : DataInputs(node)) {
    const NodeId storage = StorageOf(graph, input);
    if (!k.Has(storage)) continue;
    if (ReadsElsewhere(node)) return "it reads other elements than its own";
    const Shape& shape = graph[input].type.shape;
    if (IsElement(graph, k, storage)) {
      if (shape != graph[storage].type.shape) return "it reads other elements than its own";
    } else if (WithOnes(shape, k.space.size()) != outer_and_ones) {
      return "it reads other rows' results";
    }
  }
  return "";
}

Reason FitsRows(const Graph& graph, const Kernel& k, const Node& node) {
  const Shape left = ReducedSpace(k);
  const Shape outer_and_ones = [&] {
    Shape s(k.space.begin(), k.space.begin() + k.outer_rank);
    s.resize(k.space.size(), 1);
    return s;
  }();
  if (node.info().kind == OpKind::kReduce) {
    const auto [first, count] = ReducedRun(node);
    const Type& in = graph[node.inputs[0]].type;
    if (in.shape != k.space)
      return fmt::format("it reduces {}, the kernel runs over {}", ToString(in.shape), ToString(k.space));
    if (first + count != in.rank()) return "it reduces other axes than the last";
    if (k.run_rank != 0 && k.run_rank != count) return "it reduces another number of axes";
    if (count > 1 && k.run_rank == 0) return "the kernel's loops are not laid out for it";
    return "";
  }
  if (!IsPointwise(node)) return fmt::format("{} has a loop nest of its own", node.info().name);
  if (IsIndexInto(node, k.space) && k.run_rank <= 1) return "";
  if (node.type.shape == k.space) return FitsElements(graph, k, node, outer_and_ones);
  // One element a row, after the reductions.
  if (k.run_rank == 0 || (node.type.shape != left && node.type.shape != outer_and_ones)) {
    return fmt::format("its shape is {}, the kernel's {}", ToString(node.type.shape), ToString(k.space));
  }
  return FitsReduced(graph, k, node);
}

Reason FitsColumns(const Graph& graph, const Kernel& k, const Node& node) {
  if (node.info().kind == OpKind::kReduce) {
    const auto [first, count] = ReducedRun(node);
    const bool same = graph[node.inputs[0]].type.shape == k.space && first == k.outer_rank && count == k.run_rank;
    if (!same || node.info().gives_index) return "it reduces over another space";
    return k.Has(StorageOf(graph, node.inputs[0])) ? "it reads the kernel's result" : "";
  }
  if (node.type.shape != ReducedSpace(k)) {
    return fmt::format("its shape is {}, the kernel leaves {}", ToString(node.type.shape), ToString(ReducedSpace(k)));
  }
  if (int64_t(k.space.size()) - k.outer_rank - k.run_rank > 1) {
    // The axes that stay are one loop: an operand must lie along all of them, or be a single number.
    for (const NodeId input : DataInputs(node)) {
      const Shape& s = graph[input].type.shape;
      if (s != node.type.shape && std::ranges::any_of(s, [](int64_t d) { return d != 1; })) {
        return "an operand repeats along some of the columns' axes only";
      }
    }
  }
  return FitsReduced(graph, k, node);
}

Reason FitsMatMul(const Graph& graph, const Kernel& k, const Node& node) {
  if (IsIndexInto(node, k.space)) return "";
  if (!IsPointwise(node) || ReadsElsewhere(node)) return fmt::format("{} has a loop nest of its own", node.info().name);
  if (node.type.shape != k.space) {
    return fmt::format("its shape is {}, the product's {}", ToString(node.type.shape), ToString(k.space));
  }
  for (const NodeId input : DataInputs(node)) {
    const NodeId storage = StorageOf(graph, input);
    if (k.Has(storage) && graph[input].type.shape != graph[storage].type.shape)
      return "it reads other elements than its own";
  }
  return "";
}

}  // namespace

Reason Fits(const Graph& graph, const Kernel& kernel, const Node& node) {
  switch (kernel.kind) {
    case KernelKind::kMatMul:
      return FitsMatMul(graph, kernel, node);
    case KernelKind::kRows:
      return FitsRows(graph, kernel, node);
    case KernelKind::kColumns:
      return FitsColumns(graph, kernel, node);
    default:
      return fmt::format("a {} takes no other work", Name(kernel.kind));
  }
}

Kernel KernelFor(const Graph& graph, const Node& node) {
  const auto in = [&] { return graph[node.inputs[0]].type.shape; };
  const int64_t rank = node.type.rank();
  if (node.info().kind == OpKind::kMatMul) return {.kind = KernelKind::kMatMul, .space = node.type.shape};
  if (node.info().kind == OpKind::kControl) return {.kind = KernelKind::kControl};
  if (node.info().access == Access::kLoopNest && node.info().kind == OpKind::kMovement)
    return {.kind = KernelKind::kCopy, .space = node.type.shape};
  if (node.info().access == Access::kLoopNest && node.info().kind == OpKind::kGather)
    return {.kind = KernelKind::kScatter, .space = graph[node.inputs[1]].type.shape};
  if (IsTransposeOfMatrix(node)) return {.kind = KernelKind::kTranspose, .space = node.type.shape};
  if (node.info().kind == OpKind::kReduce) {
    const auto [first, count] = ReducedRun(node);
    const bool last = first + count == int64_t(in().size());
    return {
        .kind = last ? KernelKind::kRows : KernelKind::kColumns, .space = in(), .outer_rank = first, .run_rank = count};
  }
  return {.kind = KernelKind::kRows, .space = node.type.shape, .outer_rank = std::max<int64_t>(rank - 1, 0)};
}

std::pair<int64_t, int64_t> ReducedRun(const Node& node) {
  if (node.attributes.Find("axis") != nullptr) return {node.attributes.Int("axis"), 1};
  const Ints& axes = node.attributes.List("axes");
  return {axes.empty() ? 0 : axes[0], int64_t(axes.size())};
}

}  // namespace fusebox
