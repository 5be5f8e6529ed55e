// SPDX-License-Identifier: Apache-2.0
// A training's history as Keras's CSVLogger writes it: epoch,accuracy,loss,val_accuracy,val_loss
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace fusebox {

struct HistoryColumn {
  std::string name;            // "loss", "val_accuracy"
  std::vector<double> values;  // One an epoch.

  bool operator==(const HistoryColumn&) const = default;
};

// What CSVLogger writes: the column `epoch`, from 0, then the others in alphabetical order; values as Python prints a
// float. Lines end in \n, where CSVLogger has \r\n. Error if the columns' lengths differ.
absl::StatusOr<std::string> HistoryCsv(std::vector<HistoryColumn> columns);
absl::Status WriteHistoryCsv(const std::string& path, std::vector<HistoryColumn> columns);

// The columns in the file's order, without `epoch`, which must come first and count up from any start.
absl::StatusOr<std::vector<HistoryColumn>> ReadHistoryCsv(const std::string& path);
absl::StatusOr<std::vector<HistoryColumn>> ParseHistoryCsv(std::string_view text, const std::string& who);

}  // namespace fusebox
