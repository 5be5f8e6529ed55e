// SPDX-License-Identifier: Apache-2.0
// A model's variables: all states of its programs that outlive an epoch. All programs of a model share them. Weights belong
// to the model's layers (layer_variables.h), so other models that have these layers share them, too.
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

struct Variable {
  std::string name;         // "dense/kernel", "optimizer/dense/kernel/momentum", "step"
  std::string kind;         // As StateKindName says it; no accumulator.
  Type type;                // All dimensions are numbers.
  std::string scope;        // The layer that declared it: "dense".
  std::string initializer;  // A reference, or a scalar's number.
  bool trainable = false;
  int64_t order = 0;  // Of slots in Keras's files: see FbState.
  Tensor value;       // Its memory never moves: programs are bound to it.
  // Of a weight: the layer that owns it, and its name there. Null where no layer does.
  std::shared_ptr<LayerVariables> layer = {};
  std::string name_in_layer = {};
};

// The owner of the weight "encoder/dense/kernel" and its name there, "kernel".
struct WeightOwner {
  std::shared_ptr<LayerVariables> layer;
  std::string name;
};
using FindWeightOwner = std::function<WeightOwner(const std::string& weight)>;

class Variables {
 public:
  // Those states of a program that are not here yet, in the program's order, without a value. Error: a weight that its layer
  // has with another type, made for another model; nothing is declared then.
  absl::Status Declare(const Graph& program, const FindWeightOwner& owner_of = {});
  size_t size() const { return all_.size(); }
  // Forgets those declared last; they have no values yet.
  void Truncate(size_t count) { all_.erase(all_.begin() + ptrdiff_t(count), all_.end()); }
  void Add(Variable variable) { all_.push_back(std::move(variable)); }
  // Gives each one without a value its first one. Weights get what their layer has already. Other weights and slots are made
  // by their initializers, which draw random numbers that depend on the seed and the variable's name alone; scalars get
  // their number; counters 0.
  absl::Status Initialize(int64_t seed);

  // What follows gives values as they are now: ask again after a program has run.
  const std::vector<Variable>& all() const {
    Fetch();
    return all_;
  }
  const Variable* Find(std::string_view name) const;
  Variable* Find(std::string_view name);
  // Of one kind, in order.
  std::vector<const Variable*> OfKind(std::string_view kind) const;
  // Copies a value in. Error: another shape; its numbers are converted.
  absl::Status Set(std::string_view name, const Tensor& value);
  // Nothing happens if there is none of this name.
  void SetScalar(std::string_view name, double number);
  void SetInteger(std::string_view name, int64_t number);  // Of i64 scalars and counters.
  // Forgets all that an optimizer has remembered.
  void DropOptimizer();
  // Forgets all of the layer, or model, of this path.
  void DropLayer(std::string_view path);
  // Forgets what losses weigh, and their own numbers: the model is compiled anew.
  void DropLossScalars();

  // Changes with each change of a value of this model, or of one that shares variables with it, by Set or by a program that a
  // Touch tells of. Scalars and counters do not count.
  int64_t version() const { return group_->version(); }
  void Touch() { group_->Touch(); }

  // For a program that keeps the newest values in a form of its own (weights in panels): `fetch` brings them here as soon
  // as somebody asks for a value. Until then training does without.
  void HoldBack(std::function<void()> fetch) { group_->HoldBack(std::move(fetch)); }
  void Fetch() const { group_->Fetch(); }
  int64_t fetches() const { return group_->fetches(); }  // How often it was necessary.

 private:
  Variable* Locate(std::string_view name);
  absl::StatusOr<Tensor> CopyOfWeight(const Variable& slot) const;

  // Gives a variable without a value its memory, which its layer shares from then on.
  static void Give(Variable& variable, Tensor value);

  std::vector<Variable> all_;
  std::shared_ptr<SharingGroup> group_ = std::make_shared<SharingGroup>();
};

}  // namespace fusebox
