// SPDX-License-Identifier: Apache-2.0
// Samples from a table of numbers, a CSV file.
#pragma once
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "fusebox/runtime/model.h"

namespace fusebox {

// What to do about values that a table lacks.
enum class MissingValues {
  kError,  // Refuse the file.
  kDrop,   // Leave out the rows that lack any.
  kMean,   // Put in the column's mean.
};

// How a CSV file is read.
struct TableOptions {
  TableOptions() = default;
  TableOptions(const char* columns) : target(columns) {}
  TableOptions(std::string columns) : target(std::move(columns)) {}

  std::string target = "";   // The column to learn, or several: "price,rank".
  std::string ignored = "";  // Columns to leave out, in the same form.
  char separator = ',';      // Between values.
  char decimal = '.';        // Of numbers.
  bool header = true;        // Whether the first line names the columns, which are "0", "1", ... else.
  MissingValues missing = MissingValues::kError;  // Empty values, NA, N/A, null and ?.
};

// Reads x, the columns that are neither targets nor ignored, f32[n, columns], and y, f32[n] of one target or f32[n,
// targets]. Errors: no target, a column that the file lacks, a value that is no number or missing, no column or row that
// is left.
absl::StatusOr<Data> LoadTable(const std::string& path, const TableOptions& options);

}  // namespace fusebox
