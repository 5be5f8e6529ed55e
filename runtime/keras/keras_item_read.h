// SPDX-License-Identifier: Apache-2.0
// Reads one item (a layer, a loss, an initializer, ...) as Keras serialises it.
#pragma once
#include <string>

#include "absl/status/statusor.h"
#include "fusebox/runtime/describe/item_spec.h"
#include "fusebox/runtime/files/json_text.h"

namespace fusebox {

// How deep items within attributes, and models within models, may lie.
inline constexpr int kMaxKerasNesting = 8;

// {"class_name": "SGD", "config": {"learning_rate": 0.1}}, or a name. `nesting` is how many items lie around this one.
absl::StatusOr<ItemSpec> ItemFromJson(const Json& json, const std::string& who, int nesting);

}  // namespace fusebox
