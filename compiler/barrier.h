// SPDX-License-Identifier: Apache-2.0
// Where the threads of a run wait for each other between phases.
#pragma once
#include "fusebox/compiler/compiler.h"

namespace fusebox {

// Returns when all context->threads threads have called it. Waiting threads spin for some microseconds, then give way to
// whoever wants the core, so that a thread that is not running is not waited for with its core taken. Compiled code
// calls it as fusebox_barrier.
void WaitForAll(RunContext* context);

}  // namespace fusebox
