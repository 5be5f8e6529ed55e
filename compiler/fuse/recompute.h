// SPDX-License-Identifier: Apache-2.0
// The nodes that have no kernel of their own, but are part of each kernel that needs them.
#pragma once
#include <vector>

#include "fusebox/graph/graph.h"

namespace fusebox {

// By node: whether it waits for its users, and is computed in each kernel that needs it. These are cheap nodes, and
// elementwise nodes on arrays that lie in memory anyway, if a single elementwise node uses them: the sign of a weight
// in its penalty, for example.
std::vector<bool> FindWaiting(const Graph& graph);

// By node: whether it takes rows of a data set that products alone read, as their A. Such rows stay in the data set, as
// part of each product that reads them, and no copy of a batch is made. `needed` are the nodes that results depend on.
std::vector<bool> FindRowsInPlace(const Graph& graph, const std::vector<bool>& needed);

}  // namespace fusebox
