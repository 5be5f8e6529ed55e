// SPDX-License-Identifier: Apache-2.0
// Models that are declared as values which come from inputs: Keras's functional API. A model of a file is one, too, without
// the declaration that it came from.
#pragma once
#include <functional>
#include <source_location>

#include "fusebox/runtime/model/declare.h"
#include "fusebox/runtime/model/model_form.h"

namespace fusebox {

class Functional final : public ModelForm {
 public:
  using ModelForm::ModelForm;

  // Describes all that the outputs need of what was declared.
  void Declare(Declaration declared, const std::source_location& where);
  bool AddToDeclaration(const std::function<void(Declaration&)>& add) override;

 private:
  Declaration declared_;
  std::source_location declared_at_;
};

}  // namespace fusebox
