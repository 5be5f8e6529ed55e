// SPDX-License-Identifier: Apache-2.0
// codegen/cpu/ emits a program for threads that share memory: a loop nest for each kernel (kernels.h, one source a
// kind), cut into units of work (work_units.h); branches and loops (control.h); and the entry, which runs steps and has
// threads wait for each other between phases (entry.h). Equal kernels share a function (fingerprint.h,
// shared_functions.h). The room sees codegen/, plan/, schedule/, fuse/, report.h and the words beside compiler.h.
//
// This unit puts them together: the whole program as one LLVM module.
#pragma once
#include <string>

#include "fusebox/compiler/codegen/ir.h"
#include "fusebox/compiler/fuse/kernel.h"
#include "fusebox/compiler/plan/plan.h"
#include "fusebox/compiler/target.h"

namespace fusebox::codegen {

// Fills the module. `entry` names its one exported function, void(RunContext*, i64 thread). If several threads run, it
// calls fusebox_barrier(RunContext*) between phases; with `profile`, it also calls fusebox_clock() and
// fusebox_record(RunContext*, thread, kernel, begin) around each kernel.
void EmitProgram(llvm::Module& module, const std::string& entry, const FusedProgram& program, const Plan& plan,
                 int64_t row_capacity, const Target& target, bool profile);

}  // namespace fusebox::codegen
