// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/fuse/precedence.h"

#include <algorithm>
#include <unordered_set>

namespace fusebox {

size_t Precedence::Add() {
  needs_.emplace_back();
  needed_by_.emplace_back();
  level_.push_back(0);
  return needs_.size() - 1;
}

void Precedence::Need(size_t kernel, size_t earlier) {
  if (!needs_[kernel].insert(earlier).second) return;
  needed_by_[earlier].insert(kernel);
  Lift(kernel);
}

void Precedence::SetNeeds(size_t kernel, std::set<size_t> earlier) {
  for (const size_t source : needs_[kernel]) needed_by_[source].erase(kernel);
  needs_[kernel] = std::move(earlier);
  for (const size_t source : needs_[kernel]) needed_by_[source].insert(kernel);
  Lift(kernel);
}

bool Precedence::Needs(size_t kernel, size_t other) const {
  if (kernel == other) return true;
  std::vector<size_t> open = {kernel};
  std::unordered_set<size_t> seen;
  while (!open.empty()) {
    const size_t k = open.back();
    open.pop_back();
    if (level_[k] <= level_[other]) continue;
    for (const size_t next : needs_[k]) {
      if (next == other) return true;
      if (seen.insert(next).second) open.push_back(next);
    }
  }
  return false;
}

// Lifts this kernel, and then its users, above the kernels that they need.
void Precedence::Lift(size_t lowest) {
  std::vector<size_t> open = {lowest};
  while (!open.empty()) {
    const size_t k = open.back();
    open.pop_back();
    size_t level = 0;
    for (const size_t source : needs_[k]) level = std::max(level, level_[source] + 1);
    // A level higher than the number of kernels: they need each other in a circle.
    if (level <= level_[k] || level > size()) continue;
    level_[k] = level;
    open.insert(open.end(), needed_by_[k].begin(), needed_by_[k].end());
  }
}

bool Precedence::HasCircle() const {
  for (size_t k = 0; k < size(); ++k) {
    if (std::ranges::any_of(needs_[k], [&](size_t source) { return level_[source] >= level_[k]; })) return true;
  }
  return false;
}

}  // namespace fusebox
