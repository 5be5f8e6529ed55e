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

struct CsvTable {
  std::vector<std::string> columns;
  Tensor values;  // f64 [rows, columns]
};

// Numbers are read alike in every locale; nan and inf are numbers. Blank lines are skipped. Errors name the line and
// the column: "'a.csv': line 7, column 'age': a number expected, got 'old'"; rows of unequal length, empty or equal
// names.
absl::StatusOr<CsvTable> ReadCsv(const std::string& path);
absl::StatusOr<CsvTable> ParseCsv(std::string_view text, const std::string& who);

}  // namespace fusebox
