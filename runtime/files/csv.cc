// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/csv.h"

#include <csv.h>

#include <algorithm>
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
  explicit Collector(const std::string& who) : who_(who) {}

  void SetLine(int64_t line) { line_ = line; }
  const absl::Status& status() const { return status_; }

  void Field(std::string_view text) {
    if (!status_.ok()) return;
    const size_t column = column_++;
    if (!header_done_) {
      if (text.empty()) return Fail(fmt::format("line {}: column {} has no name", line_, column_));
      if (!names_.emplace(text).second) {
        return Fail(fmt::format("line {}: two columns are named '{}'", line_, text));
      }
      columns_.emplace_back(text);
      return;
    }
    if (column >= columns_.size()) return;  // EndRow says so.
    const std::optional<double> value = ParseNumber(text);
    if (!value) {
      return Fail(fmt::format("line {}, column '{}': a number expected, got {}", line_, columns_[column],
                              text.empty() ? "nothing" : fmt::format("'{}'", text.substr(0, 60))));
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
  void Fail(const std::string& text) { status_ = Refuse("{}: {}", who_, text); }

  std::string who_;
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

absl::StatusOr<CsvTable> ParseCsv(std::string_view text, const std::string& who) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  csv_parser parser;
  constexpr unsigned char kOptions = CSV_STRICT | CSV_STRICT_FINI;  // A stray or missing quote is an error.
  if (csv_init(&parser, kOptions) != 0) return absl::InternalError("libcsv does not start");
  const std::unique_ptr<csv_parser, void (*)(csv_parser*)> guard(&parser, csv_free);
  Collector collector(who);
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

absl::StatusOr<CsvTable> ReadCsv(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadWholeFile(path);
  if (!text.ok()) return text.status();
  return ParseCsv(*text, fmt::format("'{}'", path));
}

}  // namespace fusebox
