// SPDX-License-Identifier: Apache-2.0
// Models that are C++ classes: from what Call does to a description, once for each kind of input. Keras's subclassing API.
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

class TracedClass final : public ModelForm {
 public:
  using ModelForm::ModelForm;
  static TracedClass* Of(const Model::Impl& model);  // Null for a model of another form.

  // Makes the trace for these inputs the model's description. False if there is none yet.
  bool Activate(const std::vector<InputConfig>& inputs);
  // Adds what the two runs of Call gave; what is made from `boundary` on was made within. Nothing changes after an error.
  absl::Status AddTrace(const std::vector<InputConfig>& inputs, const Declaration& inference,
                        const Declaration& training, int64_t boundary);
  // Keeps what Compile is told before outputs are known; and does it, as soon as they are.
  absl::Status CompileLater(CompileArgs args);
  absl::Status CompileNow();

  absl::Status CheckComplete() const override;
  // Data may have several shapes, each with programs of its own.
  size_t ProgramsKept() const override { return 8; }
  bool AddToDeclaration(const std::function<void(Declaration&)>& add) override;
  bool CompilesLater() const override { return compile_later_.has_value(); }

  // While Call runs: where AddLoss and AddMetric put what they get.
  Declaration* calling = nullptr;

 private:
  // Call for inputs of one kind.
  struct Tracing {
    std::vector<InputConfig> inputs;
    // Without training, and with it. Layers are those that are called; `members` of them, in order, are these.
    ModelConfig inference, training;
    std::vector<int64_t> inference_members, training_members;
  };

  // What Call was traced to; `layers` gets the ids of those that are members.
  absl::StatusOr<ModelConfig> DescribeTrace(const Declaration& declared, int64_t boundary,
                                            std::vector<int64_t>& layers);
  ModelConfig WithAllMembers(const ModelConfig& traced, const std::vector<int64_t>& layers) const;

  std::vector<std::unique_ptr<Tracing>> traces_;
  Members members_;
  std::optional<CompileArgs> compile_later_;
};

// "(f32[N,5], f32[N,6])"
std::string SignatureOf(const std::vector<InputConfig>& inputs);

}  // namespace fusebox
