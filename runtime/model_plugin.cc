// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/model_plugin.h"

#include "fusebox/graph/status.h"
#include "fusebox/graph/text.h"
#include "fusebox/runtime/formats/keras_config.h"

namespace fusebox {

const char* BuildId() { return FUSEBOX_BUILD_ID; }

absl::StatusOr<ModelText> DescribeModel(const Model& model) {
  FUSEBOX_RETURN_IF_ERROR(model.status());
  ModelText text{.config = KerasConfigJson(model.config()), .program = {}};
  if (model.config().compile && !model.config().inputs.empty()) {
    FUSEBOX_ASSIGN_OR_RETURN(const Graph program, model.Program(ProgramKind::kTraining));
    text.program = Print(program);
  }
  return text;
}

absl::StatusOr<Model> ModelFromText(const std::string& config, const std::string& who, std::optional<int64_t> seed) {
  FUSEBOX_ASSIGN_OR_RETURN(const ModelConfig model, ParseKerasConfig(config, who));
  return Model::FromConfig(model, {}, seed);
}

}  // namespace fusebox
