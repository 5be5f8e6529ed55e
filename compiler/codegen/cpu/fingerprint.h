// SPDX-License-Identifier: Apache-2.0
// Everything that the code of a kernel depends on, as text, before any of it is emitted.
//
// Kernels with the same text get one function. Those of equal layers differ only in numbers (number.h): where their
// arrays lie, and which stream their random numbers come from. The text leaves these out. A function takes a number as
// a constant where all its kernels agree, and otherwise from a table, its last argument.
//
//     matmul [N,300] outer 0 run 0
//     0 matmul f32[N,300] {} #0 f32[N,784] port input batched; #1 f32[784,300] arena in panels;
//     1 add f32[N,300] {} 0; #2 f32[300] port state;
//     stored 1 #3 f32[N,300] arena padded
#pragma once
#include <map>
#include <string>
#include <vector>

#include "fusebox/compiler/codegen/number.h"
#include "fusebox/compiler/fuse/kernel.h"
#include "fusebox/compiler/plan/plan.h"
#include "fusebox/compiler/target.h"

namespace fusebox::codegen {

struct Fingerprint {
  std::string text;
  std::vector<int64_t> numbers;       // In the order in which the text first mentions them.
  std::map<NumberKey, size_t> index;  // Into `numbers`.
};

Fingerprint FingerprintOf(const FusedProgram& program, const Plan& plan, const Kernel& kernel);
// The fingerprint of the function that packs a state into panels, or unpacks it.
Fingerprint FingerprintOf(const FusedProgram& program, const Plan& plan, const Plan::Packed& packed, bool pack);

// What a program's module depends on (program.h), as text: this build of the compiler emits equal modules for equal
// texts.
std::string ProgramText(const FusedProgram& program, const Plan& plan, int64_t row_capacity, const Target& target,
                        bool profile);

}  // namespace fusebox::codegen
