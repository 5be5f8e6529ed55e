// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/describe/history.h"

#include <algorithm>

namespace fusebox {

const std::vector<double>& History::operator[](std::string_view name) const {
  static const std::vector<double> none;
  const auto it = std::ranges::find_if(values, [&](const auto& column) { return column.first == name; });
  return it != values.end() ? it->second : none;
}

void History::Append(int64_t number, const Logs& logs) {
  constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
  for (const LogValue& log : logs) {
    auto it = std::ranges::find_if(values, [&](const auto& column) { return column.first == log.name; });
    if (it == values.end()) it = values.insert(values.end(), {log.name, std::vector<double>(epoch.size(), kMissing)});
    it->second.push_back(log.value);
  }
  epoch.push_back(number);
  for (auto& [name, column] : values) column.resize(epoch.size(), kMissing);
}

}  // namespace fusebox
