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

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

// Takes the signs between groups of digits out of "1,234,567.8". nullopt if the groups are not of 3 digits, or of 2
// before the last, as in India: "1,5" is more likely to be 1.5 than 15.
std::optional<std::string> WithoutThousands(std::string_view text, char thousands, char decimal) {
  const size_t end = std::min(text.find_first_of(std::string("eE") + decimal), text.size());
  if (text.substr(end).find(thousands) != std::string_view::npos) return std::nullopt;
  std::string number;
  size_t group = 0, groups = 0;
  for (size_t i = 0; i <= end; ++i) {
    if (i < end && text[i] != thousands) {
      number += text[i];
      group += text[i] >= '0' && text[i] <= '9';
      continue;
    }
    const bool last = i == end, first = groups++ == 0;
    if (first && last) break;
    if (first ? group < 1 || group > 3 : group != 3 && (last || group != 2)) return std::nullopt;
    group = 0;
  }
  return number.append(text.substr(end));
}

std::optional<double> NumberOf(std::string_view given, const CsvOptions& options) {
  const std::string_view text = Trimmed(given);
  if (options.missing_as_nan && IsMissingText(text)) return std::nan("");
  if (text == "True" || text == "TRUE" || text == "true") return 1;
  if (text == "False" || text == "FALSE" || text == "false") return 0;
  if (options.decimal == '.' && options.thousands == 0) return ParseNumber(text);
  std::string number(text);
  if (options.thousands != 0) {
    std::optional<std::string> joined = WithoutThousands(text, options.thousands, options.decimal);
    if (!joined) return std::nullopt;
    number = *std::move(joined);
  }
  if (options.decimal != '.') {
    if (number.find('.') != std::string::npos) return std::nullopt;
    std::ranges::replace(number, options.decimal, '.');
  }
  return ParseNumber(number);
}

// Which option reads a text that is no number as the options are; empty if none.
std::string Remedy(std::string_view given, std::string_view column, const CsvOptions& options) {
  const std::string_view text = Trimmed(given);
  if (text.empty() || IsMissingText(text)) return " (--na says what to do about missing values)";
  if (text.find_first_of("0123456789") == std::string_view::npos) {
    return fmt::format(" (--categorical {0} reads it as one of several classes, --ignore {0} leaves it out)", column);
  }
  CsvOptions other = options;
  for (const char decimal : {',', '.'}) {
    other.decimal = decimal;
    other.thousands = 0;
    if (NumberOf(text, other)) return fmt::format(" (--decimal {} reads it)", decimal);
  }
  for (const auto& [decimal, thousands] : {std::pair('.', ','), {',', '.'}, {'.', ' '}, {'.', '\''}, {',', ' '}}) {
    other.decimal = decimal;
    other.thousands = thousands;
    if (!NumberOf(text, other)) continue;
    return fmt::format(" (--thousands \"{}\"{} reads it)", thousands,
                       decimal == options.decimal ? "" : fmt::format(" --decimal {}", decimal));
  }
  return "";
}

// Gathers the table from the fields that libcsv reports.
class Collector {
 public:
  Collector(const std::string& who, const CsvOptions& options, bool names_only)
      : who_(who), options_(options), names_only_(names_only) {}

  void SetLine(int64_t line) { line_ = line; }
  const absl::Status& status() const { return status_; }
  bool has_names() const { return header_done_; }

  void Field(std::string_view text) {
    if (!status_.ok()) return;
    const size_t column = column_++;
    if (row_line_ == 0) row_line_ = line_;
    if (!header_done_) {
      Name(options_.header ? std::string(text) : std::to_string(column));
      if (options_.header || !status_.ok()) return;
    }
    if (column >= columns_.size()) return;  // EndRow says so.
    Value(column, text);
  }

  void EndRow() {
    if (!status_.ok()) return;
    if (header_done_ && column_ != columns_.size()) {
      return Fail(fmt::format("line {}: {} values expected, got {}", row_line_, columns_.size(), column_) +
                  (columns_.size() == 1 ? OtherSeparator(columns_[0], options_.separator) : ""));
    }
    if (header_done_ || !options_.header) lines_.push_back(row_line_);
    header_done_ = true;
    column_ = 0;
    row_line_ = 0;
  }

  absl::StatusOr<CsvTable> Table() {
    if (!status_.ok()) return status_;
    if (!header_done_) return Refuse("{}: a line of column names expected, found nothing", who_);
    const int64_t columns = int64_t(columns_.size());
    const int64_t rows = int64_t(values_.size()) / columns;
    texts_.resize(columns_.size());
    return CsvTable{std::move(columns_), Tensor({rows, columns}, std::span<const double>(values_)), std::move(texts_),
                    std::move(lines_)};
  }

 private:
  void Name(std::string name) {
    if (name.empty() && options_.name_unnamed) name = fmt::format("Unnamed: {}", column_ - 1);
    if (name.empty()) return Fail(fmt::format("line {}: column {} has no name", line_, column_));
    if (!names_.insert(name).second) return Fail(fmt::format("line {}: two columns are named '{}'", line_, name));
    columns_.push_back(std::move(name));
  }

  void Value(size_t column, std::string_view text) {
    if (names_only_) return values_.push_back(0);
    const CsvColumn kind = column < options_.columns.size() ? options_.columns[column] : CsvColumn::kNumbers;
    if (kind == CsvColumn::kText) {
      if (texts_.size() <= column) texts_.resize(column + 1);
      texts_[column].emplace_back(Trimmed(text));
    }
    if (kind != CsvColumn::kNumbers) return values_.push_back(0);
    const std::optional<double> value = NumberOf(text, options_);
    if (value) return values_.push_back(*value);
    std::string got = text.empty() ? "nothing" : fmt::format("'{}'", text.substr(0, 60));
    const std::string separator =
        columns_.size() == 1 ? OtherSeparator(options_.header ? columns_[0] : text, options_.separator) : "";
    got += separator.empty() ? Remedy(text, columns_[column], options_) : separator;
    Fail(fmt::format("line {}, column '{}': a number expected, got {}", line_, columns_[column], got));
  }

  void Fail(const std::string& text) { status_ = Refuse("{}: {}", who_, text); }

  std::string who_;
  const CsvOptions& options_;
  bool names_only_;  // The first row is read for its names alone.
  absl::Status status_;
  int64_t line_ = 0, row_line_ = 0;  // row_line_: where the row begins, 0 between rows.
  size_t column_ = 0;
  bool header_done_ = false;
  std::vector<std::string> columns_;
  std::set<std::string> names_;
  std::vector<double> values_;
  std::vector<std::vector<std::string>> texts_;
  std::vector<int64_t> lines_;
};

void OnField(void* text, size_t length, void* collector) {
  static_cast<Collector*>(collector)->Field({static_cast<const char*>(text), length});
}

void OnRow(int, void* collector) { static_cast<Collector*>(collector)->EndRow(); }

// Reads the text, or its first row.
absl::Status Feed(std::string_view text, const std::string& who, const CsvOptions& options, bool names_only,
                  Collector& collector) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  csv_parser parser;
  constexpr unsigned char kOptions = CSV_STRICT | CSV_STRICT_FINI;  // A stray or missing quote is an error.
  if (csv_init(&parser, kOptions) != 0) return absl::InternalError("libcsv does not start");
  const std::unique_ptr<csv_parser, void (*)(csv_parser*)> guard(&parser, csv_free);
  csv_set_delim(&parser, static_cast<unsigned char>(options.separator));
  csv_set_blk_size(&parser, kChunk);  // Its buffer grows by so much, which is to happen seldom.
  // Line by line, so that a message can name the line, and long lines in pieces.
  int64_t line = 0;
  bool line_starts = true;
  while (!text.empty() && collector.status().ok() && !(names_only && collector.has_names())) {
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
  if (names_only && collector.has_names()) return absl::OkStatus();
  if (collector.status().ok() && csv_fini(&parser, OnField, OnRow, &collector) != 0) {
    return Refuse("{}: line {}: a quote is not closed", who, line);
  }
  return collector.status();
}

}  // namespace

bool IsMissingText(std::string_view text) {
  constexpr std::string_view kMissing[] = {"",     "NA",   "N/A",      "n/a",    "nan",     "NaN",     "-nan",
                                           "-NaN", "NULL", "null",     "None",   "<NA>",    "#NA",     "#N/A",
                                           "?",    "NAN",  "#N/A N/A", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"};
  return std::ranges::find(kMissing, text) != std::end(kMissing);
}

std::string OtherSeparator(std::string_view text, char separator) {
  for (const auto& [other, option] : {std::pair(';', "';'"), {'\t', "tab"}, {'|', "'|'"}, {',', "','"}, {' ', "' '"}}) {
    if (other != separator && text.find(other) != std::string::npos)
      return fmt::format(": the separator seems to be {0}, so try --separator {0}", option);
  }
  return "";
}

absl::StatusOr<CsvTable> ParseCsv(std::string_view text, const std::string& who, const CsvOptions& options) {
  Collector collector(who, options, false);
  if (const absl::Status status = Feed(text, who, options, false, collector); !status.ok()) return status;
  return collector.Table();
}

absl::StatusOr<std::vector<std::string>> ParseCsvNames(std::string_view text, const std::string& who,
                                                       const CsvOptions& options) {
  Collector collector(who, options, true);
  if (const absl::Status status = Feed(text, who, options, true, collector); !status.ok()) return status;
  absl::StatusOr<CsvTable> table = collector.Table();
  if (!table.ok()) return table.status();
  return std::move(table->columns);
}

absl::StatusOr<CsvTable> ReadCsv(const std::string& path, const CsvOptions& options) {
  const absl::StatusOr<std::string> text = ReadWholeFile(path);
  if (!text.ok()) return text.status();
  return ParseCsv(*text, fmt::format("'{}'", path), options);
}

}  // namespace fusebox
