// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "absl/status/statusor.h"
#include "fusebox/compiler/passes/pass.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

// Gives reductions one form: over one run of adjacent axes, which leaves the shape. So a kernel sees [outer, run,
// inner] and folds the middle; there is no other case:
//
//     %0 = sum %x {axes = [0, 2, 3]}  : f32[8]         becomes     %0 = sum %x {axes = [2, 3]} : f32[N,8]
//                         of x f32[N,8,4,4]                        %1 = sum %0 {axes = [0]}    : f32[8]
//
//     %0 = reduce_max %x {axes = [1], keepdims = true}  becomes     %0 = reduce_max %x {axes = [1]} : f32[N]
//                                      : f32[N,1]                   %1 = reshape %0                 : f32[N,1]
//
// The last run comes first, as it reads memory in order and leaves least. A reduction of a large array to one number,
// such as the sum of a penalty on weights, goes axis by axis: threads can share the rows then, and the array may lie in
// panels (matrix_layout.h). Axes of size 1 are not folded but reshaped away. A sum in several parts is rounded once
// more for each part; maxima are unchanged. Runs after simplify, before layout and fusion. Linear in the number of
// nodes.
absl::StatusOr<Graph> CanonicalReductions(const Graph& graph);
inline constexpr GraphPass kCanonicalReductionsPass = {
    "canonical_reductions", "makes each reduction fold one run of axes", CanonicalReductions};

}  // namespace fusebox
