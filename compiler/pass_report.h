// SPDX-License-Identifier: Apache-2.0
// What each stage of a compilation tells while it runs: how long it took, and its result as text.
#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fusebox/graph/graph.h"

namespace fusebox {

struct PassReport {
  std::string name;
  double milliseconds = 0;
  NodeId nodes_before = 0, nodes_after = 0;  // 0 for stages that no longer see the graph.
};

// Called after each stage with its name and its result as text (the stage "object": the bytes of the object file).
using DumpCallback = std::function<void(std::string_view stage, const std::string& text)>;

inline double MillisecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

// Runs a stage and adds its entry to the reports.
template <class Stage>
auto Timed(std::vector<PassReport>& reports, std::string name, NodeId nodes, Stage stage) {
  const auto start = std::chrono::steady_clock::now();
  auto result = stage();
  reports.push_back({std::move(name), MillisecondsSince(start), nodes, nodes});
  return result;
}

}  // namespace fusebox
