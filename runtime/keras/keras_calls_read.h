// SPDX-License-Identifier: Apache-2.0
// Reads the calls of layers as Keras writes them: which values each call takes.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/files/json_text.h"

namespace fusebox {

// A value as Keras writes it: what call `node` of the layer gave.
struct KerasHistory {
  std::string layer;
  uint64_t node = 0, output = 0;
};

// ["dense", 0, 0], or with more behind it.
absl::StatusOr<KerasHistory> HistoryFromJson(const Json& json, const std::string& who);
// [["a", 0, 0], ["b", 0, 0]]; of a single one ["a", 0, 0]; by name {"x": ["a", 0, 0]}.
absl::StatusOr<std::vector<KerasHistory>> HistoriesFromJson(const Json& json, const std::string& who);

// What a layer is called with. The masks are those of Keras's kwarg `mask`.
struct KerasNode {
  std::vector<KerasHistory> inputs, masks;
};

// A call of Keras 3, {"args": [value or [value, ...]], "kwargs": {}}; of older files [["a", 0, 0, {}], ...].
absl::StatusOr<KerasNode> NodeFromJson(const Json& node, const std::string& who);

}  // namespace fusebox
