// SPDX-License-Identifier: Apache-2.0
// Shows the names of compiled functions ("kernel3_dense_matmul_add_max") to tools that look at the process from
// outside. Off by default, as both ways take memory and time for each program that is linked:
//
//   FUSEBOX_PERF_MAP=1   appends "address size name", in hexadecimal, for each function to /tmp/perf-PID.map, where
//                        perf looks for it
//   FUSEBOX_GDB=1        registers each object through GDB's JIT interface, so that GDB and LLDB show the names
//
// For jit.cc alone.
#pragma once
#include "llvm/ExecutionEngine/Orc/LLJIT.h"

namespace fusebox {

// Reads the environment, and does what it asks for with everything that this JIT links from now on. Error: the linker
// that LLVM uses on this platform does not tell names.
llvm::Error ShowSymbols(llvm::orc::LLJIT& jit);

}  // namespace fusebox
