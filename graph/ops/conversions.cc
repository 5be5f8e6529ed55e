// SPDX-License-Identifier: Apache-2.0
// Values in another dtype, and values passed on as they are.
#include "fusebox/graph/ops/elementwise.h"

namespace fusebox {
namespace {

using namespace elementwise;

TypeOr Converted(const InferContext& c) {
  const int64_t dtype = c.attributes.Int("dtype");
  if (dtype < FB_F32 || dtype > FB_BOOL) return Refuse("no dtype has the number {}", dtype);
  return Type{DType(dtype), c.inputs[0].shape};
}

template <class From, class To>
Literal CastFromTo(const EvaluateContext& c) {
  Literal out(c.dtype(), c.shape);
  const auto x = c.in(0).values<From>();
  const auto y = out.mutable_values<To>();
  for (size_t i = 0; i < y.size(); ++i) y[i] = CastTo<To, From>(x[i]);
  return out;
}
template <class From>
Literal CastFrom(const EvaluateContext& c) {
  return WithDType(c.dtype(), [&](auto to) { return CastFromTo<From, decltype(to)>(c); });
}
LiteralOr CastOf(const EvaluateContext& c) {
  return WithDType(c.in(0).dtype(), [&](auto from) { return CastFrom<decltype(from)>(c); });
}

LiteralOr Itself(const EvaluateContext& c) { return c.in(0); }

constexpr OpInfo kOps[] = {
    {.op = Op::kCast,
     .name = "cast",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .attributes = {{"dtype", FB_INT}},
     .infer = Converted,
     .vjp = [](const VjpContext& c) -> Values {
       const bool both = IsFloat(DType(c.inputs[0].dtype())) && IsFloat(DType(c.output.dtype()));
       return {both ? Cast(c.dy, c.inputs[0].dtype()) : Value{}};
     },
     .evaluate = CastOf,
     .meaning = "x in another dtype. Floats to integers round towards zero and saturate, NaN becomes 0; integers wrap; "
                "to bool is x != 0. No gradient passes through integers."},
    {.op = Op::kStopGradient,
     .name = "stop_gradient",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Anything,
     .evaluate = Itself,
     .accuracy = Accuracy::kExact,
     .meaning = "x itself, and no gradient passes.",
     .examples = "3 -> 3"},
    {.op = Op::kCopy,
     .name = "copy",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Anything,
     .vjp = [](const VjpContext& c) -> Values { return {c.dy}; },
     .evaluate = Itself,
     .accuracy = Accuracy::kExact,
     .meaning = "x itself, in memory of its own. The compiler writes it where a kernel needs that.",
     .examples = "3 -> 3"},
};

}  // namespace

std::span<const OpInfo> ConversionOps() { return kOps; }

}  // namespace fusebox
