// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/history_csv.h"

#include <csv.h>

#include <algorithm>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/atomic_file.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "fusebox/runtime/files/csv.h"
#include "fusebox/runtime/files/number_text.h"

namespace fusebox {
namespace {

// The text as a field of CSV, in quotes if it needs them. Source: RFC 4180.
std::string Field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string field(2 * text.size() + 2, '\0');
  field.resize(csv_write(field.data(), field.size(), text.data(), text.size()));
  return field;
}

}  // namespace

absl::StatusOr<std::string> HistoryCsv(std::vector<HistoryColumn> columns) {
  std::ranges::sort(columns, {}, &HistoryColumn::name);
  const size_t epochs = columns.empty() ? 0 : columns[0].values.size();
  std::string text = "epoch";
  for (const HistoryColumn& column : columns) {
    if (column.values.size() != epochs) {
      return Refuse("history: {} has {} epochs, {} has {}", columns[0].name, epochs, column.name, column.values.size());
    }
    text += ',' + Field(column.name);
  }
  text += '\n';
  for (size_t epoch = 0; epoch < epochs; ++epoch) {
    text += std::to_string(epoch);
    for (const HistoryColumn& column : columns) text += ',' + PythonRepr(column.values[epoch]);
    text += '\n';
  }
  return text;
}

absl::Status WriteHistoryCsv(const std::string& path, std::vector<HistoryColumn> columns) {
  const absl::StatusOr<std::string> text = HistoryCsv(std::move(columns));
  if (!text.ok()) return text.status();
  return WriteFileAtomically(path, *text);
}

absl::StatusOr<std::vector<HistoryColumn>> ParseHistoryCsv(std::string_view text, const std::string& who) {
  const absl::StatusOr<CsvTable> table = ParseCsv(text, who);
  if (!table.ok()) return table.status();
  if (table->columns[0] != "epoch")
    return Refuse("{}: 'epoch' expected as first column, got '{}'", who, table->columns[0]);
  std::vector<HistoryColumn> columns;
  for (size_t c = 1; c < table->columns.size(); ++c) columns.push_back({table->columns[c], {}});
  const auto values = table->values.values<double>();
  const size_t width = table->columns.size();
  for (size_t row = 0; row < size_t(table->values.rows()); ++row) {
    const double epoch = values[row * width];
    if (epoch != values[0] + double(row))
      return Refuse("{}: epoch {} expected, got {}", who, values[0] + double(row), epoch);
    for (size_t c = 1; c < width; ++c) columns[c - 1].values.push_back(values[row * width + c]);
  }
  return columns;
}

absl::StatusOr<std::vector<HistoryColumn>> ReadHistoryCsv(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadWholeFile(path);
  if (!text.ok()) return text.status();
  return ParseHistoryCsv(*text, fmt::format("'{}'", path));
}

}  // namespace fusebox
