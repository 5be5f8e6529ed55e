// SPDX-License-Identifier: Apache-2.0
// Samples from a table of numbers and text, a CSV file.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "fusebox/runtime/load/table_encoding.h"
#include "fusebox/runtime/model.h"

namespace fusebox {

// What to do about values that a table lacks.
enum class MissingValues {
  kError,  // Refuse the file.
  kDrop,   // Leave out the rows that lack any.
  kMean,   // Put in the column's mean. A target or text that is missing has none and is an error.
};

// How a CSV file is read. Lists of columns are names with ',' between: "price,rank".
struct TableOptions {
  TableOptions() = default;
  TableOptions(const char* columns) : target(columns) {}
  TableOptions(std::string columns) : target(std::move(columns)) {}

  std::string target = "";       // The column to learn, or several.
  std::string ignored = "";      // Columns to leave out, whatever is in them.
  std::string categorical = "";  // Columns of classes, text or numbers, to read as indices: see TableClasses.
  std::string one_hot = "";      // The same, to read as one column of 0 and 1 a class.
  char separator = ',';          // Between values; of a .tsv file a tab.
  char decimal = '.';            // Of numbers.
  char thousands = 0;            // Between groups of digits; 0 if nothing is.
  bool header = true;            // Whether the first line names the columns, which are "0", "1", ... else.
  MissingValues missing = MissingValues::kError;  // Empty values and what pandas takes for missing, or UCI's "?".
  // Of a libsvm file: the number of features, 0 for as many as the file has; its first index, 0 or 1, by default as the
  // file's smallest tells.
  int64_t features = 0;
  std::optional<int> first_index = std::nullopt;
  // If given, the first table that is read with these options fills it in, and later ones are read by it: their columns
  // by name, in its order; their classes by its indices, where an unknown one is an error; means by its means.
  std::shared_ptr<TableEncoding> encoding = nullptr;
};

// Reads x, the columns that are neither targets nor ignored, f32[n, columns], and y, f32[n] of one target or f32[n,
// targets]. Errors: no target, a column that the file lacks, a value that is no number or missing, no column or row that
// is left.
absl::StatusOr<Data> LoadTable(const std::string& path, const TableOptions& options);

// Reads x alone: targets may be absent.
absl::StatusOr<Tensor> LoadTableInputs(const std::string& path, const TableOptions& options);

}  // namespace fusebox
