// SPDX-License-Identifier: Apache-2.0
// Tables of numbers as comma-separated values: RFC 4180, a row of column names first.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/data/tensor.h"

namespace fusebox {

// How the file is written.
struct CsvOptions {
  char separator = ',';  // Between values.
  char decimal = '.';    // Of numbers: ',' in many languages, where `separator` is often ';'.
  bool header = true;    // Whether the first line names the columns; without it they are named "0", "1", ...
  // Reads empty values, NA, N/A, null and ? as NaN. Otherwise they are errors.
  bool missing_as_nan = false;
};

struct CsvTable {
  std::vector<std::string> columns;
  Tensor values;  // f64 [rows, columns]
};

// Numbers are read alike in every locale; nan and inf are numbers. Blank lines are skipped. Errors name the line and
// the column, and a file that seems to have another separator is told so: "'a.csv': line 7, column 'age': a number expected, got 'old'"; rows of unequal length, empty or equal
// names.
absl::StatusOr<CsvTable> ReadCsv(const std::string& path, const CsvOptions& options = {});
absl::StatusOr<CsvTable> ParseCsv(std::string_view text, const std::string& who, const CsvOptions& options = {});

}  // namespace fusebox
