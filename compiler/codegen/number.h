// SPDX-License-Identifier: Apache-2.0
// The numbers in which equal kernels may differ.
#pragma once
#include <cstdint>
#include <utility>

#include "fusebox/graph/graph.h"

namespace fusebox::codegen {

// A number of a kernel, by a node of it: where the node's value lies (a port's index or an offset into the arena),
// which port holds its data set, where a product's partial sums lie, which stream its random numbers come from.
enum class NumberKind : uint8_t { kStorage, kPort, kPartialSums, kStream };
using NumberKey = std::pair<NumberKind, NodeId>;

}  // namespace fusebox::codegen
