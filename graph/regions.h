// SPDX-License-Identifier: Apache-2.0
// What the regions of a control node see and return, and what the node's results are. Who writes them: control.h.
//
// Input "i" of a region is operand i of its node: of a scan's sequence it sees one entry, of all others all. It sees
// nothing else, and has as outputs, in order:
//
//   call   the result
//   cond   the results, in both regions
//   scan   the carries' next values, then what the results of each time are
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

// How many operands of a scan or while are carries, and of a scan sequences.
inline size_t CarriesOf(const Node& node) { return size_t(node.attributes.Int("carries")); }
inline size_t SequencesOf(const Node& node) { return size_t(node.attributes.Int("sequences")); }

// The operand that a region's input stands for.
size_t OperandOf(const Node& region_input);
// A region's input for operand i.
Node RegionInput(size_t i, Type type);

// [length, ...] of what one time gives, and back.
Type Stacked(int64_t length, const Type& one);
Type EntryOf(const Type& sequence);

// How often a control node's regions run, each: of a while, where only its values tell, and of all others once.
int64_t TimesOf(const Node& node, int64_t batch);

// Of operands after the first `fixed` ones, drops those that no region looks at, and numbers the rest anew.
Node WithoutUnusedOperands(Node node, size_t fixed);

}  // namespace fusebox
