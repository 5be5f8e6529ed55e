// SPDX-License-Identifier: Apache-2.0
// The variables of one layer. The layer owns them; every model that has the layer refers to them, so training one of these
// models trains all, as in Keras. A model's optimizer slots are its own (variables.h).
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

// Models that share a variable form one group. A compiled program may keep the newest values in a layout of its own (weights
// in panels); the group knows that program, and every other program of the group finds out that its packed copy is stale.
// Models of one group are used by one thread at a time.
class SharingGroup {
 public:
  // Changes with every change of a value of the group.
  int64_t version() { return Root().version_; }
  void Touch() { ++Root().version_; }

  // Registers the program that holds the newest values: `fetch` writes them to the variables.
  void HoldBack(std::function<void()> fetch) { Root().fetch_ = std::move(fetch); }
  // Brings the newest values to the variables.
  void Fetch();
  int64_t fetches() { return Root().fetches_; }  // How often a fetch was necessary.

  // Makes one group of two, after fetching the newest values of both.
  static void Merge(const std::shared_ptr<SharingGroup>& a, const std::shared_ptr<SharingGroup>& b);

 private:
  SharingGroup& Root();

  std::shared_ptr<SharingGroup> parent_;  // Of a merged group; the root has the values below.
  int64_t version_ = 1;
  std::function<void()> fetch_;
  int64_t fetches_ = 0;
};

struct LayerVariables {
  explicit LayerVariables(bool is_trained = true) : trainable(is_trained) {}

  // Whether training changes the weights. Models read it when they run: see Model::SetTrainable.
  bool trainable;
  // By name within the layer: "kernel". Memory that programs are bound to, so it never moves.
  std::map<std::string, Tensor> values;
  // First values, by name within the layer, in place of what the initializers make; taken when the values are made.
  std::vector<NamedTensor> given;
  // Null until a model refers to a value.
  std::shared_ptr<SharingGroup> group;
};

}  // namespace fusebox
