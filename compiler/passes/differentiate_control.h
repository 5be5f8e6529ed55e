// SPDX-License-Identifier: Apache-2.0
// Gradients through branches and loops. Inside compiler/passes/ only.
//
//   cond   a cond on the same predicate, whose branches compute the operands' gradients through their forward branch.
//   scan   a scan from the last iteration to the first. Its carries are the gradients of the carries and, summed up, of
//          the operands that are the same each time. It computes each iteration's values again from the carries that
//          the iteration began with, which the forward scan is made to keep.
//   while  none: the number of carries to keep is unknown.
#pragma once
#include <map>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/builder.h"

namespace fusebox {

// The ControlRule of sweep.h.
absl::StatusOr<Values> ControlGradients(GraphBuilder& builder, NodeId id, const std::map<size_t, Value>& dys,
                                        const std::vector<bool>& wanted);

}  // namespace fusebox
