// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/evaluate.h"
#include "fusebox/graph/text.h"
#include "gtest/gtest.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

TEST(SwapLastAxes, PutsColumnsInPlaceOfRows) {
  const Graph graph = ParseGraph(R"(
      %x = input               : f32[2,3]
      %0 = swap_last_axes %x   : f32[3,2]
      return y = %0)");
  const double x[] = {1, 2, 3, 4, 5, 6};
  Bindings bindings;
  bindings.inputs["x"] = Literal::FromDoubles(DType::kF32, {2, 3}, x);
  ASSERT_OK_AND_ASSIGN(const Evaluation evaluation, Evaluate(graph, bindings));
  EXPECT_EQ(evaluation.outputs.at("y").ToDoubles(), (std::vector<double>{1, 4, 2, 5, 3, 6}));
}

TEST(SwapLastAxes, NeedsTwoAxes) {
  const Type vector{DType::kF32, {3}};
  const absl::StatusOr<Type> type = InferType(*OpFromName("swap_last_axes"), {{&vector, 1}, {}});
  EXPECT_THAT(type, StatusHasMessage("swap_last_axes: expects 2 axes or more, got f32[3]"));
}

}  // namespace
}  // namespace fusebox::testing
