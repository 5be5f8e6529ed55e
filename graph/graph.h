// SPDX-License-Identifier: Apache-2.0
// graph/ says what a program means: values, ops, shapes, gradients, the text form, the verifier and the reference
// evaluator. It sees nothing of ours and knows no LLVM, threads or files; everybody may see it.
//
// The meaning of a Graph. Nodes lie in one arena, each after its inputs; a NodeId is an index into it, and node 0 is the
// error value, never used. Every value is an immutable tensor of a Type; the batch size N is one number for the whole
// run. Evaluation order is free: only inputs and outputs tie nodes together. State is explicit: a `state` node reads what
// the state held before the step, an Update says what it holds after it, and all updates happen at once, after every read.
// Floating-point arithmetic is IEEE's with round to nearest; NaN and infinity propagate as each op's entry says. An
// optimised program may contract a*b+c into one rounding and may re-associate sums inside one reduction, nothing else.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fusebox/graph/op.h"
#include "fusebox/graph/type.h"

namespace fusebox {

using NodeId = uint32_t;
struct Node;

using Ints = std::vector<int64_t>;
using AttributeValue = std::variant<bool, int64_t, double, std::string, Ints>;

// A node's attributes by name, in alphabetical order, so that printing has one result.
class AttributeMap {
 public:
  void Set(std::string name, AttributeValue value) { values_[std::move(name)] = std::move(value); }
  const AttributeValue* Find(std::string_view name) const;
  // The value, or its type's zero if there is none: the verifier has seen to it that required ones exist.
  bool Flag(std::string_view name) const;
  int64_t Int(std::string_view name) const;
  double Float(std::string_view name) const;
  const std::string& String(std::string_view name) const;
  const Ints& List(std::string_view name) const;

  bool operator==(const AttributeMap&) const = default;
  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }

 private:
  std::map<std::string, AttributeValue, std::less<>> values_;
};

// A node may hold graphs, and a graph holds nodes: whatever needs to know both is defined below them.
class Graph {
 public:
  struct Output {
    std::string name;
    NodeId value;
  };
  struct Update {
    NodeId state;  // A kState node
    NodeId value;  // of the same type.
  };

  Graph();
  Graph(const Graph&);
  Graph(Graph&&) noexcept;
  Graph& operator=(const Graph&);
  Graph& operator=(Graph&&) noexcept;
  ~Graph();

  // Adds a node whose inputs exist already. The caller answers for its type (GraphBuilder infers it).
  NodeId Add(Node node);
  void AddOutput(std::string name, NodeId value) { outputs_.push_back({std::move(name), value}); }
  // Replaces an earlier update of the same state.
  void SetUpdate(NodeId state, NodeId value);

  const Node& operator[](NodeId id) const;
  Node& mutable_node(NodeId id);
  NodeId size() const;  // Ids are 1 .. size() - 1.
  const std::vector<Output>& outputs() const { return outputs_; }
  const std::vector<Update>& updates() const { return updates_; }
  void ReplaceResults(std::vector<Output> outputs, std::vector<Update> updates) {
    outputs_ = std::move(outputs);
    updates_ = std::move(updates);
  }
  NodeId update_of(NodeId state) const;  // 0 if it has none.
  // The node of this op and name ("name" is an attribute of inputs, rows and states); 0 if there is none.
  NodeId FindNamed(Op op, std::string_view name) const;

  // Free-form facts that travel with the text form: plugin names and versions, the optimizer, the loss.
  std::map<std::string, std::string> metadata;

 private:
  std::vector<Node> nodes_;
  std::vector<Output> outputs_;
  std::vector<Update> updates_;
};

struct Node {
  Op op = Op::kError;
  Type type = {};
  std::vector<NodeId> inputs = {};
  AttributeMap attributes = {};
  std::vector<Graph> regions = {};  // Of control ops: bodies whose inputs are this node's.
  std::string scope = {};           // The layer that wrote it, outermost first: "dense_1" or "block/dense".
  std::string source = {};          // "file.cc:12", where known.

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

// Whether each node is needed by an output or an update; inputs and states that are not needed are false too.
std::vector<bool> Reachable(const Graph& graph);

// A copy in which each node becomes what `map` returns: `map(copy, node, inputs)` sees the node, and its inputs already
// mapped into the copy. Nodes that nothing reaches are left out; ids are numbered anew.
using NodeMap = std::function<NodeId(Graph& copy, const Node& node, std::vector<NodeId> inputs)>;
Graph Rewrite(const Graph& graph, const NodeMap& map);
// The node as it was, on new inputs.
NodeId Keep(Graph& copy, const Node& node, std::vector<NodeId> inputs);

}  // namespace fusebox
