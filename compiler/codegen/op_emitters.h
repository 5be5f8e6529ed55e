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

// How a reduction folds: lanes of `identity`, then combine(so far, next). One that gives an index folds its values by
// Beats, from the same identity.
struct Folding {
  Value* (*identity)(Ir& ir, DType dtype, llvm::Type* type);
  Value* (*combine)(Ir& ir, DType dtype, Value* a, Value* b);
};
const Folding& FoldingOf(Op reduction);

// The sum and the greater one, in the ops' meaning: NaN propagates.
Value* Maximum(Ir& ir, DType dtype, Value* a, Value* b);
Value* Sum(Ir& ir, DType dtype, Value* a, Value* b);
// For argmax: x is greater than y, or is NaN and y is not.
Value* Beats(Ir& ir, DType dtype, Value* x, Value* y);

// Uniform numbers in [0, 1) for the indices (i64 lanes) in a stream (i64): see Op::kRandomUniform.
Value* RandomUniform(Ir& ir, DType dtype, Value* seed, Value* step, Value* stream, Value* index);

}  // namespace fusebox::codegen
