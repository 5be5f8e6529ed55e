// SPDX-License-Identifier: Apache-2.0
// What the regions of a control node see and return, and what the node's results are. control.h writes them.
//
// Input "i" of a region is operand i of its node: one entry of a scan's sequence, any other operand as a whole. A
// region sees nothing else. Its outputs are, in order:
//
//   call   the result
//   cond   the results, in both regions
//   scan   the carries' next values, then the outputs of one iteration
//   while  first region: whether to go on, bool[]; second one: the carries' next values
#pragma once
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

// The type that a region of the node has for operand i, whose type is given.
Type TypeInRegion(const Node& node, size_t i, const Type& operand);

// The types of all results of a control node. Errors: operands, attributes and regions that do not fit each other; the
// message begins with what is wrong, "the body returns ...".
absl::StatusOr<std::vector<Type>> ResultTypes(const Node& node, const std::vector<Type>& operands);

// Which result of its control node a node stands for: an op `result`, or the control node itself, which is result 0.
inline size_t ResultIndex(const Node& node) { return size_t(node.attributes.Int("index")); }

// How many operands of a scan or while are carries, and of a scan sequences; 0 for other ops.
inline size_t CarriesOf(const Node& node) { return size_t(node.attributes.Int("carries")); }
inline size_t SequencesOf(const Node& node) { return size_t(node.attributes.Int("sequences")); }

// The operand that a region's input stands for.
size_t OperandOf(const Node& region_input);
// A region's input for operand i.
Node RegionInput(size_t i, Type type);

// The type [length, ...] of what one iteration gives, and back.
Type Stacked(int64_t length, const Type& one);
Type EntryOf(const Type& sequence);

// How often each region of a control node runs: a scan's `length` times, others once. A while counts as once, as only
// its values tell.
int64_t TimesOf(const Node& node, int64_t batch);

// Drops the operands that no region reads, but for the first `fixed` ones, and numbers the rest anew.
Node WithoutUnusedOperands(Node node, size_t fixed);

}  // namespace fusebox
