// SPDX-License-Identifier: Apache-2.0
// What the code of kernels depends on, as text, before any of it is emitted.
//
// Kernels with the same text get one function: those of equal layers differ only in numbers, where their arrays lie and
// which stream their random numbers are of. The numbers are not in the text; a function takes them as constants where all
// its kernels agree, else from a table that is its last argument.
//
//     matmul [N,300] outer 0 run 0
//     0 matmul f32[N,300] {} #0 f32[N,784] port input batched; #1 f32[784,300] arena in panels;
//     1 add f32[N,300] {} 0; #2 f32[300] port state;
//     stored 1 #3 f32[N,300] arena padded
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "fusebox/compiler/fuse/kernel.h"
#include "fusebox/compiler/plan/plan.h"

namespace fusebox::codegen {

// A number of a kernel that equal kernels may have another of, by a node: where the node's value lies (a port's index or
// an offset into the arena), which port is its data set, where a product's partial sums lie, its stream.
enum class NumberKind : uint8_t { kStorage, kPort, kPartialSums, kStream };
using NumberKey = std::pair<NumberKind, NodeId>;

struct Fingerprint {
  std::string text;
  std::vector<int64_t> numbers;       // In the order in which the text first speaks of them,
  std::map<NumberKey, size_t> index;  // and which is whose.
};

Fingerprint FingerprintOf(const FusedProgram& program, const Plan& plan, const Kernel& kernel);
// Of the function that packs a state into panels, or unpacks it.
Fingerprint FingerprintOf(const FusedProgram& program, const Plan& plan, const Plan::Packed& packed, bool pack);

}  // namespace fusebox::codegen
