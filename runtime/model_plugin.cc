// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/model_plugin.h"

#include "fusebox/graph/status.h"
#include "fusebox/graph/text.h"
#include "fusebox/runtime/expand/kept_symbols.h"
#include "fusebox/runtime/keras/keras_config.h"
#include "fusebox/runtime/model/model_impl.h"
#include "fusebox/runtime/programs/collect_symbols.h"
#include "fusebox/runtime/save/shared_layers.h"

namespace fusebox {

const char* HeadersId() { return FUSEBOX_BUILD_ID; }

absl::StatusOr<ModelText> DescribeModel(const Model& model) {
  FUSEBOX_RETURN_IF_ERROR(model.status());
  const Model::Impl& impl = Model::Impl::Of(model);
  // A description holds one computation, so it cannot hold a class that computes something else in training.
  if (impl.DiffersInTraining()) return impl.CanBeFrozen();
  const ModelConfig& config = model.config();
  const bool has_input = !config.inputs.empty();
  // Symbols can be written only once the inputs' shapes are known. The layers of a class are unknown before that, too.
  if (!has_input && (UsesFunctions(config) || config.IsSubclass()))
    return model.Program(ProgramKind::kPrediction).status();
  ModelText text{.config = WithSharedLayers(WithExpansions(KerasConfigJson(config), impl.KeptSymbols()), config),
                 .program = {}};
  if (config.compile && has_input) {
    FUSEBOX_ASSIGN_OR_RETURN(const Graph program, model.Program(ProgramKind::kTraining));
    text.program = Print(program);
  }
  return text;
}

absl::StatusOr<Model> ModelFromText(const std::string& config, const std::string& who, std::optional<int64_t> seed) {
  FUSEBOX_ASSIGN_OR_RETURN(ModelConfig model, ParseKerasConfig(config, who));
  FUSEBOX_RETURN_IF_ERROR(ShareLayersAsIn(config, who, model));
  FUSEBOX_ASSIGN_OR_RETURN(const Expansions embedded, ExpansionsIn(config, who));
  return Model::FromConfig(model, embedded, seed);
}

}  // namespace fusebox
