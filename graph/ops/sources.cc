// SPDX-License-Identifier: Apache-2.0
// Where values come from: inputs, rows of a data set, state, constants, and indices.
#include "fusebox/graph/ops/family.h"

namespace fusebox {
namespace {

TypeOr Stated(const InferContext& c) {
  if (c.stated == nullptr) return Refuse("has to state its type");
  return *c.stated;
}
TypeOr Scalar(const InferContext& c) {
  if (c.stated != nullptr && c.stated->rank() != 0) return Refuse("expects a scalar, got {}", ToString(*c.stated));
  return Stated(c);
}

TypeOr OneForEachOrder(const InferContext& c) {
  const Type& order = c.inputs[0];
  if (order.dtype != DType::kI32 || order.rank() != 1)
    return Refuse("expects the order as i32[N], got {}", ToString(order));
  if (c.stated != nullptr && (c.stated->rank() < 1 || c.stated->shape[0] != order.shape[0])) {
    return Refuse("expects one row for each of {}, got {}", ToString(order), ToString(*c.stated));
  }
  return Stated(c);
}

TypeOr ExtentOf(const InferContext& c) {
  for (const int64_t axis : c.attributes.List("axes")) {
    if (absl::StatusOr<int64_t> a = NormalAxis(axis, c.inputs[0]); !a.ok()) return a.status();
  }
  return Type{c.inputs[0].dtype, {}};
}

TypeOr IndexAlong(const InferContext& c) {
  if (absl::StatusOr<int64_t> a = NormalAxis(c.attributes.Int("axis"), c.inputs[0]); !a.ok()) return a.status();
  return Type{DType::kI32, c.inputs[0].shape};
}

evaluate::LiteralOr Constant(const EvaluateContext& c) {
  const double value = c.node.attributes.Float("value");
  return Literal::FromDoubles(c.dtype(), {}, {&value, 1});
}
evaluate::LiteralOr Count(const EvaluateContext& c) {
  int64_t extent = 1;
  for (const int64_t axis : c.node.attributes.List("axes")) extent *= c.in(0).shape()[size_t(axis)];
  return WithDType(c.dtype(), [&](auto t) { return Literal::Scalar(CastTo<decltype(t), int64_t>(extent)); });
}

evaluate::LiteralOr Index(const EvaluateContext& c) {
  const size_t axis = size_t(c.node.attributes.Int("axis"));
  Literal out(c.dtype(), c.shape);
  const int64_t stride = evaluate::Strides(c.shape)[axis], size = c.shape[axis];
  for (int64_t i = 0; i < out.size(); ++i) out.mutable_values<int32_t>()[size_t(i)] = int32_t(i / stride % size);
  return out;
}

constexpr OpInfo kOps[] = {
    {.op = Op::kInput,
     .name = "input",
     .attributes = {{"name", FB_STRING}},
     .infer = Stated,
     .states_type = true,
     .access = Access::kNone,
     .binding = Binding::kInput,
     .meaning = "The caller's array of this name."},
    {.op = Op::kRows,
     .name = "rows",
     .arity = 1,
     .attributes = {{"name", FB_STRING}},
     .infer = OneForEachOrder,
     .states_type = true,
     .access = Access::kElsewhere,
     .binding = Binding::kDataSet,
     .meaning = "Row i is row order[i] of the caller's data set of this name; the caller answers for the range."},
    {.op = Op::kState,
     .name = "state",
     .attributes = {{"name", FB_STRING},
                    {"kind", FB_STRING},
                    {"initializer", FB_STRING, false},
                    {"trainable", FB_FLAG, false},
                    {"shared", FB_FLAG, false},
                    {"order", FB_INT, false},
                    {"regularizer", FB_STRING, false},
                    {"constraint", FB_STRING, false}},
     .infer = Stated,
     .states_type = true,
     .access = Access::kNone,
     .binding = Binding::kState,
     .meaning = "What the state of this name held before the step."},
    {.op = Op::kConstant,
     .name = "constant",
     .attributes = {{"value", FB_FLOAT}},
     .infer = Scalar,
     .states_type = true,
     .evaluate = Constant,
     .access = Access::kNone,
     .meaning = "A scalar known when compiling, converted to the dtype."},
    {.op = Op::kExtent,
     .name = "extent",
     .arity = 1,
     .attributes = {{"axes", FB_INTS}},
     .infer = ExtentOf,
     .evaluate = Count,
     .access = Access::kNone,
     .reads_shape_only = true,
     .meaning = "How many elements lie along the axes together, as a number of the input's dtype."},
    {.op = Op::kIota,
     .name = "iota",
     .arity = 1,
     .attributes = {{"axis", FB_INT}},
     .infer = IndexAlong,
     .evaluate = Index,
     .access = Access::kIndex,
     .cost = Cost::kLess,
     .reads_shape_only = true,
     .meaning = "The index along an axis, in the shape of the input, whose elements do not matter."},
};

}  // namespace

std::span<const OpInfo> SourceOps() { return kOps; }

}  // namespace fusebox
