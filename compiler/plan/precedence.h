// SPDX-License-Identifier: Apache-2.0
// Which of some kernels have to come after which: a graph that grows edge by edge, and tells quickly whether an edge more
// would close a circle.
//
// Each kernel has a level above those of all that it needs, so from one only a kernel below it can be reached, and of a
// deep graph only the part in between is walked: mostly nothing.
#pragma once
#include <cstddef>
#include <set>
#include <vector>

namespace fusebox {

class Precedence {
 public:
  // A kernel that needs nothing yet; they are numbered from 0 on.
  size_t Add();
  size_t size() const { return needs_.size(); }

  void Need(size_t kernel, size_t earlier);
  // Instead of what it needed before. Levels never fall.
  void SetNeeds(size_t kernel, std::set<size_t> earlier);
  const std::set<size_t>& needs(size_t kernel) const { return needs_[kernel]; }

  // Whether it needs the other one, over any number of others; a kernel needs itself.
  bool Needs(size_t kernel, size_t other) const;

  // The length of the longest chain of needs below the kernel, if only Need was called. Meaningless in a circle.
  size_t level(size_t kernel) const { return level_[kernel]; }
  // Whether some kernels need each other, so that none can be the first.
  bool HasCircle() const;

 private:
  void Lift(size_t lowest);

  std::vector<std::set<size_t>> needs_, needed_by_;
  std::vector<size_t> level_;
};

}  // namespace fusebox
