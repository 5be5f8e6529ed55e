// SPDX-License-Identifier: Apache-2.0
// Where the threads of a run wait for each other between phases.
#pragma once
#include "fusebox/compiler/compiler.h"

namespace fusebox {

// Returns when all context->threads threads have called it. Waiting threads spin for some microseconds, then sleep, so
// that a thread that is not running can have their core. If that happens because another process has taken the core of the
// thread waited for, RunContext::late says so. Compiled code calls it as fusebox_barrier.
void WaitForAll(RunContext* context);

}  // namespace fusebox
