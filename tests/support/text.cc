// SPDX-License-Identifier: Apache-2.0
#include "tests/support/text.h"

#include <algorithm>
#include <vector>

#include "fusebox/graph/text.h"
#include "gtest/gtest.h"

namespace fusebox::testing {

std::string Dedent(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const auto blank = [](std::string_view line) { return line.find_first_not_of(' ') == std::string_view::npos; };
  if (!lines.empty() && blank(lines.front())) lines.erase(lines.begin());
  if (!lines.empty() && blank(lines.back())) lines.pop_back();
  size_t indent = std::string_view::npos;
  for (const std::string_view line : lines) indent = std::min(indent, line.find_first_not_of(' '));
  std::string out;
  for (const std::string_view line : lines) {
    out += blank(line) ? "" : line.substr(indent);
    out += '\n';
  }
  return out;
}

Graph ParseGraph(std::string_view text) {
  absl::StatusOr<Graph> graph = Parse(text);
  if (graph.ok()) return *std::move(graph);
  ADD_FAILURE() << graph.status().message() << "\nin\n" << text;
  return Graph();
}

std::string Canonical(std::string_view text) { return Print(ParseGraph(text)); }

}  // namespace fusebox::testing
