// SPDX-License-Identifier: Apache-2.0
// A model's variables: all states of its programs that outlive an epoch. All programs of a model share them.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"
#include "fusebox/runtime/data/tensor.h"

namespace fusebox {

struct Variable {
  std::string name;         // "dense/kernel", "optimizer/dense/kernel/momentum", "step"
  std::string kind;         // "weight", "slot", "scalar", "counter"
  Type type;                // All dimensions are numbers.
  std::string scope;        // The layer that declared it: "dense".
  std::string initializer;  // A reference, or a scalar's number.
  bool trainable = false;
  int64_t order = 0;  // Of slots in Keras's files: see FbState.
  Tensor value;       // Its memory never moves: programs are bound to it.
};

class Variables {
 public:
  // Those states of a program that are not here yet, in the program's order, without a value.
  void Declare(const Graph& program);
  size_t size() const { return all_.size(); }
  // Forgets those declared last; they have no values yet.
  void Truncate(size_t count) { all_.erase(all_.begin() + ptrdiff_t(count), all_.end()); }
  void Add(Variable variable) { all_.push_back(std::move(variable)); }
  // Gives each one without a value its first one: weights and slots by their initializers, which draw random numbers that
  // depend on the seed and the variable's name alone; scalars their number; counters 0.
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

  // Another number after each change of a value by Set or by a program that a Touch tells of. Scalars and counters do not
  // count.
  int64_t version() const { return version_; }
  void Touch() { ++version_; }

  // For a program that keeps the newest values in a form of its own (weights in panels): `fetch` brings them here as soon
  // as somebody asks for a value. Until then training does without.
  void HoldBack(std::function<void()> fetch) { fetch_ = std::move(fetch); }
  void Fetch() const;
  int64_t fetches() const { return fetches_; }  // How often it was necessary.

 private:
  Variable* Locate(std::string_view name);
  absl::StatusOr<Tensor> CopyOfWeight(const Variable& slot) const;

  std::vector<Variable> all_;
  int64_t version_ = 1;
  mutable std::function<void()> fetch_;
  mutable int64_t fetches_ = 0;
};

}  // namespace fusebox
