// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "absl/status/statusor.h"
#include "fusebox/compiler/passes/pass.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

// Gives each matrix product operands in the order in which kernels read them. A kernel computes vectors of C[i, :] from
// vectors of rows of B, times single elements of A:
//
//     C[i, j .. j+15] += A[i, k] * B[k, j .. j+15]        B row-major [k, m];  A by element, transposed or not
//
// So a B that is read transposed is first transposed in memory, by a node of its own. After cse, several products share
// it:
//
//     %0 = matmul %dy, %w {transpose_b = true}     becomes     %0 = transpose %w {permutation = [1, 0]}
//                                                              %1 = matmul %dy, %0
//
// Values are unchanged. Runs after the last simplify, which does the reverse. How a matrix lies in memory (padded, in
// panels) is no matter of the graph: see matrix_layout.h. Linear in the number of nodes.
absl::StatusOr<Graph> ChooseLayouts(const Graph& graph);
inline constexpr GraphPass kLayoutPass = {"layout", "lays out operands of matrix products as kernels read them",
                                          ChooseLayouts};

}  // namespace fusebox
