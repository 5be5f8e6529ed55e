// SPDX-License-Identifier: Apache-2.0
// Records the logs of every epoch. Its state is a CSV table in the format of Keras's CSVLogger: a header line, then one
// line per epoch, with enough digits to read back the same number. A log that an epoch lacks is an empty cell.
#include <charconv>

#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class History final : public sdk::Callback {
 public:
  void OnEpochEnd(sdk::Event& event) override {
    std::vector<std::string> row(names_.size());
    for (const sdk::Log& log : event.logs) {
      size_t column = 0;
      while (column < names_.size() && names_[column] != log.name) ++column;
      if (column == names_.size()) names_.emplace_back(log.name);
      if (column >= row.size()) row.resize(column + 1);
      row[column] = fmt::format("{}", log.value);
    }
    rows_.push_back({event.e.epoch, std::move(row)});
  }

  std::string SaveState() const override {
    std::string text = "epoch";
    for (const std::string& name : names_) text += "," + name;
    text += '\n';
    for (const auto& [epoch, values] : rows_) {
      text += fmt::format("{}", epoch);
      for (size_t i = 0; i < names_.size(); ++i) {
        text += ',';
        if (i < values.size()) text += values[i];
      }
      text += '\n';
    }
    return text;
  }

  void LoadState(std::string_view state) override {
    std::vector<std::string> names;
    std::vector<Row> rows;
    for (int line = 1; !state.empty(); ++line) {
      std::vector<std::string> cells = Split(Take(state, '\n'), ',');
      Row row;
      const std::string epoch = cells[0];
      cells.erase(cells.begin());
      if (line == 1) {
        if (epoch != "epoch") throw std::runtime_error("its saved state does not begin with 'epoch'");
        names = std::move(cells);
        continue;
      }
      const char* const end = epoch.data() + epoch.size();
      if (std::from_chars(epoch.data(), end, row.epoch).ptr != end || epoch.empty() || cells.size() != names.size())
        throw std::runtime_error(fmt::format("line {} of its saved state is broken", line));
      row.values = std::move(cells);
      rows.push_back(std::move(row));
    }
    names_ = std::move(names);
    rows_ = std::move(rows);
  }

 private:
  struct Row {
    int64_t epoch = 0;
    std::vector<std::string> values;
  };

  // Returns the text before the separator; removes it and the separator from `text`.
  static std::string_view Take(std::string_view& text, char separator) {
    const size_t end = text.find(separator);
    const std::string_view head = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    return head;
  }
  static std::vector<std::string> Split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    do {
      const size_t end = text.find(separator);
      parts.emplace_back(text.substr(0, end));
      if (end == text.npos) break;
      text.remove_prefix(end + 1);
    } while (true);
    return parts;
  }

  std::vector<std::string> names_;
  std::vector<Row> rows_;
};

FUSEBOX_PLUGIN(History, {.id = "fusebox/history", .doc = "Records the logs of every epoch; its state is CSV."});

}  // namespace
}  // namespace fusebox
