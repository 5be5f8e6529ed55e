// SPDX-License-Identifier: Apache-2.0
// Compares the op table with the table of code emitters: both must have the same ops.
#include "fusebox/graph/op.h"
#include "gtest/gtest.h"

// Declared in compiler/codegen/op_emitters.h, which includes LLVM's headers: tests do not see those.
namespace llvm {
class Value;
}
namespace fusebox::codegen {
struct OpContext;
using OpEmitter = llvm::Value* (*)(const OpContext&);
OpEmitter EmitterOf(Op op);
}  // namespace fusebox::codegen

namespace fusebox {
namespace {

TEST(CodegenTables, EveryElementwiseOpHasAnEmitter) {
  int count = 0;
  for (const OpInfo& info : AllOps()) {
    if (info.kind != OpKind::kElementwise) continue;
    ++count;
    EXPECT_NE(codegen::EmitterOf(info.op), nullptr) << info.name;
  }
  EXPECT_GT(count, 20);
}

// An emitter gets the value of each input at one point, so it can serve no other kind (a broadcast is a plain copy once
// its operand is loaded).
TEST(CodegenTables, NoOtherOpHasOne) {
  EXPECT_EQ(codegen::EmitterOf(Op::kError), nullptr);
  for (const OpInfo& info : AllOps()) {
    if (info.kind == OpKind::kElementwise || info.op == Op::kBroadcast) continue;
    EXPECT_EQ(codegen::EmitterOf(info.op), nullptr) << info.name;
  }
}

}  // namespace
}  // namespace fusebox
