// SPDX-License-Identifier: Apache-2.0
// GraphBuilder: writes nodes, states and scopes into a Graph, behind the C table that host code, gradients and plugins
// share. What a host adds for the items of plugins (other items by reference, masks, losses) is a class derived from
// it: see runtime/expand/host_builder.h.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "fusebox/graph/graph.h"
#include "fusebox/graph/ops.h"

// The name that the table knows it by. One builder writes one graph; nothing may be thrown through the table.
struct FbBuilder {
  virtual ~FbBuilder() = default;
};

namespace fusebox {

// What a state may be beyond its name, kind and type. See FbState.
struct StateTraits {
  // As the fields and flags of these names.
  bool trainable = false, shared = false;
  int64_t order = 0;
  std::string regularizer = {}, constraint = {};
};

// Writes nodes and states after inference; the first error sticks.
class GraphBuilder : public FbBuilder {
 public:
  GraphBuilder() : GraphBuilder(Api()) {}
  explicit GraphBuilder(Graph graph) : GraphBuilder(Api()) { graph_ = std::move(graph); }
  GraphBuilder(const GraphBuilder&) = delete;
  GraphBuilder& operator=(const GraphBuilder&) = delete;

  // The table for a graph alone. Its expand, add_loss and set_mask are errors, its preimage finds nothing.
  static const FbApi& Api();
  // The builder behind a value made by Api() or by a table derived from it; nullptr if another host made the value.
  static GraphBuilder* Of(const Value& value);

  const FbApi& api() const { return *api_; }
  // A node as a value; the graph so far.
  Value Wrap(NodeId id) { return {api_, this, id}; }
  const Graph& graph() const { return graph_; }
  Graph& mutable_graph() { return graph_; }
  Graph Take() &&;  // Without what has moved into regions; if there is that, ids are numbered anew.
  // The first error; the message names the scope at work and the line, where they are known.
  const absl::Status& status() const { return status_; }

  // A caller's array: one value for all of it, or a batch of rows.
  Value Input(const std::string& name, const Type& type);
  // Row order[i] of the caller's data set `name`; type is that of the batch, so its first dimension is N.
  Value Rows(const std::string& name, const Type& type, Value order);
  // A scalar of this dtype.
  Value Constant(double number, DType dtype);
  // What a state holds before the step; see FbState.
  virtual Value State(const std::string& name, uint32_t kind, const Type& type, const std::string& initializer,
                      const StateTraits& traits, const FbSource* source = nullptr);
  Value State(const std::string& name, uint32_t kind, const Type& type, const std::string& initializer,
              bool trainable) {
    return State(name, kind, type, initializer, StateTraits{.trainable = trainable});
  }
  // What it holds after the step.
  virtual void Assign(Value state, Value next);
  // A result of the program.
  void Output(const std::string& name, Value value);

  // Emits after inference; the error value if an input is one or the op refuses its inputs.
  NodeId Emit(Node node, const FbSource* source = nullptr);
  // Keeps the first message; the error value.
  NodeId Fail(std::string message, const FbSource* source = nullptr);

  // While one lives, nodes and states made belong to `name`, inside the enclosing scope: "block/dense/kernel".
  class Scope {
   public:
    Scope(GraphBuilder& builder, std::string_view name);
    ~Scope() { builder_.scope_.resize(outer_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    GraphBuilder& builder_;
    size_t outer_;
  };
  // The scope at work: "block/dense".
  const std::string& scope() const { return scope_; }
  // The same for a name outside the enclosing scope.
  class AbsoluteScope {
   public:
    AbsoluteScope(GraphBuilder& builder, std::string name)
        : builder_(builder), outer_(std::exchange(builder.scope_, std::move(name))) {}
    ~AbsoluteScope() { builder_.scope_ = std::move(outer_); }
    AbsoluteScope(const AbsoluteScope&) = delete;
    AbsoluteScope& operator=(const AbsoluteScope&) = delete;

   private:
    GraphBuilder& builder_;
    std::string outer_;
  };
  // Begins every error message: the component that writes, "'dense', layer fusebox/dense@1: ". Set by the caller of
  // that component.
  std::string who;

  // Uniform in [0, 1), from the next unused stream of this program: see Op::kRandomUniform.
  NodeId Random(const Type& type, const FbSource* source);

  // Regions, see control.h and builder_regions.cc: what is emitted between BeginRegion and EndRegion depends on its
  // parameters or on what lies around it. Control moves it into a node, and it is no value of this graph any more.
  void BeginRegion();
  NodeId Parameter(const Type& type);
  void EndRegion(std::vector<NodeId> results);
  bool InRegion() const { return !open_.empty(); }
  // `node` has an op, attributes, and as inputs what parameters stand for; it takes the regions that ended last. Result
  // 0 is the node itself. `results`: how many there are; 0 after an error.
  NodeId Control(Node node, const FbSource* source, uint32_t* results);
  NodeId Result(NodeId control, int64_t index, const FbSource* source);

 protected:
  // `api` is Api() with functions of a derived class in place of some; it lives as long as values made by it.
  explicit GraphBuilder(const FbApi& api) : api_(&api) {}

 private:
  struct Region {
    NodeId first;  // Of the nodes that were emitted since it began.
    int64_t assignments;
    std::vector<NodeId> parameters = {}, results = {};
  };
  // What moves into the regions, and in `captured` the values that they take from around them.
  std::vector<std::vector<bool>> FindMoving(Op op, const std::vector<Region>& regions, std::vector<NodeId>& captured);
  Graph MoveOut(const Region& region, const std::vector<bool>& moves, const std::vector<NodeId>& operands,
                size_t first_captured) const;
  void Forget(const Region& region, const std::vector<bool>& moves);
  bool IsGone(NodeId id) const { return id < gone_.size() && gone_[id]; }

  const FbApi* api_;
  Graph graph_;
  absl::Status status_;
  std::string scope_;
  int64_t streams_ = 0;
  int64_t assignments_ = 0;
  std::vector<Region> open_, ended_;
  std::vector<bool> gone_;  // By node: it is part of a region now.
};

}  // namespace fusebox
