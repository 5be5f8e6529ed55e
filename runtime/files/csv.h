// SPDX-License-Identifier: Apache-2.0
// Tables of numbers and text with a line of column names. Source: RFC 4180.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/data/tensor.h"

namespace fusebox {

// What to make of a column.
enum class CsvColumn { kNumbers, kText, kUnread };

// How the file is written.
struct CsvOptions {
  char separator = ',';  // Between values.
  char decimal = '.';    // Of numbers: ',' in many languages, where `separator` is often ';'.
  char thousands = 0;    // Between groups of digits, "1,234,567"; 0 if nothing is.
  bool header = true;    // Whether the first line names the columns; without it they are named "0", "1", ...
  // Reads missing values as NaN: empty ones, nan, and what pandas takes for one (NA, N/A, null, None, ...) or UCI's data
  // sets (?). Otherwise nan is a number, and the others are errors.
  bool missing_as_nan = false;
  // Names a column without a name as pandas does, "Unnamed: 0". Otherwise it is an error.
  bool name_unnamed = false;
  std::vector<CsvColumn> columns = {};  // One a column; all are numbers if it is empty.
};

struct CsvTable {
  std::vector<std::string> columns;
  Tensor values;                                // f64 [rows, columns]; 0 where a column does not hold numbers.
  std::vector<std::vector<std::string>> texts;  // One of each column, [rows] if it is kText, else empty.
  std::vector<int64_t> lines;                   // The line in which each row stands, from 1.
};

// Numbers are read alike in every locale; inf is a number, True and False are 1 and 0. Blank lines are skipped. Errors
// name the line and the column, and the option that helps where the file is written in another way:
// "'a.csv': line 7, column 'age': a number expected, got 'old'"; rows of unequal length, empty or equal names.
absl::StatusOr<CsvTable> ReadCsv(const std::string& path, const CsvOptions& options = {});
absl::StatusOr<CsvTable> ParseCsv(std::string_view text, const std::string& who, const CsvOptions& options = {});

// The columns' names alone, by the first line.
absl::StatusOr<std::vector<std::string>> ParseCsvNames(std::string_view text, const std::string& who,
                                                       const CsvOptions& options = {});

// What to add to a message about a file whose one column's name, or first value, another separator divides; else "".
std::string OtherSeparator(std::string_view text, char separator);

// Whether pandas takes the text for a missing value, or it is UCI's "?".
bool IsMissingText(std::string_view text);

}  // namespace fusebox
