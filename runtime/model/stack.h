// SPDX-License-Identifier: Apache-2.0
// Models that are declared layer by layer: Keras's Sequential API.
#pragma once
#include <cstdint>
#include <source_location>
#include <string>
#include <vector>

#include "fusebox/runtime/model/model_form.h"

namespace fusebox {

class Stack final : public ModelForm {
 public:
  using ModelForm::ModelForm;
  static Stack* Of(Model::Impl& model);  // Null for a model of another form.

  // Puts a layer, or a model, on top.
  void Add(const LayerConfig& layer, const std::vector<int64_t>& input_shape, const std::source_location* where);
  // Gives the input, of a stack without layers.
  void AddInput(const InputConfig& input, const std::source_location& where);
  // Takes the last layer away.
  void Pop();

  absl::Status CheckComplete() const override;
  absl::Status SettleInput(const Arrays& x) override;
  std::string Expects(const InputConfig& input) const override;

 private:
  // Infers the outputs for samples of this shape. After an error the stack is as it was.
  absl::Status SettleShape(Shape shape_of_a_sample);
  void Extend(size_t layer);

  std::vector<std::string> where_;  // Of each layer: "main.cc:12: ", or empty.
};

}  // namespace fusebox
