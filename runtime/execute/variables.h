// SPDX-License-Identifier: Apache-2.0
// The variables of a model: all states of its programs that outlive an epoch. All programs of the model share them.
// Weights belong to the model's layers (layer_variables.h), so other models that have these layers share them, too.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"
#include "fusebox/runtime/data/layer_variables.h"
#include "fusebox/runtime/data/tensor.h"

namespace fusebox {

// A variable of a model.
struct Variable {
  std::string name;         // "dense/kernel", "optimizer/dense/kernel/momentum", "step".
  std::string kind;         // "weight", "slot", "scalar" or "counter".
  Type type;                // The type. All dimensions are numbers, none is the batch.
  std::string scope;        // The path of the layer that declared it: "dense".
  std::string initializer;  // The initializer's spec. For a scalar, its number.
  bool trainable = false;   // Whether training may change it, provided its layer is trainable.
  int64_t order = 0;        // The position of a slot in Keras's files: see FbState.
  Tensor value;             // Empty until Initialize or Set. Programs are bound to its memory, which never moves.
  // For a weight: the layer that owns it, and its name there. Null if no layer owns it.
  std::shared_ptr<LayerVariables> layer = {};
  std::string name_in_layer = {};
};

// The layer that owns a weight, and the weight's name there: "kernel" for "encoder/dense/kernel".
struct WeightOwner {
  std::shared_ptr<LayerVariables> layer;
  std::string name;
};
// Finds the owner of a weight, by the weight's name in the model. The layer is null if there is none.
using FindWeightOwner = std::function<WeightOwner(const std::string& weight)>;

// A new value of a variable.
struct Assignment {
  std::string variable;  // Its name.
  const Tensor* value;
};

// The variables of a model.
class Variables {
 public:
  // Declares the states of a program that are not declared yet, in the program's order and without values. Error: the
  // layer of a weight has it with another type, because another model made it so. Nothing is declared then.
  absl::Status Declare(const Graph& program, const FindWeightOwner& owner_of = {});
  // The number of variables.
  size_t size() const { return all_.size(); }
  // Removes the variables that were declared last, down to `count`. They must not have values yet.
  void Truncate(size_t count) { all_.erase(all_.begin() + ptrdiff_t(count), all_.end()); }
  // Adds a variable.
  void Add(Variable variable) { all_.push_back(std::move(variable)); }
  // Gives each variable without a value its initial value. Weights take the value that their layer has already.
  // Initializers make all other weights and the slots; their random numbers depend only on the seed and the variable's
  // name. Scalars get their number, counters get 0.
  absl::Status Initialize(int64_t seed);

  // The methods below return values as of now. Call them again after a program has run.

  // All variables, in the order of their declaration.
  const std::vector<Variable>& all() const {
    Fetch();
    return all_;
  }
  // The variable of this name; null if there is none.
  const Variable* Find(std::string_view name) const;
  Variable* Find(std::string_view name);
  // The variables of one kind, in order.
  std::vector<const Variable*> OfKind(std::string_view kind) const;
  // Copies a value into a variable, converted to its dtype. Errors: no variable has this name; the shape differs.
  absl::Status Set(std::string_view name, const Tensor& value);
  // As Set, for all of these variables, or for none of them after an error.
  absl::Status SetAll(const std::vector<Assignment>& assignments);
  // Sets a scalar. Does nothing if no variable has this name.
  void SetScalar(std::string_view name, double number);
  // Sets an i64 scalar or a counter. Does nothing if no variable has this name.
  void SetInteger(std::string_view name, int64_t number);
  // Removes the optimizer's variables.
  void DropOptimizer();
  // Removes the variables of the layer, or model within this model, at this path.
  void DropLayer(std::string_view path);
  // Removes the scalars of losses, including their weights. For a model that is compiled again.
  void DropLossScalars();

  // A number that changes whenever a value of this model, or of a model that shares variables with it, is changed by
  // Set or by a program. Scalars and counters do not count.
  int64_t version() const { return group_->version(); }
  // Records that a program has changed values.
  void Touch() { group_->Touch(); }

  // For a program that keeps the newest values in a layout of its own (weights in panels). `fetch` writes them to the
  // variables; it is called when a value is first asked for, so training itself does without it.
  void HoldBack(std::function<void()> fetch) { group_->HoldBack(std::move(fetch)); }
  // Writes the newest values to the variables if a program holds them.
  void Fetch() const { group_->Fetch(); }
  // The number of fetches that were necessary.
  int64_t fetches() const { return group_->fetches(); }

 private:
  // The variable that a value is for. Errors as of Set.
  absl::StatusOr<Variable*> FindFor(std::string_view name, const Tensor& value);
  // Copies a value into a variable that it fits.
  void Assign(Variable& variable, const Tensor& value);
  // As Find, without fetching the newest values.
  Variable* Locate(std::string_view name);
  // A copy of the weight that a slot belongs to.
  absl::StatusOr<Tensor> CopyOfWeight(const Variable& slot) const;

  // Gives a variable without a value its memory, and shares it with the variable's layer.
  static void Give(Variable& variable, Tensor value);

  std::vector<Variable> all_;
  // The models that share variables with this one.
  std::shared_ptr<SharingGroup> group_ = std::make_shared<SharingGroup>();
};

}  // namespace fusebox
