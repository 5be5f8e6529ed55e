// SPDX-License-Identifier: Apache-2.0
// What of a kernel's work is whose. A kernel is cut into units by its data alone, never by the number of threads; which
// units are a thread's depends on that number.
#pragma once
#include "fusebox/compiler/codegen/ir.h"

namespace fusebox::codegen {

// A kernel's units: how many, as a value that depends on the rows of the step; and how much work one is, that of the last
// `light` ones being less than the others'. From the first on, so many at a time are a group, which reads and writes the
// same: they should be one thread's. Light ones, if there are any, are the last group.
struct WorkUnits {
  Value* count;
  int64_t light = 0;
  int64_t work = 1, light_work = 1;
  int64_t group = 1;
};

// How many of the units come before those of thread `thread` of so many, if each has as much work; all of them where
// `thread` is `threads`. Threads get whole groups if none has a sixteenth more to do than its share then.
Value* UnitsBefore(Ir& ir, const WorkUnits& units, Value* thread, Value* threads);

}  // namespace fusebox::codegen
