// SPDX-License-Identifier: Apache-2.0
// graph/ says what a program means: values, ops, shapes, gradients, the text form, the verifier and the reference
// evaluator. It includes no other room and no LLVM, threads or files; every other room may include it. Its sub-room
// ops/ describes each primitive op in one entry (graph/ops/family.h). Plugins see only the headers that need no
// library: builder_abi.h, value.h, ops.h and control.h.
//
// The meaning of a Graph. Nodes lie in one arena, each after its inputs; a NodeId is an index into it, and node 0 is
// the error value, never used. Every value is an immutable tensor of a Type; the batch size N is one number for the
// whole run. Only inputs and outputs order the nodes; any evaluation order that respects them gives the same values.
// State is explicit: a `state` node reads what the state held before the step, an Update says what it holds after the
// step, and all updates happen at once, after every read. Floating-point arithmetic is IEEE's with round to nearest;
// NaN and infinity propagate as each op's entry says. An optimised program may contract a*b+c into one rounding and may
// re-associate sums inside one reduction, nothing else.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fusebox/graph/attributes.h"
#include "fusebox/graph/op.h"
#include "fusebox/graph/type.h"

namespace fusebox {

using NodeId = uint32_t;  // An index into a graph's arena; 0 is the error value.
struct Node;

// A node may hold graphs, and a graph holds nodes: members that need both complete types are defined below them.
class Graph {
 public:
  // A result of the program.
  struct Output {
    std::string name;  // Unique: "loss".
    NodeId value;      // What it is.
  };
  // What a state holds after the step.
  struct Update {
    NodeId state;  // An op `state`.
    NodeId value;  // Of the same type.
  };

  Graph();
  Graph(const Graph&);
  Graph(Graph&&) noexcept;
  Graph& operator=(const Graph&);
  Graph& operator=(Graph&&) noexcept;
  ~Graph();

  // Adds a node whose inputs exist already. The caller sets its type (GraphBuilder infers it).
  NodeId Add(Node node);
  void AddOutput(std::string name, NodeId value) { outputs_.push_back({std::move(name), value}); }
  // Replaces an earlier update of the same state.
  void SetUpdate(NodeId state, NodeId value);

  // The node of an id.
  const Node& operator[](NodeId id) const;
  Node& mutable_node(NodeId id);
  NodeId size() const;  // Ids are 1 .. size() - 1.
  // In the order in which they were added.
  const std::vector<Output>& outputs() const { return outputs_; }
  const std::vector<Update>& updates() const { return updates_; }
  // Sets all outputs and updates anew.
  void ReplaceResults(std::vector<Output> outputs, std::vector<Update> updates) {
    outputs_ = std::move(outputs);
    updates_ = std::move(updates);
  }
  NodeId update_of(NodeId state) const;  // 0 if it has none.
  // The node of this op and name ("name" is an attribute of inputs, rows and states); 0 if there is none.
  NodeId FindNamed(Op op, std::string_view name) const;

  // Free-form facts that the text form carries: plugin names and versions, the optimizer, the loss.
  std::map<std::string, std::string> metadata;

 private:
  std::vector<Node> nodes_;
  std::vector<Output> outputs_;
  std::vector<Update> updates_;
};

// A value and the op that computes it.
struct Node {
  Op op = Op::kError;               // What is computed,
  Type type = {};                   // of which dtype and shape,
  std::vector<NodeId> inputs = {};  // from which values,
  AttributeMap attributes = {};     // with which settings.
  std::vector<Graph> regions = {};  // Of control ops: bodies whose inputs are this node's.
  std::string scope = {};           // The layer that wrote it, outermost first: "dense_1" or "block/dense".
  std::string source = {};          // "file.cc:12", where known.

  // The entry of its op in the table.
  const OpInfo& info() const { return Info(op); }
};

inline Graph::Graph() : nodes_(1) {}
inline Graph::Graph(const Graph&) = default;
inline Graph::Graph(Graph&&) noexcept = default;
inline Graph& Graph::operator=(const Graph&) = default;
inline Graph& Graph::operator=(Graph&&) noexcept = default;
inline Graph::~Graph() = default;
inline const Node& Graph::operator[](NodeId id) const { return nodes_[id]; }
inline Node& Graph::mutable_node(NodeId id) { return nodes_[id]; }
inline NodeId Graph::size() const { return NodeId(nodes_.size()); }

// For each node, whether an output or an update needs it. Inputs and states are no exception.
std::vector<bool> Reachable(const Graph& graph);

// Returns a copy in which each node becomes what `map(copy, node, inputs)` returns; `inputs` are the node's inputs,
// already mapped into the copy. Leaves out nodes that nothing reaches and numbers ids anew.
using NodeMap = std::function<NodeId(Graph& copy, const Node& node, std::vector<NodeId> inputs)>;
Graph Rewrite(const Graph& graph, const NodeMap& map);
// Adds the node unchanged but for its inputs.
NodeId Keep(Graph& copy, const Node& node, std::vector<NodeId> inputs);

}  // namespace fusebox
