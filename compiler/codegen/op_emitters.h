// SPDX-License-Identifier: Apache-2.0
// One machine-code entry for each pointwise op: lanes in, lanes out.
#pragma once
#include <span>

#include "fusebox/compiler/codegen/ir.h"
#include "fusebox/graph/graph.h"

namespace fusebox::codegen {

struct OpContext {
  Ir& ir;
  const Node& node;
  DType in, out;              // Of the first input, and of the node.
  std::span<Value* const> x;  // One value an input: scalars, or vectors of the same lanes.
};
using OpEmitter = Value* (*)(const OpContext&);

// nullptr for an op that is not elementwise.
OpEmitter EmitterOf(Op op);

// Folding for reductions, in the ops' meaning: NaN propagates.
Value* Maximum(Ir& ir, DType dtype, Value* a, Value* b);
Value* Sum(Ir& ir, DType dtype, Value* a, Value* b);
// For argmax: x is greater than y, or NaN where y is none.
Value* Beats(Ir& ir, DType dtype, Value* x, Value* y);
Value* MaximumIdentity(Ir& ir, DType dtype, llvm::Type* type);

// Uniform numbers in [0, 1) for the indices (i64 lanes) in a stream (i64): see Op::kRandomUniform.
Value* RandomUniform(Ir& ir, DType dtype, Value* seed, Value* step, Value* stream, Value* index);

}  // namespace fusebox::codegen
