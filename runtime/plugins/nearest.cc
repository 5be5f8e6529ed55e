// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/plugins/nearest.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "fmt/format.h"

namespace fusebox {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; }

}  // namespace

// Source: Damerau (1964), A technique for computer detection and correction of spelling errors (the restricted form).
int EditDistance(std::string_view a, std::string_view b) {
  std::vector<int> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = int(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const auto same = [&](size_t x, size_t y) { return Lower(a[x]) == Lower(b[y]); };
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same(i - 1, j - 1) ? 0 : 1)});
      if (i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1)) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string SuggestNames(std::string_view wrong, std::span<const std::string> known) {
  if (known.empty()) return "none are known";
  constexpr size_t kMost = 3, kMostListed = 20;
  wrong = wrong.substr(0, 256);
  const int near = std::max(2, int(wrong.size() / 3));
  std::vector<std::pair<int, std::string>> found;
  for (const std::string& name : known) {
    const bool inside = wrong.size() >= 3 && name.find(wrong) != name.npos;
    const int distance = inside ? 1 : EditDistance(wrong, name);
    if (distance <= near && size_t(distance) < std::max(wrong.size(), name.size())) found.emplace_back(distance, name);
  }
  std::ranges::sort(found);
  std::string text;
  if (!found.empty()) {
    found.resize(std::min(found.size(), kMost));
    for (size_t i = 0; i < found.size(); ++i) {
      const char* separator = i == 0 ? "" : i + 1 < found.size() ? ", " : " or ";
      text += fmt::format("{}'{}'", separator, found[i].second);
    }
    return fmt::format("did you mean {}?", text);
  }
  for (size_t i = 0; i < std::min(known.size(), kMostListed); ++i)
    text += fmt::format("{}'{}'", i > 0 ? ", " : "", known[i]);
  return fmt::format("known are {}{}", text, known.size() > kMostListed ? ", ..." : "");
}

}  // namespace fusebox
