// SPDX-License-Identifier: Apache-2.0
// How many threads a run uses. Decided in this order, each step may only take some away:
//
//   ThreadsFor       what the caller asked for, else FUSEBOX_NUM_THREADS, else the cores that this process may use
//                    (usable_cores.h)
//   UsefulThreads    if nothing was asked for: what the program is worth
//   Crowding         in a run: fewer while other processes want the same cores
//
// Results do not depend on the number of threads. The threads themselves are in thread_pool.h.
#pragma once
#include <cstdint>

#include "absl/status/statusor.h"

namespace fusebox {

struct CompileReport;

// How many threads a model uses unless told: FUSEBOX_NUM_THREADS if it is set, else the cores that this process may
// use, by its affinity and its control group. Error: FUSEBOX_NUM_THREADS is no number from 1 to 1024.
absl::StatusOr<int64_t> DefaultThreads();
// The threads to use if `asked` were asked for; 0 means the default. Error: below 0 or above 1024.
absl::StatusOr<int64_t> ThreadsFor(int64_t asked);

// How many threads a program is worth: between two barriers each of them should have enough to do. 1 or more; beyond
// these, threads would spend more time at barriers than they save.
int64_t UsefulThreads(const CompileReport& report);

// Threads that wait for one whose core was taken away do nothing meanwhile, so while other processes want the same
// cores one thread fewer is faster: the others' cores stay theirs. Now and then all are tried again, the more rarely
// the longer it goes on like this.
class Crowding {
 public:
  struct Span {
    int64_t threads, steps;
    bool operator==(const Span&) const = default;
  };

  // The threads and steps of the next span, at most these.
  Span Next(int64_t threads, int64_t steps) const;
  // Reports a span: the steps that were done, their time, and whether they ended early because a thread was late.
  void Ran(int64_t steps, double seconds, bool late);

 private:
  int64_t fewer_ = 0;        // The number of threads left out.
  double left_ = 0;          // The seconds for which they still are.
  double patience_ = 0;      // These seconds, when that began.
  double calm_ = 0;          // Seconds since all threads run again and none was late.
  double step_seconds_ = 0;  // What a step takes.
};

}  // namespace fusebox
