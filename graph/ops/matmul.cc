// SPDX-License-Identifier: Apache-2.0
// The matrix product, of rank 2; MatMul in ops.h makes rows of leading axes.
#include "fusebox/graph/ops.h"
#include "fusebox/graph/ops/shape_rules.h"

namespace fusebox {
namespace {

absl::StatusOr<Type> Product(const InferContext& c) {
  const Type &a = c.inputs[0], &b = c.inputs[1];
  if (a.rank() != 2 || b.rank() != 2 || a.dtype != b.dtype || !IsFloat(a.dtype)) {
    return Refuse("expects two matrices of one float dtype, got {} and {}", ToString(a), ToString(b));
  }
  const bool ta = c.attributes.Flag("transpose_a"), tb = c.attributes.Flag("transpose_b");
  if (a.shape[ta ? 0 : 1] != b.shape[tb ? 1 : 0]) {
    return Refuse("the inner dimensions of {}{} and {}{} differ", ToString(a), ta ? " transposed" : "", ToString(b),
                  tb ? " transposed" : "");
  }
  return Type{a.dtype, {a.shape[ta ? 1 : 0], b.shape[tb ? 0 : 1]}};
}

Value Multiply(Value a, bool transpose_a, Value b, bool transpose_b) {
  return Emit("matmul", {a, b}, {{"transpose_a", transpose_a}, {"transpose_b", transpose_b}});
}

constexpr OpInfo kOps[] = {
    {.op = Op::kMatMul,
     .name = "matmul",
     .kind = OpKind::kMatMul,
     .arity = 2,
     .attributes = {{"transpose_a", FB_FLAG, false}, {"transpose_b", FB_FLAG, false}},
     .infer = Product,
     // With Y = op(A) op(B): dA = dY op(B)^T and dB = op(A)^T dY, themselves transposed where A or B was.
     .vjp = [](const VjpContext& c) -> Values {
       const bool ta = c.node.attributes.Flag("transpose_a"), tb = c.node.attributes.Flag("transpose_b");
       const Value a = c.inputs[0], b = c.inputs[1];
       const Value da = ta ? Multiply(b, tb, c.dy, true) : Multiply(c.dy, false, b, !tb);
       const Value db = tb ? Multiply(c.dy, true, a, ta) : Multiply(a, !ta, c.dy, false);
       return {da, db};
     },
     .meaning = "y[i, j] = sum over k of a[i, k] b[k, j], a or b read transposed if so asked; 0 where there is no k."},
};

}  // namespace

std::span<const OpInfo> MatMulOps() { return kOps; }

}  // namespace fusebox
