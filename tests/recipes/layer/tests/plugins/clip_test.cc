// SPDX-License-Identifier: Apache-2.0
#include "tests/plugins/plugins.h"

namespace fusebox::testing {
namespace {

using ::testing::HasSubstr;

TEST(Clip, KeepsElementsBetweenItsBounds) {
  const Expansion clip(BuiltIns(), FB_LAYER, "clip:low=-1,high=2", {F32({kBatch, 3})});
  ASSERT_EQ(clip.error(), "");
  EXPECT_EQ(clip.type(), "f32[N,3]");
  const double x[] = {-5, 0.5, 3};
  Bindings bindings;
  bindings.inputs["a"] = Literal::FromDoubles(DType::kF32, {1, 3}, x);
  ASSERT_OK_AND_ASSIGN(const Evaluation evaluation, Evaluate(clip.builder.graph(), bindings));
  EXPECT_EQ(evaluation.outputs.at("y").ToDoubles(), (std::vector<double>{-1, 0.5, 2}));
}

TEST(Clip, RefusesBoundsInTheWrongOrder) {
  const Expansion clip(BuiltIns(), FB_LAYER, "clip:low=3,high=2", {F32({kBatch, 3})});
  EXPECT_THAT(clip.error(), HasSubstr("attribute 'low' must be at most 'high', 2, got 3"));
}

}  // namespace
}  // namespace fusebox::testing
