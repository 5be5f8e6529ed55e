// SPDX-License-Identifier: Apache-2.0
// Models that are declared as values computed from inputs: Keras's functional API. Models from files have this form,
// too, but without their declaration.
#pragma once
#include <functional>
#include <source_location>

#include "fusebox/runtime/model/declare.h"
#include "fusebox/runtime/model/model_form.h"

namespace fusebox {

// The form of a functional model.
class Functional final : public ModelForm {
 public:
  using ModelForm::ModelForm;

  // Describes the part of a declaration that its outputs need. Errors go to the model's status.
  void Declare(Declaration declared, const std::source_location& where);
  bool AddToDeclaration(const std::function<void(Declaration&)>& add) override;

 private:
  Declaration declared_;
  std::source_location declared_at_;
};

}  // namespace fusebox
