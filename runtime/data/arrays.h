// SPDX-License-Identifier: Apache-2.0
// The arrays that go into a model or come out of it: one, several in the order of the model's inputs or outputs, or
// several by their names.
//
//   model.Fit(x, y)
//   model.Fit({wide, deep}, {y, y})
//   model.Fit({{"wide_input", wide}, {"deep_input", deep}}, ...)
#pragma once
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/data/named_tensor.h"

namespace fusebox {

// One array, several in order, or several by name.
class Arrays {
 public:
  Arrays() = default;
  Arrays(Tensor one);
  Arrays(std::vector<Tensor> in_order);
  Arrays(std::initializer_list<Tensor> in_order) : Arrays(std::vector<Tensor>(in_order)) {}
  Arrays(std::vector<NamedTensor> named) : all_(std::move(named)) {}
  Arrays(std::initializer_list<std::pair<std::string, Tensor>> named);

  // How many there are.
  size_t size() const { return all_.size(); }
  // The i-th array; the array of this name, or an empty Tensor if there is none.
  const Tensor& operator[](size_t i) const { return all_[i].value; }
  const Tensor& operator[](std::string_view name) const;
  // All arrays; names are empty if the arrays were given in order.
  const std::vector<NamedTensor>& named() const { return all_; }

  // One array for each of these names. For messages, `what` is "input" or "output" and `model` is the model's name.
  // Errors: another number of arrays; an unknown or a missing name, with all known names. A single array may also be
  // called `alias`.
  absl::StatusOr<std::vector<Tensor>> InOrder(const std::vector<std::string>& names, const std::string& model,
                                              const char* what, std::string_view alias) const;

 private:
  std::vector<NamedTensor> all_;
};

// Names in quotes, with commas between: for messages.
std::string QuotedNames(const std::vector<std::string>& names);

}  // namespace fusebox
