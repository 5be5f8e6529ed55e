// SPDX-License-Identifier: Apache-2.0
// What decides on a compiled program. Callers that keep executables by it compile equal programs once.
#pragma once
#include <optional>
#include <string>

#include "fusebox/compiler/compiler.h"

namespace fusebox {

// A text that holds all that Compile takes into account. Compile gives interchangeable executables for equal keys: the
// same results bit for bit, the same ports, the same report but for times. A key is valid within this process only.
//
//   in the key      nodes with their attributes, types, scopes and regions; updates; outputs; the options; the CPU
//   not in the key  first values of states (the attribute `initializer`): they are the caller's arrays, so another
//                   learning rate is the same program; facts about the whole (Graph::metadata); lines of the source
//
// Tuned schedules (schedule/tuned_schedules.h) are not in it either: they change the speed alone. A shared executable
// keeps those that were there when it was compiled.
//
// None where an executable is one caller's own: with `dump`, `profile` or `schedule`, without `cache` or `link`. None
// for a target that does not run here: Compile returns the error.
std::optional<std::string> ProgramKey(const Graph& program, const CompileOptions& options);

}  // namespace fusebox
