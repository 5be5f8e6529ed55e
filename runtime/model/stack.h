// SPDX-License-Identifier: Apache-2.0
// Models that are declared layer by layer: Keras's Sequential API.
#pragma once
#include <cstdint>
#include <set>
#include <source_location>
#include <string>
#include <vector>

#include "fusebox/runtime/model/model_form.h"

namespace fusebox {

// The form of a Sequential.
class Stack final : public ModelForm {
 public:
  using ModelForm::ModelForm;
  // The model's form as a stack. Null for a model of another form.
  static Stack* Of(Model::Impl& model);

  // Adds a layer, or a model as a layer, after the last one. Errors go to the model's status.
  void Add(const LayerConfig& layer, const std::vector<int64_t>& input_shape, const std::source_location* where);
  // Declares the input. The stack must not have layers yet.
  void AddInput(const InputConfig& input, const std::source_location& where);
  // Removes the last layer.
  void Pop();

  absl::Status CheckComplete() const override;
  absl::Status SettleInput(const Arrays& x) override;
  std::string Expects(const InputConfig& input) const override;

 private:
  // Infers the outputs for samples of this shape. After an error the stack is unchanged.
  absl::Status SettleShape(Shape shape_of_a_sample);
  // Extends the inferred types by this layer's output.
  void Extend(size_t layer);

  std::set<std::string> names_;     // Those of the layers.
  std::vector<std::string> where_;  // The source line of each layer, "main.cc:12: ", or empty.
};

}  // namespace fusebox
