// SPDX-License-Identifier: Apache-2.0
// The matrix products in kernels: their shapes as schedules see them, and how they are cut.
#pragma once
#include <functional>

#include "fusebox/compiler/fuse/kernel.h"
#include "fusebox/compiler/matrix_layout.h"
#include "fusebox/compiler/schedule/product_schedule.h"

namespace fusebox {

// The product among the kernel's members; 0 if there is none.
NodeId ProductIn(const Graph& graph, const Kernel& kernel);

// `layout_of` tells how a value lies, by the node whose memory it is read from (StorageOf).
ProductShape ShapeOfProduct(const Graph& graph, const Kernel& kernel, NodeId product, int64_t row_capacity,
                            const std::function<Layout(NodeId storage)>& layout_of);

// At full batch.
double Flops(const ProductShape& shape);

// The schedule that `given` has for the shape; else the one that `found` has; else the model's. Passes over schedules
// that are not valid. Sources may be null.
ScheduledProduct ScheduleProduct(const ProductShape& shape, const Target& target, const ScheduleSource& given,
                                 const ScheduleSource& found);

}  // namespace fusebox
