// SPDX-License-Identifier: Apache-2.0
// The classes and functions of a Keras file that are not Keras's.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "fusebox/runtime/expand/kept_symbols.h"
#include "fusebox/runtime/model.h"

namespace fusebox {

// Puts what LoadArgs::custom names in the place of layers, losses, metrics and optimizers, and of the items that their
// attributes name. Error: a text that names no item.
absl::Status UseCustomItems(const std::vector<std::pair<std::string, CustomItem>>& custom, ModelConfig& model);

// Whether all layers are known here, or their symbols lie in `embedded`. Error: names all classes that are not, and
// their layers.
absl::Status CheckLayersKnown(const ModelConfig& model, const Expansions& embedded, const std::string& who);

}  // namespace fusebox
