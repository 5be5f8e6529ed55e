// SPDX-License-Identifier: Apache-2.0
// The kinds of states. In memory and in plugins a kind is a number, FbState::kind; in a graph it is the attribute
// "kind" of an Op::kState, by name. The only place that relates the two.
//
//   weight        what training changes; kept in files
//   slot          what an optimizer remembers of a weight, or of all
//   scalar        a number that the host may change between calls: a learning rate
//   accumulator   what is summed up over an epoch; zero when it begins
//   counter       counts the steps of training
#pragma once
#include <string_view>

#include "fusebox/graph/builder_abi.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

// By number; the first one is of no kind.
inline constexpr const char* kStateKindNames[] = {"", "weight", "slot", "scalar", "accumulator", "counter"};

// "slot" of FB_SLOT.
constexpr const char* StateKindName(uint32_t kind) {
  return kStateKindNames[kind >= FB_WEIGHT && kind <= FB_COUNTER ? kind : 0];
}

// FB_SLOT of "slot"; 0 of a name that no kind has.
constexpr uint32_t StateKindOf(std::string_view name) {
  for (uint32_t kind = FB_WEIGHT; kind <= FB_COUNTER; ++kind) {
    if (name == StateKindName(kind)) return kind;
  }
  return 0;
}

// Whether a node is a state of this kind.
inline bool IsState(const Node& node, uint32_t kind) {
  return node.op == Op::kState && node.attributes.String("kind") == StateKindName(kind);
}

}  // namespace fusebox
