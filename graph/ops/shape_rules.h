// SPDX-License-Identifier: Apache-2.0
// Pieces that the op tables' shape rules share. Inside graph/ only.
#pragma once
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"
#include "fusebox/graph/op.h"
#include "fusebox/graph/status.h"

namespace fusebox {

// NumPy's rule: aligned at the last axis, equal or 1.
absl::StatusOr<Shape> BroadcastShapes(const Shape& a, const Shape& b);
// Whether a value of shape `from` can be read as one of shape `to`.
bool BroadcastsTo(const Shape& from, const Shape& to);

// `axis` with negative ones counted from the end; an error if there is no such axis.
absl::StatusOr<int64_t> NormalAxis(int64_t axis, const Type& type);

// The gradient of a broadcast: dy summed over the axes in which `shape` was stretched, and reshaped to it.
Value SumTo(Value dy, const Dims& shape);

}  // namespace fusebox
