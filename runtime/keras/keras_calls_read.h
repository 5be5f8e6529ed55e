// SPDX-License-Identifier: Apache-2.0
// Reads the calls of layers as Keras writes them: which values each call takes, and how.
#pragma once
#include <cstdint>
#include <optional>
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

// A structure of values, flattened as Keras does: lists in order, dicts by their sorted keys.
struct KerasValues {
  std::vector<KerasHistory> values;
  std::vector<std::string> keys;  // Of each value: its key if the structure is a dict of values, else "".

  // Whether the structure is a dict of values, each with a key of its own.
  bool IsDict() const;
};

// ["dense", 0, 0], or with more behind it. Error: another form.
absl::StatusOr<KerasHistory> HistoryFromJson(const Json& json, const std::string& who);
// [["a", 0, 0], ["b", 0, 0]]; of a single one ["a", 0, 0]; by name {"x": ["a", 0, 0]}; lists and dicts within these.
absl::StatusOr<KerasValues> HistoriesFromJson(const Json& json, const std::string& who);

// What a layer is called with.
struct KerasNode {
  KerasValues inputs;
  std::vector<KerasHistory> masks;  // Of Keras's argument `mask`.
  // Of Keras 2, the argument `training`, which its fit and predict heed. Those of Keras 3 replace what calls say by
  // their own, so there it means nothing.
  std::optional<bool> training;
};

// A call of Keras 3, {"args": [value or [value, ...] or {"key": value}], "kwargs": {}}; of Keras 2
// [["a", 0, 0, {kwargs}], ...] or {"key": ["a", 0, 0, {kwargs}]}. Error: an argument that is no value of the model.
absl::StatusOr<KerasNode> NodeFromJson(const Json& node, const std::string& who);

}  // namespace fusebox
