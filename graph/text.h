// SPDX-License-Identifier: Apache-2.0
// The text form of a graph (.fbg), which prints and parses back to the same text:
//
//     # A comment goes to the end of its line.
//     program {loss = "mean_squared_error", plugin.fusebox/layers = "0.1.0"}         facts about the whole, if any
//     %x = input                                  : f32[N,784]                       name = "x" follows from %x
//     %dense/kernel = state {kind = "weight"}     : f32[784,300]
//     %0 = matmul %x, %dense/kernel               : f32[N,300]  @dense               the layer that wrote it, after @
//     %1 = constant 0                             : f32[]
//     %2 = max %0, %1                             : f32[N,300]
//     %3 = call %2 : f32[N,300] {                                                    a region, with names of its own
//       %arg0 = input {name = "0"}   : f32[N,300]
//       return %arg0
//     }
//     update %dense/kernel = %9
//     return loss = %7, y = %3                                                       or `return %3`, without a name
//
// Inputs, rows and states are printed by their name (characters other than [A-Za-z0-9_/.] become '_'), all other values
// by number in order. Attributes come after the operands in alphabetical order: true, 3, 0.5 (always with a point or an
// exponent), nan, -inf, "text", [1, 2, N, 28*N]. Attributes that the rest of the line tells are left out: a name that
// is the value's own, and `dims` and `dtype` that are the type's. Source lines are not kept.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

std::string Print(const Graph& graph);

// Parses a text. Infers nothing: each written type has to be the one that the op gives. A number may stand for an
// operand ("max %1, 0"): it becomes a constant of the dtype of the node's first value. Takes at most a million nodes
// and 16 nested regions, and recurses on regions alone. Errors give the line, what was expected, and what was found.
absl::StatusOr<Graph> Parse(std::string_view text);

// The name of each value in print, by id: "%x", "%3".
std::vector<std::string> ValueNames(const Graph& graph);
// Prints one node without its regions: "%3 = matmul %x, %w : f32[N,300]". The graph may be broken.
std::string PrintNode(const Graph& graph, NodeId id);

}  // namespace fusebox
