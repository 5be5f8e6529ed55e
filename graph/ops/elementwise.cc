// SPDX-License-Identifier: Apache-2.0
// The elementwise primitives, one entry each. Operands broadcast as in NumPy; element i of the output needs element i of
// each input and nothing else.
#include <array>
#include <cmath>
#include <numbers>

#include "fusebox/graph/ops.h"
#include "fusebox/graph/ops/shape_rules.h"

namespace fusebox {
namespace {

using TypeOr = absl::StatusOr<Type>;

TypeOr Broadcasted(const InferContext& c, DType dtype) {
  absl::StatusOr<Shape> shape = BroadcastShapes(c.inputs[0].shape, c.inputs[1].shape);
  if (!shape.ok()) return shape.status();
  return Type{dtype, *std::move(shape)};
}

absl::Status SameDTypes(const Type& a, const Type& b) {
  if (a.dtype == b.dtype) return absl::OkStatus();
  return Refuse("expects equal dtypes, got {} and {}", ToString(a), ToString(b));
}

// Two numbers of one dtype, and the number they make.
TypeOr Arithmetic(const InferContext& c) {
  if (absl::Status s = SameDTypes(c.inputs[0], c.inputs[1]); !s.ok()) return s;
  if (c.inputs[0].dtype == DType::kBool) return Refuse("expects numbers, got {}", ToString(c.inputs[0]));
  return Broadcasted(c, c.inputs[0].dtype);
}
TypeOr Comparison(const InferContext& c) {
  if (absl::Status s = SameDTypes(c.inputs[0], c.inputs[1]); !s.ok()) return s;
  return Broadcasted(c, DType::kBool);
}
TypeOr Logic(const InferContext& c) {
  for (const Type& t : c.inputs) {
    if (t.dtype != DType::kBool) return Refuse("expects bool, got {}", ToString(t));
  }
  if (c.inputs.size() == 1) return c.inputs[0];
  return Broadcasted(c, DType::kBool);
}
TypeOr Choice(const InferContext& c) {
  if (c.inputs[0].dtype != DType::kBool) return Refuse("expects a bool condition, got {}", ToString(c.inputs[0]));
  if (absl::Status s = SameDTypes(c.inputs[1], c.inputs[2]); !s.ok()) return s;
  absl::StatusOr<Shape> shape = BroadcastShapes(c.inputs[1].shape, c.inputs[2].shape);
  if (shape.ok()) shape = BroadcastShapes(*shape, c.inputs[0].shape);
  if (!shape.ok()) return shape.status();
  return Type{c.inputs[1].dtype, *std::move(shape)};
}
TypeOr Number(const InferContext& c) {
  if (c.inputs[0].dtype == DType::kBool) return Refuse("expects numbers, got {}", ToString(c.inputs[0]));
  return c.inputs[0];
}
TypeOr Real(const InferContext& c) {
  if (!IsFloat(c.inputs[0].dtype)) return Refuse("expects f32 or f64, got {}", ToString(c.inputs[0]));
  return c.inputs[0];
}
TypeOr Anything(const InferContext& c) { return c.inputs[0]; }
TypeOr Converted(const InferContext& c) {
  const int64_t dtype = c.attributes.Int("dtype");
  if (dtype < FB_F32 || dtype > FB_BOOL) return Refuse("no dtype has the number {}", dtype);
  return Type{DType(dtype), c.inputs[0].shape};
}

// Where an input was stretched to the output's shape, its gradient is the sum over the copies. The gradients come in
// braces, which C++ evaluates in order: graphs are the same from any compiler.
Values Unbroadcast(const VjpContext& c, const std::array<Value, 2>& by) {
  return {SumTo(by[0], c.inputs[0].dims()), SumTo(by[1], c.inputs[1].dims())};
}
Value Zero(const Value& like) { return {like.api, like.builder, like.api->constant(like.builder, 0, like.dtype())}; }

constexpr OpInfo kOps[] = {
    {.op = Op::kAdd,
     .name = "add",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Arithmetic,
     .vjp = [](const VjpContext& c) { return Unbroadcast(c, {c.dy, c.dy}); },
     .commutative = true,
     .single_step = true,
     .meaning = "a + b. Integers wrap."},
    {.op = Op::kSubtract,
     .name = "subtract",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Arithmetic,
     .vjp = [](const VjpContext& c) { return Unbroadcast(c, {c.dy, -c.dy}); },
     .single_step = true,
     .meaning = "a - b. Integers wrap."},
    {.op = Op::kMultiply,
     .name = "multiply",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Arithmetic,
     .vjp = [](const VjpContext& c) { return Unbroadcast(c, {c.dy * c.inputs[1], c.dy * c.inputs[0]}); },
     .commutative = true,
     .single_step = true,
     .meaning = "a * b. Integers wrap."},
    {.op = Op::kDivide,
     .name = "divide",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Arithmetic,
     // From the output: d(a/b)/db = -(a/b)/b, and a/b is already computed.
     .vjp =
         [](const VjpContext& c) {
           const Value da = c.dy / c.inputs[1];
           return Unbroadcast(c, {da, -(da * c.output)});
         },
     .meaning = "a / b. Integers round towards zero; x / 0 is 0 and the least one / -1 wraps."},
    {.op = Op::kMax,
     .name = "max",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Arithmetic,
     // From the output rather than from a: a layer that keeps only its activation need not keep the sum before it. A tie
     // goes to b, so relu = max(x, 0) has gradient 0 at 0, as in Keras.
     .vjp =
         [](const VjpContext& c) {
           const Value a_is_greater = Less(c.inputs[1], c.output), zero = Zero(c.dy);
           return Unbroadcast(c, {Select(a_is_greater, c.dy, zero), Select(a_is_greater, zero, c.dy)});
         },
     .commutative = true,
     .meaning = "The greater one. NaN if either is NaN; -0 < +0. The gradient of a tie goes to b."},
    {.op = Op::kMin,
     .name = "min",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Arithmetic,
     .vjp =
         [](const VjpContext& c) {
           const Value a_is_less = Less(c.output, c.inputs[1]), zero = Zero(c.dy);
           return Unbroadcast(c, {Select(a_is_less, c.dy, zero), Select(a_is_less, zero, c.dy)});
         },
     .commutative = true,
     .meaning = "The lesser one. NaN if either is NaN; -0 < +0. The gradient of a tie goes to b."},

    {.op = Op::kEqual,
     .name = "equal",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Comparison,
     .commutative = true,
     .meaning = "a == b. False if either is NaN."},
    {.op = Op::kLess,
     .name = "less",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Comparison,
     .meaning = "a < b. False if either is NaN; false < true."},
    {.op = Op::kLessEqual,
     .name = "less_equal",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Comparison,
     .meaning = "a <= b. False if either is NaN; false < true."},
    {.op = Op::kAnd,
     .name = "and",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Logic,
     .commutative = true,
     .meaning = "Both."},
    {.op = Op::kOr,
     .name = "or",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Logic,
     .commutative = true,
     .meaning = "Either."},
    {.op = Op::kNot, .name = "not", .kind = OpKind::kElementwise, .arity = 1, .infer = Logic, .meaning = "Not."},
    {.op = Op::kSelect,
     .name = "select",
     .kind = OpKind::kElementwise,
     .arity = 3,
     .infer = Choice,
     .vjp = [](const VjpContext& c) -> Values {
       const Value zero = Zero(c.dy);
       return {{},
               SumTo(Select(c.inputs[0], c.dy, zero), c.inputs[1].dims()),
               SumTo(Select(c.inputs[0], zero, c.dy), c.inputs[2].dims())};
     },
     .meaning = "condition ? a : b; what is not chosen has no influence, NaN or not."},

    {.op = Op::kNegate,
     .name = "negate",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Number,
     .vjp = [](const VjpContext& c) -> Values { return {-c.dy}; },
     .meaning = "-x. Integers wrap."},
    {.op = Op::kAbs,
     .name = "abs",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Number,
     .vjp = [](const VjpContext& c) -> Values { return {c.dy * Sign(c.inputs[0])}; },
     .meaning = "|x|. The least integer stays itself."},
    {.op = Op::kSign,
     .name = "sign",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Number,
     .meaning = "-1, 0 or 1; NaN of NaN. The gradient is 0."},
    {.op = Op::kExp,
     .name = "exp",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     .vjp = [](const VjpContext& c) -> Values { return {c.dy * c.output}; },
     .meaning = "e to the x."},
    {.op = Op::kLog,
     .name = "log",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     .vjp = [](const VjpContext& c) -> Values { return {c.dy / c.inputs[0]}; },
     .meaning = "Natural logarithm: -inf of 0, NaN of negative numbers."},
    {.op = Op::kSqrt,
     .name = "sqrt",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     .vjp = [](const VjpContext& c) -> Values { return {c.dy * 0.5 / c.output}; },
     .meaning = "Square root, correctly rounded; NaN of negative numbers. The gradient at 0 is infinite."},
    {.op = Op::kTanh,
     .name = "tanh",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     // From the output rather than the input: tanh' = 1 - tanh^2, and tanh is already computed.
     .vjp = [](const VjpContext& c) -> Values { return {c.dy * (1 - Square(c.output))}; },
     .meaning = "Hyperbolic tangent."},
    {.op = Op::kSigmoid,
     .name = "sigmoid",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     .vjp = [](const VjpContext& c) -> Values { return {c.dy * (c.output * (1 - c.output))}; },
     .meaning = "1 / (1 + exp(-x)), exact at both ends."},
    {.op = Op::kFloor,
     .name = "floor",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     .meaning = "The greatest whole number that is not above x. The gradient is 0."},
    {.op = Op::kErf,
     .name = "erf",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     .vjp = [](const VjpContext& c) -> Values {
       return {c.dy * (Exp(-Square(c.inputs[0])) * (2 * std::numbers::inv_sqrtpi))};
     },
     .meaning = "The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x."},
    {.op = Op::kErfInv,
     .name = "erfinv",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     .vjp = [](const VjpContext& c) -> Values {
       return {c.dy * Exp(Square(c.output)) * (std::sqrt(std::numbers::pi) / 2)};
     },
     .meaning = "The inverse of the error function: infinite at -1 and 1, NaN outside."},
    {.op = Op::kExpm1,
     .name = "expm1",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     .vjp = [](const VjpContext& c) -> Values { return {c.dy * (c.output + 1)}; },
     .meaning = "exp(x) - 1, with all its digits near 0."},
    {.op = Op::kSoftplus,
     .name = "softplus",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     .vjp = [](const VjpContext& c) -> Values { return {c.dy * Sigmoid(c.inputs[0])}; },
     .meaning = "log(1 + exp(x)), which neither overflows nor loses the small results."},
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
     .meaning = "x in another dtype. Floats to integers round towards zero and saturate, NaN becomes 0; integers wrap; "
                "to bool is x != 0. No gradient passes through integers."},
    {.op = Op::kStopGradient,
     .name = "stop_gradient",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Anything,
     .meaning = "x itself, and no gradient passes."},
    {.op = Op::kCopy,
     .name = "copy",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Anything,
     .vjp = [](const VjpContext& c) -> Values { return {c.dy}; },
     .meaning = "x itself, in memory of its own. The compiler writes it where a kernel needs that."},
};

}  // namespace

std::span<const OpInfo> ElementwiseOps() { return kOps; }

}  // namespace fusebox
