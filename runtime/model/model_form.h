// SPDX-License-Identifier: Apache-2.0
// The form in which a model is declared. As in Keras there are three: layer by layer (stack.h), as values computed from
// inputs (functional.h), and as a C++ class whose Call is traced (traced_class.h). Model::Impl holds what they have in
// common.
#pragma once
#include <cstddef>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "fusebox/runtime/data/arrays.h"
#include "fusebox/runtime/model.h"

namespace fusebox {

struct Declaration;

// What the forms do differently.
class ModelForm {
 public:
  explicit ModelForm(Model::Impl& model) : model_(model) {}
  ModelForm(const ModelForm&) = delete;
  ModelForm& operator=(const ModelForm&) = delete;
  virtual ~ModelForm() = default;

  // Checks that symbols can be written. Error: what is not known yet, and how to provide it.
  virtual absl::Status CheckComplete() const { return absl::OkStatus(); }
  // Takes from the first data what the declaration left open.
  virtual absl::Status SettleInput(const Arrays&) { return absl::OkStatus(); }
  // Names the component that expects this input, for error messages: "layer 'dense'", "input 'wide_input'".
  virtual std::string Expects(const InputConfig& input) const { return fmt::format("input '{}'", input.name); }
  // The number of compiled programs of each kind to keep.
  virtual size_t ProgramsKept() const { return 1; }
  // Applies AddLoss or AddMetric to the declaration. Returns false if this form does not take them, or not at this
  // moment.
  virtual bool AddToDeclaration(const std::function<void(Declaration&)>&) { return false; }
  // Whether arguments of Compile are waiting until the outputs are known.
  virtual bool CompilesLater() const { return false; }

 protected:
  Model::Impl& model_;
};

}  // namespace fusebox
