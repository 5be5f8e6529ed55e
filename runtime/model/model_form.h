// SPDX-License-Identifier: Apache-2.0
// How a model comes by its description. There are three ways, as in Keras: layer by layer (stack.h), as values that come from
// inputs (functional.h), and by a C++ class whose Call is traced (traced_class.h). What they have in common is Model::Impl.
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

class ModelForm {
 public:
  explicit ModelForm(Model::Impl& model) : model_(model) {}
  ModelForm(const ModelForm&) = delete;
  ModelForm& operator=(const ModelForm&) = delete;
  virtual ~ModelForm() = default;

  // Whether symbols can be written. Error: what is not known yet, and how to say it.
  virtual absl::Status CheckComplete() const { return absl::OkStatus(); }
  // Takes from the first data what the declaration has left open.
  virtual absl::Status SettleInput(const Arrays&) { return absl::OkStatus(); }
  // What expects an input, in messages: "layer 'dense'", "input 'wide_input'".
  virtual std::string Expects(const InputConfig& input) const { return fmt::format("input '{}'", input.name); }
  // How many compiled programs of a kind to keep.
  virtual size_t ProgramsKept() const { return 1; }
  // What AddLoss and AddMetric come to. False: this form takes none, or not now.
  virtual bool AddToDeclaration(const std::function<void(Declaration&)>&) { return false; }
  // What Compile was told before the outputs were known.
  virtual bool CompilesLater() const { return false; }

 protected:
  Model::Impl& model_;
};

}  // namespace fusebox
