// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/plan/products.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "fusebox/compiler/schedule/schedule_model.h"

namespace fusebox {

NodeId ProductIn(const Graph& graph, const Kernel& kernel) {
  const auto product =
      std::ranges::find_if(kernel.members, [&](NodeId id) { return graph[id].info().kind == OpKind::kMatMul; });
  return product != kernel.members.end() ? *product : 0;
}

ProductShape ShapeOfProduct(const Graph& graph, const Kernel& kernel, NodeId product, int64_t row_capacity,
                            const std::function<Layout(NodeId storage)>& layout_of) {
  const Node& node = graph[product];
  const auto layout = [&](NodeId value) { return layout_of(StorageOf(graph, value)); };
  ProductShape shape = {.m = node.type.shape[0],
                        .k = DepthOfProduct(graph, node),
                        .n = node.type.shape[1],
                        .dtype = node.type.dtype,
                        .transposed = node.attributes.Flag("transpose_a"),
                        .rows_of_data = kernel.Has(StorageOf(graph, node.inputs[0])),
                        .layout_of_a = layout(node.inputs[0]),
                        .layout_of_b = layout(node.inputs[1])};
  // Only if a dimension depends on the batch: other products have the same shape in programs for any number of rows.
  if (std::min({shape.m, shape.k, shape.n}) < 0) shape.rows = row_capacity;
  for (const NodeId member : kernel.members) {
    shape.in_panels |= layout(member) == Layout::kPanels;
    for (const NodeId input : DataInputs(graph[member])) shape.in_panels |= layout(input) == Layout::kPanels;
  }
  return shape;
}

double Flops(const ProductShape& shape) {
  return 2.0 * double(shape.Rows()) * double(shape.Depth()) * double(shape.Columns());
}

ScheduledProduct ScheduleProduct(const ProductShape& shape, const Target& target, const ScheduleSource& given,
                                 const ScheduleSource& found) {
  for (const auto& [source, origin] :
       {std::pair(&given, ScheduleOrigin::kGiven), std::pair(&found, ScheduleOrigin::kSearch)}) {
    const std::optional<ProductSchedule> schedule = *source ? (*source)(shape) : std::nullopt;
    if (schedule && IsValid(*schedule, shape, target)) return {shape, *schedule, origin};
  }
  return {shape, ChooseSchedule(shape, target), ScheduleOrigin::kModel};
}

}  // namespace fusebox
