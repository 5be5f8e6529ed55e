// SPDX-License-Identifier: Apache-2.0
// Operators and functions on values. A primitive is one Emit; its entry in graph/ops/ says what it means. Functions
// over primitives follow below the line. Elementwise operands broadcast as in NumPy. Only Cast converts dtypes.
// Public header without a library: includes value.h alone; every room and every plugin may include it.
#pragma once
#include "fusebox/graph/value.h"

namespace fusebox {

// Arithmetic, element by element. Max and Min: NaN if either operand is.
inline Value operator+(At a, At b) { return Emit("add", {a, b}); }
inline Value operator-(At a, At b) { return Emit("subtract", {a, b}); }
inline Value operator*(At a, At b) { return Emit("multiply", {a, b}); }
inline Value operator/(At a, At b) { return Emit("divide", {a, b}); }
inline Value operator-(At x) { return Emit("negate", {x}); }
inline Value Max(At a, At b) { return Emit("max", {a, b}); }
inline Value Min(At a, At b) { return Emit("min", {a, b}); }

// Comparisons and logic give bool.
inline Value Equal(At a, At b) { return Emit("equal", {a, b}); }
inline Value Less(At a, At b) { return Emit("less", {a, b}); }
inline Value LessEqual(At a, At b) { return Emit("less_equal", {a, b}); }
inline Value Greater(At a, At b) { return Less(b, a); }
inline Value And(At a, At b) { return Emit("and", {a, b}); }
inline Value Or(At a, At b) { return Emit("or", {a, b}); }
inline Value Not(At x) { return Emit("not", {x}); }
// condition ? a : b, elementwise; a number takes the dtype of the other one.
inline Value Select(At condition, At a, At b) {
  const auto number_as = [](const At& n, const At& other) -> At {
    if (!n.is_number || other.is_number) return n;
    const Value v = other.value;
    return {Value{v.api, v.builder, v.ok() ? v.api->constant(v.builder, n.number, v.dtype()) : 0}, n.where};
  };
  return Emit("select", {condition, number_as(a, b), number_as(b, a)});
}

// Functions of each element.
inline Value Abs(At x) { return Emit("abs", {x}); }
inline Value Sign(At x) { return Emit("sign", {x}); }
inline Value Exp(At x) { return Emit("exp", {x}); }
inline Value Log(At x) { return Emit("log", {x}); }
inline Value Sqrt(At x) { return Emit("sqrt", {x}); }
inline Value Tanh(At x) { return Emit("tanh", {x}); }
inline Value Sigmoid(At x) { return Emit("sigmoid", {x}); }
inline Value Floor(At x) { return Emit("floor", {x}); }
inline Value Erf(At x) { return Emit("erf", {x}); }
inline Value ErfInv(At x) { return Emit("erfinv", {x}); }
inline Value Expm1(At x) { return Emit("expm1", {x}); }
inline Value Softplus(At x) { return Emit("softplus", {x}); }
// x itself, through which no gradient flows.
inline Value StopGradient(At x) { return Emit("stop_gradient", {x}); }
// The elements as numbers of another dtype, FB_F32, ...: towards zero from a float to an integer; bool is != 0.
inline Value Cast(At x, uint32_t dtype) { return Emit("cast", {x}, {{"dtype", int64_t(dtype)}}); }

// Reductions over the axes given (-1 is the last). With keepdims a reduced axis stays, with size 1.
inline Value Sum(At x, Dims axes, bool keepdims = false) {
  return Emit("sum", {x}, {{"axes", std::move(axes)}, {"keepdims", keepdims}});
}
inline Value ReduceMax(At x, Dims axes, bool keepdims = false) {
  return Emit("reduce_max", {x}, {{"axes", std::move(axes)}, {"keepdims", keepdims}});
}
inline Value ArgMax(At x, int64_t axis) { return Emit("argmax", {x}, {{"axis", axis}}); }
// How many elements lie along the axes together, in the dtype of x. Known only at run time if one of the axes is N.
inline Value Extent(At x, Dims axes) { return Emit("extent", {x}, {{"axes", std::move(axes)}}); }

// The same elements under another shape of equal size; to a larger shape as in NumPy; the axes in another order.
inline Value Reshape(At x, Dims dims) { return Emit("reshape", {x}, {{"dims", std::move(dims)}}); }
inline Value Broadcast(At x, Dims dims) { return Emit("broadcast", {x}, {{"dims", std::move(dims)}}); }
inline Value Transpose(At x, Dims permutation) {
  return Emit("transpose", {x}, {{"permutation", std::move(permutation)}});
}
// The elements [begin, end) of an axis; with zeros before and after them.
inline Value Slice(At x, int64_t axis, int64_t begin, int64_t end) {
  return Emit("slice", {x}, {{"axis", axis}, {"begin", begin}, {"end", end}});
}
inline Value Pad(At x, int64_t axis, int64_t before, int64_t after) {  // With zeros.
  return Emit("pad", {x}, {{"axis", axis}, {"before", before}, {"after", after}});
}
// One after another along an axis.
inline Value Concatenate(At a, At b, int64_t axis) { return Emit("concatenate", {a, b}, {{"axis", axis}}); }
inline Value Concatenate(const Values& parts, int64_t axis) {
  return Emit("concatenate", std::vector<At>(parts.begin(), parts.end()), {{"axis", axis}});
}
// Rows of the table by number; zeros for a number that the table does not have.
inline Value Gather(At table, At indices) { return Emit("gather", {table, indices}); }
// `rows` rows: row i is the sum of the updates whose index is i. Drops updates whose index is out of range.
inline Value ScatterAdd(At indices, At updates, int64_t rows) {
  return Emit("scatter_add", {indices, updates}, {{"rows", rows}});
}
// The index along an axis, for a value of the shape of x: i32.
inline Value Iota(At x, int64_t axis) { return Emit("iota", {x}, {{"axis", axis}}); }

// d loss / d x, for a scalar loss. The compiler first replaces it by the symbols that compute it.
inline Value Gradient(At loss, At x) { return Emit("gradient", {loss, x}); }

// ---------------------------------------------------------------------------------------------------------------------

// [..., n, k] x [k, m] -> [..., n, m]. The primitive has rank 2; leading axes of a are rows to it.
inline Value MatMul(At a, At b, std::source_location where = std::source_location::current()) {
  if (!a.value.ok() || !b.value.ok()) return a.value.ok() ? b.value : a.value;
  const Dims da = a.value.dims(), db = b.value.dims();
  if (da.size() < 2 || db.size() != 2) {
    return a.value.Error(
        "matmul: expects [..., n, k] and [k, m], got " + ToString(a.value.type()) + " and " + ToString(b.value.type()),
        where);
  }
  if (da.size() == 2) return Emit("matmul", {a, b});
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < da.size(); ++i) rows *= da[i];
  Dims out = da;
  out.back() = db[1];
  return Reshape(Emit("matmul", {Reshape({a.value, where}, {rows, da.back()}), b}), out);
}

// x^2; max(x, 0).
inline Value Square(At x) { return x * x; }
inline Value Relu(At x) { return Max(x, 0); }
// a / b, and 0 where b is 0. There the gradient is 0, too: a division that Select hides would still pass 0 * infinity on.
inline Value DivideNoNan(At a, At b) {
  if (!b.value.ok()) return b.value;
  const Value none = Equal(b.value, 0);
  return Select(none, 0, Emit("divide", {a, Select(none, 1, b.value)}));
}
// The mean over axes.
inline Value Mean(At x, Dims axes, bool keepdims = false) {
  const Value total = Sum(x, axes, keepdims);
  return total / Extent(x, std::move(axes));
}
// log(sum(exp(x))) along axes, the last one if none are given; they stay with size 1. Finite for large x: subtracts the
// maximum first and adds it at the end. It cancels, so no gradient needs to flow through it.
inline Value LogSumExp(At x, Dims axes = {-1}) {
  const Value top = StopGradient(ReduceMax(x, axes, true));
  return Log(Sum(Exp(x.value - top), std::move(axes), true)) + top;
}
// exp(x) / sum(exp(x)) along axes, the last one if none are given.
inline Value Softmax(At x, Dims axes = {-1}) {
  const Value top = StopGradient(ReduceMax(x, axes, true));
  const Value e = Exp(x.value - top);
  return e / Sum(e, std::move(axes), true);
}
// labels i32[...] -> dtype[..., classes], 1 where the class is the label's.
inline Value OneHot(At labels, int64_t classes, uint32_t dtype = FB_F32) {
  if (!labels.value.ok()) return labels.value;
  Dims one = labels.value.dims();
  one.push_back(1);
  Dims all = one;
  all.back() = classes;
  const Value wide = Broadcast(Reshape(labels, one), all);
  return Cast(Equal(Iota(wide, -1), wide), dtype);
}

}  // namespace fusebox
