// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/ops/elementwise.h"

namespace fusebox::elementwise {
namespace {

TypeOr Broadcasted(const InferContext& c, DType dtype) {
  absl::StatusOr<Shape> shape = BroadcastShapes(c.inputs[0].shape, c.inputs[1].shape);
  if (!shape.ok()) return shape.status();
  return Type{dtype, *std::move(shape)};
}

absl::Status SameDTypes(const Type& a, const Type& b) {
  if (a.dtype == b.dtype) return absl::OkStatus();
  return Refuse("expects equal dtypes, got {} and {}", ToString(a), ToString(b));
}

}  // namespace

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

Values Unbroadcast(const VjpContext& c, const std::array<Value, 2>& by) {
  return {SumTo(by[0], c.inputs[0].dims()), SumTo(by[1], c.inputs[1].dims())};
}
Value Zero(const Value& like) { return {like.api, like.builder, like.api->constant(like.builder, 0, like.dtype())}; }

}  // namespace fusebox::elementwise
