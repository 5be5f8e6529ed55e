// SPDX-License-Identifier: Apache-2.0
// Pieces that the shape rules and gradients of several op tables share.
#pragma once
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"
#include "fusebox/graph/op.h"

namespace fusebox {

using TypeOr = absl::StatusOr<Type>;

// NumPy's rule: aligned at the last axis, equal or 1.
absl::StatusOr<Shape> BroadcastShapes(const Shape& a, const Shape& b);
// Whether a value of shape `from` can be repeated to shape `to`.
bool BroadcastsTo(const Shape& from, const Shape& to);

// `axis`, counted from the end if it is negative; an error if the type has no such axis.
absl::StatusOr<int64_t> NormalAxis(int64_t axis, const Type& type);

// The gradient of a broadcast: dy summed over the axes in which `shape` was stretched, and reshaped to it.
Value SumTo(Value dy, const Dims& shape);

}  // namespace fusebox
