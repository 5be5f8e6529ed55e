// SPDX-License-Identifier: Apache-2.0
// Gradients through branches and loops. Inside compiler/passes/ only.
//
//   cond   a cond on the same predicate: in each branch the operands' gradients by way of it.
//   scan   a scan from the last time to the first, whose carries are the gradients of the carries and, summed up, of what
//          is the same each time. It computes each time's values again from the carries that the scan began it with; the
//          scan is made to keep those.
//   while  none: nobody knows how many carries it would have to keep.
#pragma once
#include <map>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/builder.h"

namespace fusebox {

// The gradients by each operand of control node `id`, from those by its results. Written are those that are wanted, which
// are floats; id 0 where none flows.
absl::StatusOr<Values> ControlGradients(GraphBuilder& builder, NodeId id, const std::map<size_t, Value>& dys,
                                        const std::vector<bool>& wanted);

}  // namespace fusebox
