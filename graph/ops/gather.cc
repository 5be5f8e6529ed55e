// SPDX-License-Identifier: Apache-2.0
// Rows picked by an index tensor, and added up there.
#include <type_traits>

#include "fusebox/graph/ops/family.h"

namespace fusebox {
namespace {

TypeOr Picked(const InferContext& c) {
  const Type &table = c.inputs[0], &indices = c.inputs[1];
  if (table.rank() < 1 || indices.dtype != DType::kI32 || indices.rank() != 1) {
    return Refuse("expects [rows, ...] and i32[count], got {} and {}", ToString(table), ToString(indices));
  }
  Type out = table;
  out.shape[0] = indices.shape[0];
  if (!SymbolicProduct(out.shape)) return Refuse("{} has more than one symbolic axis", ToString(out));
  return out;
}

TypeOr Spread(const InferContext& c) {
  const Type &indices = c.inputs[0], &updates = c.inputs[1];
  if (updates.rank() < 1 || indices.dtype != DType::kI32 || indices.rank() != 1 ||
      indices.shape[0] != updates.shape[0] || updates.dtype == DType::kBool) {
    return Refuse("expects i32[count] and [count, ...], got {} and {}", ToString(indices), ToString(updates));
  }
  Type out = updates;
  out.shape[0] = c.attributes.Int("rows");
  if (!SymbolicProduct(out.shape)) return Refuse("{} has more than one symbolic axis", ToString(out));
  return out;
}

evaluate::LiteralOr SumsAt(const EvaluateContext& c) {
  const std::vector<int64_t> indices = c.in(0).ToInts();
  Literal out(c.dtype(), c.shape);
  WithDType(c.dtype(), [&](auto t) {
    using T = decltype(t);
    using Total = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;
    const auto updates = c.in(1).values<T>();
    std::vector<Total> totals(size_t(out.size()));
    const size_t width = indices.empty() ? 0 : updates.size() / indices.size();
    for (size_t i = 0; i < indices.size(); ++i) {
      if (indices[i] < 0 || indices[i] >= c.shape[0]) continue;
      for (size_t j = 0; j < width; ++j) totals[size_t(indices[i]) * width + j] += Total(updates[i * width + j]);
    }
    for (size_t i = 0; i < totals.size(); ++i) out.mutable_values<T>()[i] = T(totals[i]);
  });
  return out;
}

constexpr OpInfo kOps[] = {
    {.op = Op::kGather,
     .name = "gather",
     .kind = OpKind::kGather,
     .arity = 2,
     .infer = Picked,
     .vjp = [](const VjpContext& c) -> Values { return {ScatterAdd(c.inputs[1], c.dy, c.inputs[0].dim(0)), {}}; },
     .evaluate = [](const EvaluateContext& c) -> evaluate::LiteralOr {
       return evaluate::TakeRows(c.in(0), c.in(1).ToInts(), c.shape);
     },
     .access = Access::kElsewhere,
     .accuracy = Accuracy::kExact,
     .meaning = "Row i is row indices[i] of the table; an index outside gives a row of zeros. So scatter_add is its "
                "adjoint for any indices."},
    {.op = Op::kScatterAdd,
     .name = "scatter_add",
     .kind = OpKind::kGather,
     .arity = 2,
     .attributes = {{"rows", FB_INT}},
     .infer = Spread,
     .vjp = [](const VjpContext& c) -> Values { return {{}, Gather(c.dy, c.inputs[0])}; },
     .evaluate = SumsAt,
     .access = Access::kLoopNest,
     .accuracy = Accuracy::kAnyOrder,
     .meaning = "Row j is the sum, in order of i, of the updates[i] whose indices[i] is j; an index outside adds "
                "nowhere."},
};

}  // namespace

std::span<const OpInfo> GatherOps() { return kOps; }

}  // namespace fusebox
