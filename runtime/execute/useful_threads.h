// SPDX-License-Identifier: Apache-2.0
// How many threads a program is worth: between two barriers each of them should have enough to do.
#pragma once
#include <cstdint>

#include "fusebox/compiler/compiler.h"

namespace fusebox {

// 1 or more. Beyond these, threads would spend more time at barriers than they save.
int64_t UsefulThreads(const CompileReport& report);

}  // namespace fusebox
