// SPDX-License-Identifier: Apache-2.0
// The variables of one layer. The layer owns them, and every model that has the layer refers to them. So training one
// of these models trains all of them, as in Keras. Each model has optimizer slots of its own (variables.h).
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fusebox/runtime/data/named_tensor.h"
#include "fusebox/runtime/data/tensor.h"

namespace fusebox {

// Models that share a variable form one group. A compiled program may keep the newest values in a layout of its own
// (weights in panels). The group knows that program, and tells every other program of the group when its packed copy is
// stale. Use the models of a group from one thread at a time.
class SharingGroup {
 public:
  // A number that changes whenever a value of the group changes.
  int64_t version() { return Root().version_; }
  // Records that a value has changed.
  void Touch() { ++Root().version_; }

  // Registers the program that holds the newest values. `fetch` writes them to the variables.
  void HoldBack(std::function<void()> fetch) { Root().fetch_ = std::move(fetch); }
  // Writes the newest values to the variables if a program holds them.
  void Fetch();
  int64_t fetches() { return Root().fetches_; }  // The number of fetches that were necessary.

  // Merges two groups into one, after fetching the newest values of both.
  static void Merge(const std::shared_ptr<SharingGroup>& a, const std::shared_ptr<SharingGroup>& b);

 private:
  // The group that this one was merged into, or itself.
  SharingGroup& Root();

  // Set once the group is merged into another one. The members below count only in the root.
  std::shared_ptr<SharingGroup> parent_;
  int64_t version_ = 1;
  std::function<void()> fetch_;
  int64_t fetches_ = 0;
};

// The variables of one layer. See above.
struct LayerVariables {
  explicit LayerVariables(bool is_trained = true) : trainable(is_trained) {}

  // Whether training changes the weights. Models read it when they run: see Model::SetTrainable.
  bool trainable;
  // The values, by their names within the layer: "kernel". Programs are bound to their memory, so it never moves.
  std::map<std::string, Tensor> values;
  // Initial values that the user gave, by their names within the layer. They replace the initializers' values when the
  // values are made, and are dropped then.
  std::vector<NamedTensor> given;
  // The models that share the variables. Null until a model refers to a value.
  std::shared_ptr<SharingGroup> group;
};

}  // namespace fusebox
