// SPDX-License-Identifier: Apache-2.0
// The whole program as one LLVM module: a function a kernel, and the entry that runs steps.
#pragma once
#include <string>
#include <vector>

#include "fusebox/compiler/codegen/ir.h"
#include "fusebox/compiler/compiler.h"
#include "fusebox/compiler/fuse/kernel.h"
#include "fusebox/compiler/plan/plan.h"

namespace fusebox::codegen {

// Fills the module; `entry` names its one exported function, void(RunContext*, i64 thread). The entry calls
// fusebox_barrier(RunContext*) between phases where more than one thread runs; with `profile`, also fusebox_clock() and
// fusebox_record(RunContext*, thread, kernel, begin) around each kernel.
void EmitProgram(llvm::Module& module, const std::string& entry, const FusedProgram& program, const Plan& plan,
                 int64_t row_capacity, const Target& target, bool profile);

// What the module depends on, as text: this build of the compiler emits equal modules for equal texts.
std::string ProgramText(const FusedProgram& program, const Plan& plan, int64_t row_capacity, const Target& target,
                        bool profile);

// What each kernel is, for reports.
std::vector<KernelReport> DescribeKernels(const FusedProgram& program, const Plan& plan, int64_t row_capacity,
                                          const Target& target);

}  // namespace fusebox::codegen
