// SPDX-License-Identifier: Apache-2.0
// The entry: the one exported function of a program, which runs steps on all threads until there are no more rows or
// the run is told to stop.
#pragma once
#include <functional>
#include <string>

#include "fusebox/compiler/codegen/ir.h"

namespace fusebox::codegen {

// What the entry calls, each emitted where the builder stands. Null: there is nothing of the kind.
struct EntryParts {
  std::function<void(Value* run, Value* thread, Value* threads)> begin;  // At the function's start.
  std::function<void()> pack = {};                                       // States into panels, before the first step.
  std::function<void(Value* first_row, Value* rows)> step;
  std::function<void(Value* first_row, Value* rows)> copy = {};  // On thread 0, after a step and a barrier.
  std::function<void()> unpack = {};                             // Changed states out of panels, after the last step.
  std::function<void()> barrier;
};

// Emits void(RunContext*, i64 thread).
void EmitEntry(Ir& ir, const std::string& name, const EntryParts& parts);

}  // namespace fusebox::codegen
