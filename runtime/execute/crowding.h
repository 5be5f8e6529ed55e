// SPDX-License-Identifier: Apache-2.0
// How many threads a program runs on while other processes want the same cores. Threads that wait for one whose core was
// taken away do nothing meanwhile, so then one thread fewer is faster: the others' cores stay theirs. Now and then all are
// tried again, the more rarely the longer it goes on like this.
//
// Results do not depend on it, as they do not depend on the number of threads.
#pragma once
#include <cstdint>

namespace fusebox {

class Crowding {
 public:
  struct Span {
    int64_t threads, steps;
    bool operator==(const Span&) const = default;
  };

  // What to run next, of at most so many threads and steps.
  Span Next(int64_t threads, int64_t steps) const;
  // What became of it: how many steps were done, in what time, and whether they ended because a thread was late.
  void Ran(int64_t steps, double seconds, bool late);

 private:
  int64_t fewer_ = 0;        // So many threads are left out
  double left_ = 0;          // for so many seconds more,
  double patience_ = 0;      // which were so many when that began.
  double calm_ = 0;          // Seconds since all threads run again and none was late.
  double step_seconds_ = 0;  // What a step takes.
};

}  // namespace fusebox
