// SPDX-License-Identifier: Apache-2.0
// The matrix product, of rank 2; MatMul in ops.h makes rows of leading axes.
#include "fusebox/graph/ops/family.h"

namespace fusebox {
namespace {

TypeOr Product(const InferContext& c) {
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

evaluate::LiteralOr ProductOf(const EvaluateContext& c) {
  const bool ta = c.node.attributes.Flag("transpose_a"), tb = c.node.attributes.Flag("transpose_b");
  const std::vector<double> a = c.in(0).ToDoubles(), b = c.in(1).ToDoubles();
  const size_t n = size_t(c.shape[0]), m = size_t(c.shape[1]), k = size_t(c.in(0).shape()[ta ? 0 : 1]);
  std::vector<double> y(n * m);
  for (size_t i = 0; i < n; ++i) {
    for (size_t l = 0; l < k; ++l) {
      const double x = a[ta ? l * n + i : i * k + l];
      for (size_t j = 0; j < m; ++j) y[i * m + j] += x * b[tb ? j * k + l : l * m + j];
    }
  }
  return Literal::FromDoubles(c.dtype(), c.shape, y);
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
     .evaluate = ProductOf,
     .access = Access::kLoopNest,
     .accuracy = Accuracy::kAnyOrder,
     .meaning = "y[i, j] = sum over k of a[i, k] b[k, j], a or b read transposed if so asked; 0 where there is no k."},
};

}  // namespace

std::span<const OpInfo> MatMulOps() { return kOps; }

}  // namespace fusebox
