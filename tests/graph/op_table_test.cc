// SPDX-License-Identifier: Apache-2.0
// The op tables: entries are whole, and arity and attributes are checked against them.
#include <set>
#include <string_view>
#include <vector>

#include "fusebox/graph/graph.h"
#include "fusebox/graph/op.h"
#include "gtest/gtest.h"
#include "tests/support/attributes.h"

namespace fusebox::testing {
namespace {

TEST(OpTable, EntriesAreWhole) {
  std::set<std::string_view> names;
  for (const OpInfo& info : AllOps()) {
    EXPECT_EQ(&Info(info.op), &info);
    EXPECT_TRUE(IsOp(info.op)) << info.name;
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(OpFromName(info.name), info.op) << info.name;
    EXPECT_NE(info.infer, nullptr) << info.name;
    EXPECT_TRUE(std::string_view(info.meaning).ends_with('.')) << info.name;
    EXPECT_TRUE(!info.commutative || info.arity == 2) << info.name;
    EXPECT_TRUE(!info.idempotent || info.arity == 2) << info.name;
    EXPECT_TRUE(!info.own_inverse || info.arity == 1) << info.name;
    EXPECT_TRUE(info.axis_map == nullptr || info.access == Access::kElsewhere) << info.name;
    // One of these says how it is evaluated.
    const bool by_others = info.op == Op::kResult || info.kind == OpKind::kDerivative;
    EXPECT_EQ(
        (info.evaluate != nullptr) + (info.evaluate_results != nullptr) + (info.binding != Binding::kNone) + by_others,
        1)
        << info.name;
    if (info.kind == OpKind::kElementwise) {
      EXPECT_EQ(info.access, Access::kSamePoint) << info.name;
      EXPECT_GE(info.arity, 1) << info.name;
    }
    if (info.kind == OpKind::kReduce || info.kind == OpKind::kMatMul || info.kind == OpKind::kControl) {
      EXPECT_EQ(info.access, Access::kLoopNest) << info.name;
    }
  }
  EXPECT_FALSE(IsOp(Op::kError));
  EXPECT_FALSE(IsOp(Op(AllOps().size() + 1)));
  EXPECT_EQ(OpFromName("error"), std::nullopt);
  EXPECT_EQ(OpFromName(""), std::nullopt);
  EXPECT_EQ(OpFromName("conv"), std::nullopt);
}

TEST(OpTable, ArityAndAttributesAreChecked) {
  const Type x{DType::kF32, {3}};
  const auto message = [](Op op, const std::vector<Type>& inputs, const AttributeMap& attributes) {
    return std::string(InferType(op, {inputs, attributes, nullptr}).status().message());
  };
  EXPECT_EQ(message(Op::kAdd, {x}, {}), "add: expects 2 inputs, got 1");
  EXPECT_EQ(message(Op::kConcatenate, {}, With({{"axis", int64_t{0}}})), "concatenate: expects some inputs, got 0");
  EXPECT_EQ(message(Op::kAdd, {x, x}, With({{"axis", int64_t{0}}})), "add: has no attribute 'axis'");
  EXPECT_EQ(message(Op::kSum, {x}, {}), "sum: needs attribute 'axes'");
  EXPECT_EQ(message(Op::kSum, {x}, With({{"axes", int64_t{0}}})), "sum: attribute 'axes' cannot be an integer");
  EXPECT_EQ(message(Op::kSum, {x}, With({{"axes", Ints{0}}, {"keepdims", 1.5}})),
            "sum: attribute 'keepdims' cannot be a number");
}

}  // namespace
}  // namespace fusebox::testing
