// SPDX-License-Identifier: Apache-2.0
// The names of compiled functions ("kernel3_dense_matmul_add_max"), for tools that look at the process from outside. Off
// unless asked for, as both take memory and time for each program that is linked:
//
//   FUSEBOX_PERF_MAP=1   appends "address size name", in hexadecimal, for each function to /tmp/perf-PID.map, where perf
//                        looks for it
//   FUSEBOX_GDB=1        registers each object through GDB's JIT interface: GDB and LLDB then show the names
//
// Seen by the JIT alone.
#pragma once
#include "llvm/ExecutionEngine/Orc/LLJIT.h"

namespace fusebox {

// Does what the environment asks for, with all that this JIT links from now on. Error: the linker that LLVM
// uses on this platform cannot tell.
llvm::Error ShowSymbols(llvm::orc::LLJIT& jit);

}  // namespace fusebox
