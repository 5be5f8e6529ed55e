// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/libsvm.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <vector>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "fusebox/runtime/files/number_text.h"

namespace fusebox {
namespace {

struct Entry {
  int64_t row = 0, index = 0;
  float value = 0;
};

struct Entries {
  std::vector<float> labels;
  std::vector<int64_t> lines;  // One a label.
  std::vector<Entry> values;
};

std::vector<std::string_view> WordsOf(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  std::vector<std::string_view> words;
  for (size_t begin = line.find_first_not_of(kBlanks); begin != line.npos;) {
    const size_t end = std::min(line.find_first_of(kBlanks, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(kBlanks, end);
  }
  return words;
}

// Adds a line's label and values.
absl::Status ParseLine(std::string_view line, int64_t number, const std::string& who, Entries& entries) {
  const std::vector<std::string_view> words = WordsOf(line.substr(0, line.find('#')));
  if (words.empty()) return absl::OkStatus();
  const std::optional<double> label = ParseNumber(words[0]);
  if (!label) {
    return Refuse("{}: line {}: a label, one number, expected, got '{}'{}", who, number, words[0].substr(0, 60),
                  words[0].find(',') != words[0].npos ? ": several labels of a sample are not read" : "");
  }
  const int64_t row = int64_t(entries.labels.size());
  int64_t last = -1;
  for (const std::string_view word : std::span(words).subspan(1)) {
    if (word.starts_with("qid:")) continue;
    const size_t colon = word.find(':');
    int64_t index = 0;
    const char* const index_end = word.data() + std::min(colon, word.size());
    const auto [end, error] = std::from_chars(word.data(), index_end, index);
    const std::optional<double> value = colon != word.npos ? ParseNumber(word.substr(colon + 1)) : std::nullopt;
    if (error != std::errc() || end != index_end || index < 0 || !value) {
      return Refuse("{}: line {}: INDEX:VALUE expected, got '{}'", who, number, word.substr(0, 60));
    }
    if (index <= last) {
      return Refuse("{}: line {}: indices in ascending order expected, got {} after {}", who, number, index, last);
    }
    last = index;
    entries.values.push_back({row, index, float(*value)});
  }
  entries.labels.push_back(float(*label));
  entries.lines.push_back(number);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LibsvmData> ParseLibsvm(std::string_view text, const std::string& who, const LibsvmOptions& options) {
  Entries entries;
  int64_t line = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (const absl::Status status = ParseLine(text.substr(0, end), ++line, who, entries); !status.ok()) return status;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (entries.labels.empty()) return Refuse("{}: lines LABEL INDEX:VALUE ... expected, found none", who);
  int64_t smallest = 1, largest = -1;
  for (const Entry& entry : entries.values) {
    smallest = std::min(smallest, entry.index);
    largest = std::max(largest, entry.index);
  }
  const int64_t first = options.first_index ? *options.first_index : entries.values.empty() ? 0 : smallest;
  const int64_t features = options.features > 0 ? options.features : largest + 1 - first;
  for (const Entry& entry : entries.values) {
    if (entry.index >= first && entry.index - first < features) continue;
    return Refuse("{}: line {}: an index from {} to {} expected, got {}", who, entries.lines[size_t(entry.row)], first,
                  features + first - 1, entry.index);
  }
  const int64_t rows = int64_t(entries.labels.size());
  const std::optional<uint64_t> bytes = CheckedBytes(std::vector<int64_t>{rows, features}, sizeof(float));
  if (!bytes || *bytes > kByteBudget) {
    return Refuse("{}: too large: {} samples of {} features, which would all be stored", who, rows, features);
  }
  LibsvmData data{Tensor(DType::kF32, {rows, features}), Tensor({rows}, std::span<const float>(entries.labels))};
  const std::span<float> x = data.x.mutable_values<float>();
  for (const Entry& entry : entries.values) x[size_t(entry.row * features + entry.index - first)] = entry.value;
  return data;
}

absl::StatusOr<LibsvmData> ReadLibsvm(const std::string& path, const LibsvmOptions& options) {
  const absl::StatusOr<std::string> text = ReadWholeFile(path);
  if (!text.ok()) return text.status();
  return ParseLibsvm(*text, fmt::format("'{}'", path), options);
}

}  // namespace fusebox
