// SPDX-License-Identifier: Apache-2.0
// Which symbols a model has to keep (see runtime/expand/kept_symbols.h): those that its programs use.
#pragma once
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"
#include "fusebox/runtime/describe/model_config.h"
#include "fusebox/runtime/expand/kept_symbols.h"
#include "fusebox/runtime/programs/program.h"

namespace fusebox {

// All that the model's programs use for its usual data, and what it keeps already. C++ functions that are losses and
// metrics are kept for classes and for samples' weights besides, as far as they take them. `outputs` are the types of
// the model's outputs, `build` writes its programs.
Expansions CollectExpansions(const ModelConfig& model, const std::vector<Type>& outputs, const BatchTypes& usual,
                             const Expansions& kept,
                             const std::function<absl::StatusOr<Graph>(ProgramKind, const BatchTypes&)>& build);

// Whether the model has items whose symbols are kept, those that attributes name included.
bool UsesOthersItems(const ModelConfig& model);
// Whether one of its layers, losses or metrics is a C++ function.
bool UsesFunctions(const ModelConfig& model);

}  // namespace fusebox
