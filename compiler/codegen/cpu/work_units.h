// SPDX-License-Identifier: Apache-2.0
// Divides a kernel's work among threads. The data alone decide how a kernel is cut into units; the number of threads
// only decides which units each of them computes.
#pragma once
#include "fusebox/compiler/codegen/ir.h"

namespace fusebox::codegen {

struct WorkUnits {
  Value* count;                      // Depends on the rows of the step.
  int64_t light = 0;                 // The number of units, at the end, that are less work than the others.
  int64_t work = 1, light_work = 1;  // How much work a unit is.
  // The units in a group. Groups follow each other from the first unit on. The units of a group read and write the same
  // memory, so one thread should compute them. The light units, if there are any, are the last group.
  int64_t group = 1;
};

// How many units come before those of thread `thread` of `threads`, if all threads get equal work; all units if
// `thread` equals `threads`. Threads get whole groups if that gives none of them a sixteenth more than an equal part
// (kMostImbalance).
Value* UnitsBefore(Ir& ir, const WorkUnits& units, Value* thread, Value* threads);

}  // namespace fusebox::codegen
