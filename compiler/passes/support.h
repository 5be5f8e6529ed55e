// SPDX-License-Identifier: Apache-2.0
// What several passes share. For passes/ alone.
#pragma once
#include <string_view>

#include "absl/status/status.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

// Adds a node that takes the scope and source line of another one, and infers its type. 0 if the op refuses.
NodeId AddFor(Graph& graph, const Node& origin, Op op, std::vector<NodeId> inputs, AttributeMap attributes = {});
// The value under another shape of the same size: itself, if it has that shape already.
NodeId ReshapeFor(Graph& graph, const Node& origin, NodeId value, const Shape& shape);
NodeId ConstantFor(Graph& graph, const Node& origin, double value, DType dtype);

AttributeMap Attribute(std::string name, AttributeValue value);

// An error that names the pass, if gradient nodes are left.
absl::Status ExpectsNoGradients(const Graph& graph, std::string_view pass);

}  // namespace fusebox
