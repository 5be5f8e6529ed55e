// SPDX-License-Identifier: Apache-2.0
// The order that kernels have to keep: a graph that grows edge by edge, and tells quickly whether one more edge would
// close a circle.
//
// Each kernel has a level above those of all kernels that it needs. So only kernels below it can be reached from it,
// and a search walks only the levels in between, which is mostly nothing.
#pragma once
#include <cstddef>
#include <set>
#include <vector>

namespace fusebox {

class Precedence {
 public:
  // Adds a kernel that needs nothing yet. Kernels are numbered from 0 on.
  size_t Add();
  size_t size() const { return needs_.size(); }

  void Need(size_t kernel, size_t earlier);
  // Replaces what the kernel needs. Levels never fall.
  void SetNeeds(size_t kernel, std::set<size_t> earlier);
  const std::set<size_t>& needs(size_t kernel) const { return needs_[kernel]; }

  // Whether the kernel needs the other one, directly or through others. A kernel needs itself.
  bool Needs(size_t kernel, size_t other) const;

  // The length of the longest chain of needs below the kernel, if SetNeeds was not used. Meaningless in a circle.
  size_t level(size_t kernel) const { return level_[kernel]; }
  // Whether some kernels need each other, so that none of them can come first.
  bool HasCircle() const;

 private:
  void Lift(size_t lowest);

  std::vector<std::set<size_t>> needs_, needed_by_;
  std::vector<size_t> level_;
};

}  // namespace fusebox
