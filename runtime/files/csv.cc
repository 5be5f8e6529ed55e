// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/csv.h"

#include <csv.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <set>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "fusebox/runtime/files/number_text.h"

namespace fusebox {
namespace {

constexpr size_t kChunk = 64 << 10;
constexpr size_t kMaxValue = 1 << 20;  // No number is longer.
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// Gathers the table from the fields that libcsv reports.
class Collector {
 public:
  Collector(const std::string& who, const CsvOptions& options) : who_(who), options_(options) {}

  void SetLine(int64_t line) { line_ = line; }
  const absl::Status& status() const { return status_; }

  void Field(std::string_view text) {
    if (!status_.ok()) return;
    const size_t column = column_++;
    if (!header_done_ && !options_.header) {
      columns_.push_back(std::to_string(column));
    } else if (!header_done_) {
      if (text.empty()) return Fail(fmt::format("line {}: column {} has no name", line_, column_));
      if (!names_.emplace(text).second) {
        return Fail(fmt::format("line {}: two columns are named '{}'", line_, text));
      }
      columns_.emplace_back(text);
      return;
    }
    if (column >= columns_.size()) return;  // EndRow says so.
    const std::optional<double> value = Number(text);
    if (!value) {
      return Fail(fmt::format("line {}, column '{}': a number expected, got {}", line_, columns_[column],
                              text.empty() ? "nothing (--na says what to do about missing values)"
                                           : fmt::format("'{}'", text.substr(0, 60))) +
                  OtherSeparator());
    }
    values_.push_back(*value);
  }

  void EndRow() {
    if (!status_.ok()) return;
    if (header_done_ && column_ != columns_.size()) {
      return Fail(fmt::format("line {}: {} values expected, got {}", line_, columns_.size(), column_));
    }
    header_done_ = true;
    column_ = 0;
  }

  absl::StatusOr<CsvTable> Table() {
    if (!status_.ok()) return status_;
    if (!header_done_) return Refuse("{}: a line of column names expected, found nothing", who_);
    const int64_t columns = int64_t(columns_.size());
    const int64_t rows = int64_t(values_.size()) / columns;
    return CsvTable{std::move(columns_), Tensor({rows, columns}, std::span<const double>(values_))};
  }

 private:
  std::optional<double> Number(std::string_view text) const {
    if (options_.missing_as_nan && (text.empty() || text == "NA" || text == "N/A" || text == "null" || text == "?"))
      return std::nan("");
    if (options_.decimal == '.') return ParseNumber(text);
    std::string number(text);
    if (number.find('.') != std::string::npos) return std::nullopt;
    std::ranges::replace(number, options_.decimal, '.');
    return ParseNumber(number);
  }

  // What to try if the line of names is one name that another separator would divide.
  std::string OtherSeparator() const {
    if (columns_.size() != 1) return "";
    for (const auto& [separator, option] : {std::pair(';', "';'"), {'\t', "tab"}, {'|', "'|'"}, {',', "','"}}) {
      if (separator != options_.separator && columns_[0].find(separator) != std::string::npos)
        return fmt::format(": the separator seems to be {0}, so try --separator {0}", option);
    }
    return "";
  }

  void Fail(const std::string& text) { status_ = Refuse("{}: {}", who_, text); }

  std::string who_;
  CsvOptions options_;
  absl::Status status_;
  int64_t line_ = 0;
  size_t column_ = 0;
  bool header_done_ = false;
  std::vector<std::string> columns_;
  std::set<std::string> names_;
  std::vector<double> values_;
};

void OnField(void* text, size_t length, void* collector) {
  static_cast<Collector*>(collector)->Field({static_cast<const char*>(text), length});
}

void OnRow(int, void* collector) { static_cast<Collector*>(collector)->EndRow(); }

}  // namespace

absl::StatusOr<CsvTable> ParseCsv(std::string_view text, const std::string& who, const CsvOptions& options) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  csv_parser parser;
  constexpr unsigned char kOptions = CSV_STRICT | CSV_STRICT_FINI;  // A stray or missing quote is an error.
  if (csv_init(&parser, kOptions) != 0) return absl::InternalError("libcsv does not start");
  const std::unique_ptr<csv_parser, void (*)(csv_parser*)> guard(&parser, csv_free);
  csv_set_delim(&parser, static_cast<unsigned char>(options.separator));
  Collector collector(who, options);
  csv_set_blk_size(&parser, kChunk);  // Its buffer grows by so much, which is to happen seldom.
  // Line by line, so that a message can name the line, and long lines in pieces.
  int64_t line = 0;
  bool line_starts = true;
  while (!text.empty() && collector.status().ok()) {
    const std::string_view piece = text.substr(0, kChunk);
    const size_t length = std::min(piece.find('\n'), piece.size() - 1) + 1;
    if (line_starts) collector.SetLine(++line);
    line_starts = text[length - 1] == '\n';
    if (csv_parse(&parser, text.data(), length, OnField, OnRow, &collector) != length) {
      return Refuse("{}: line {}: {}", who, line, csv_strerror(csv_error(&parser)));
    }
    if (csv_get_buffer_size(&parser) > kMaxValue) {
      return Refuse("{}: line {}: a value of more than {} bytes", who, line, kMaxValue);
    }
    text.remove_prefix(length);
  }
  if (collector.status().ok() && csv_fini(&parser, OnField, OnRow, &collector) != 0) {
    return Refuse("{}: line {}: a quote is not closed", who, line);
  }
  return collector.Table();
}

absl::StatusOr<CsvTable> ReadCsv(const std::string& path, const CsvOptions& options) {
  const absl::StatusOr<std::string> text = ReadWholeFile(path);
  if (!text.ok()) return text.status();
  return ParseCsv(*text, fmt::format("'{}'", path), options);
}

}  // namespace fusebox
