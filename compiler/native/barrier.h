// SPDX-License-Identifier: Apache-2.0
// The barrier, at which the threads of a run wait for each other between phases.
#pragma once
#include "fusebox/compiler/run_context.h"

namespace fusebox {

// Returns when all context->threads threads have called it. Waiting threads spin for some microseconds and then sleep,
// so that a thread that is not running can have their core. If they sleep because another process has taken the core of
// the last thread, sets RunContext::late. Compiled code calls it as fusebox_barrier.
void WaitForAll(RunContext* context);

}  // namespace fusebox
