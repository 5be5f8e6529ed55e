// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/load/table.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "absl/strings/str_split.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/csv.h"
#include "fusebox/runtime/plugins/nearest.h"

namespace fusebox {
namespace {

// The numbers of the columns that a list names, "price,rank".
absl::StatusOr<std::vector<size_t>> ColumnsOf(const std::string& list, const CsvTable& table, const std::string& path) {
  std::vector<size_t> numbers;
  const auto find = [&](const std::string& name) {
    return size_t(std::ranges::find(table.columns, name) - table.columns.begin());
  };
  if (find(list) < table.columns.size()) return std::vector<size_t>{find(list)};  // Its name may have a ','.
  for (const std::string& name : std::vector<std::string>(absl::StrSplit(list, ',', absl::SkipEmpty()))) {
    numbers.push_back(find(name));
    if (numbers.back() == table.columns.size()) {
      return Refuse("'{}': has no column '{}': {}", path, name, SuggestNames(name, table.columns));
    }
  }
  return numbers;
}

// Puts the column's mean in place of missing values, or leaves out their rows.
absl::Status FillIn(MissingValues how, const std::string& path, const CsvTable& table, std::vector<double>& values) {
  const size_t columns = table.columns.size();
  const auto is_missing = [](double v) { return std::isnan(v); };
  if (how == MissingValues::kDrop) {
    std::vector<double> kept;
    for (size_t row = 0; row + columns <= values.size(); row += columns) {
      const std::span<const double> of_row(values.data() + row, columns);
      if (std::ranges::none_of(of_row, is_missing)) kept.insert(kept.end(), of_row.begin(), of_row.end());
    }
    if (kept.empty()) return Refuse("'{}': each row lacks a value, so no row is left", path);
    values = std::move(kept);
    return absl::OkStatus();
  }
  for (size_t column = 0; column < columns; ++column) {
    double sum = 0;
    size_t count = 0;
    for (size_t i = column; i < values.size(); i += columns) {
      if (is_missing(values[i])) continue;
      sum += values[i];
      ++count;
    }
    if (count == 0) return Refuse("'{}': column '{}' has no values", path, table.columns[column]);
    for (size_t i = column; i < values.size(); i += columns) {
      if (is_missing(values[i])) values[i] = sum / double(count);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Data> LoadTable(const std::string& path, const TableOptions& options) {
  if (options.target.empty()) return Refuse("'{}': a CSV file needs --target COLUMN: which column to learn", path);
  const bool fill = options.missing != MissingValues::kError;
  FUSEBOX_ASSIGN_OR_RETURN(const CsvTable table, ReadCsv(path, {.separator = options.separator,
                                                                .decimal = options.decimal,
                                                                .header = options.header,
                                                                .missing_as_nan = fill}));
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<size_t> targets, ColumnsOf(options.target, table, path));
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<size_t> ignored, ColumnsOf(options.ignored, table, path));
  const size_t columns = table.columns.size();
  std::vector<size_t> inputs;
  for (size_t i = 0; i < columns; ++i) {
    const auto among = [i](const std::vector<size_t>& some) { return std::ranges::find(some, i) != some.end(); };
    if (!among(targets) && !among(ignored)) inputs.push_back(i);
  }
  if (inputs.empty()) return Refuse("'{}': no column is left for x", path);
  const std::span<const double> all = table.values.values<double>();
  std::vector<double> values(all.begin(), all.end());
  if (fill) FUSEBOX_RETURN_IF_ERROR(FillIn(options.missing, path, table, values));
  const int64_t rows = int64_t(values.size() / columns);
  const auto take = [&](const std::vector<size_t>& from, std::vector<int64_t> shape) {
    Tensor to(DType::kF32, std::move(shape));
    float* at = to.mutable_values<float>().data();
    for (size_t row = 0; row < size_t(rows); ++row) {
      for (const size_t column : from) *at++ = float(values[row * columns + column]);
    }
    return to;
  };
  return Data{take(inputs, {rows, int64_t(inputs.size())}),
              take(targets, targets.size() == 1 ? std::vector<int64_t>{rows}
                                                : std::vector<int64_t>{rows, int64_t(targets.size())})};
}

}  // namespace fusebox
