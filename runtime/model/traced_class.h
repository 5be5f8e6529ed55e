// SPDX-License-Identifier: Apache-2.0
// Models that are C++ classes: Keras's subclassing API. Call is traced to a description, once for each kind of input.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fusebox/runtime/describe/compile_args.h"
#include "fusebox/runtime/model/declare.h"
#include "fusebox/runtime/model/model_form.h"

namespace fusebox {

// The form of a model that is a class.
class TracedClass final : public ModelForm {
 public:
  using ModelForm::ModelForm;
  // The model's form as a class. Null for a model of another form.
  static TracedClass* Of(const Model::Impl& model);

  // Makes the trace for these inputs the model's description. Returns false if there is no such trace yet.
  bool Activate(const std::vector<InputConfig>& inputs);
  // Adds the results of the two runs of Call as a trace. Layers and calls with numbers above `boundary` were made
  // within Call. After an error nothing has changed.
  absl::Status AddTrace(const std::vector<InputConfig>& inputs, const Declaration& inference,
                        const Declaration& training, int64_t boundary);
  // Keeps the arguments of Compile until the outputs are known. Errors that do not depend on the outputs are reported
  // at once.
  absl::Status CompileLater(CompileArgs args);
  // Compiles with the arguments that CompileLater has kept, if any.
  absl::Status CompileNow();

  absl::Status CheckComplete() const override;
  // Data may have several shapes; each shape has programs of its own.
  size_t ProgramsKept() const override { return 8; }
  bool AddToDeclaration(const std::function<void(Declaration&)>& add) override;
  bool CompilesLater() const override { return compile_later_.has_value(); }

  // The declaration that AddLoss and AddMetric add to. Set while Call runs.
  Declaration* calling = nullptr;

 private:
  // The trace of Call for inputs of one kind.
  struct Tracing {
    std::vector<InputConfig> inputs;
    // The descriptions without and with training. Their layers are those that Call calls, members of the class first.
    ModelConfig inference, training;
    // The ids of the members, in the same order.
    std::vector<int64_t> inference_members, training_members;
  };

  // Describes one run of Call. `layers` gets the ids of those layers that are members of the class.
  absl::StatusOr<ModelConfig> DescribeTrace(const Declaration& declared, int64_t boundary,
                                            std::vector<int64_t>& layers);
  // Adds the members that only other traces call.
  ModelConfig WithAllMembers(const ModelConfig& traced, const std::vector<int64_t>& layers) const;

  std::vector<std::unique_ptr<Tracing>> traces_;
  Members members_;
  std::optional<CompileArgs> compile_later_;
};

// The types of these inputs, for error messages: "(f32[N,5], f32[N,6])".
std::string SignatureOf(const std::vector<InputConfig>& inputs);

}  // namespace fusebox
