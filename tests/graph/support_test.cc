// SPDX-License-Identifier: Apache-2.0
// Tests the helpers in tests/support: that they detect what they are meant to detect.
#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/compare.h"
#include "tests/support/guarded_buffer.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Dedent, TakesOffTheSharedIndent) {
  EXPECT_EQ(Dedent(R"(
    a
      b

    c
  )"),
            "a\n  b\n\nc\n");
  EXPECT_EQ(Dedent("a"), "a\n");
  EXPECT_EQ(Dedent(""), "");
}

TEST(Status, MatchersLookAtTheMessage) {
  EXPECT_OK(absl::OkStatus());
  EXPECT_THAT(absl::InvalidArgumentError("too wide"), Not(IsOk()));
  EXPECT_THAT(absl::InvalidArgumentError("too wide"), StatusHasMessage("too wide"));
  EXPECT_THAT(absl::StatusOr<int>(absl::InvalidArgumentError("too wide")), StatusHasMessage(HasSubstr("wide")));
  EXPECT_THAT(absl::StatusOr<int>(3), Not(StatusHasMessage("")));
}

TEST(GuardedBuffer, EndsAtAnInaccessiblePage) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{4095}, size_t{4096}, size_t{4097}, size_t{12345}}) {
    GuardedBuffer buffer(size);
    for (size_t i = 0; i < size; ++i) ASSERT_EQ(buffer.data()[i], std::byte{0xFF});
    EXPECT_TRUE(buffer.FrontUntouched());
    EXPECT_DEATH(
        {
          volatile std::byte* end = buffer.data() + size;
          *end = std::byte{0};
        },
        "");
  }
  GuardedBuffer buffer(100);
  buffer.data()[-1] = std::byte{0};
  EXPECT_FALSE(buffer.FrontUntouched());
  EXPECT_TRUE(std::isnan(*GuardedBuffer(4).as<float>()));
}

// ---- Compare: what the bound of a graph accepts, and what it rejects.

struct Evaluated {
  Graph graph;
  Bindings bindings;
  Evaluation result;
};
Evaluated RunOf(const char* text, int64_t batch = 3) {
  Evaluated run{ParseGraph(text), {}, {}};
  run.bindings = RandomBindings(run.graph, 1, batch);
  absl::StatusOr<Evaluation> result = Evaluate(run.graph, run.bindings);
  EXPECT_OK(result);
  if (result.ok()) run.result = *std::move(result);
  return run;
}
std::string Mismatch(const Evaluated& run) { return Compare(run.graph, run.bindings, run.result).mismatch; }

TEST(Compare, LetsRoundingPassAndNothingMore) {
  Evaluated run = RunOf(R"(
    %x = input : f32[N,100]
    %w = input : f32[100,5]
    %0 = matmul %x, %w : f32[N,5]
    %1 = tanh %0 : f32[N,5]
    return y = %1)");
  EXPECT_EQ(Mismatch(run), "");
  float& y = run.result.outputs["y"].mutable_values<float>()[7];
  const float exact = y;
  y = exact * (1 + 0x1p-22f);
  EXPECT_EQ(Mismatch(run), "");
  y = exact + 1e-3f;
  EXPECT_THAT(Mismatch(run), HasSubstr("output 'y' at [1,2] of f32[3,5]: expected "));
  y = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(Mismatch(run), HasSubstr("got nan"));
}

TEST(Compare, MovementAndIntegersAreExact) {
  Evaluated run = RunOf(R"(
    %x = input : f32[N,3]
    %i = input : i32[N]
    %0 = transpose %x {permutation = [1, 0]} : f32[3,N]
    %1 = add %i, 1 : i32[N]
    %2 = max %0, %0 : f32[3,N]
    return x = %2, i = %1)");
  EXPECT_EQ(Mismatch(run), "");
  float& x = run.result.outputs["x"].mutable_values<float>()[0];
  x = std::nextafter(x, 10.0f);
  EXPECT_THAT(Mismatch(run), HasSubstr("output 'x' at [0,0]"));
  run = RunOf("%i = input : i32[3] %0 = add %i, 1 : i32[3] return i = %0");
  run.result.outputs["i"].mutable_values<int32_t>()[2] += 1;
  EXPECT_THAT(Mismatch(run), HasSubstr("output 'i' at [2]"));
}

TEST(Compare, ACrossedStepMayGoEitherWay) {
  // x - x + 0.5 is 0.5 in every order; floor of a rounded sum near 1 may be 0 or 1.
  Evaluated run = RunOf(R"(
    %x = input : f32[4]
    %s = sum %x {axes = [0]} : f32[]
    %u = divide %s, %s : f32[]
    %f = floor %u : f32[]
    %c = cast %f : i32[]
    %l = less %u, 1 : bool[]
    return f = %f, c = %c, l = %l)");
  run.result.outputs["f"] = Literal::Scalar<float>(0);
  run.result.outputs["l"] = Literal::Scalar<bool>(true);
  EXPECT_EQ(Mismatch(run), "");
  run.result.outputs["f"] = Literal::Scalar<float>(-1);
  EXPECT_THAT(Mismatch(run), HasSubstr("output 'f'"));
}

TEST(Compare, StatesAndMissingOutputsCount) {
  Evaluated run =
      RunOf("%w = state {kind = \"weight\"} : f32[2] %0 = multiply %w, 2 : f32[2] update %w = %0 return y = %0");
  EXPECT_EQ(Mismatch(run), "");
  run.result.states["w"].mutable_values<float>()[1] = 7;
  EXPECT_THAT(Mismatch(run), HasSubstr("state 'w' at [1]"));
  run.result.states.clear();
  EXPECT_EQ(Mismatch(run), "state 'w' is missing");
  run = RunOf("%x = input : f32[2] return y = %x");
  run.result.outputs["y"] = Literal(DType::kF32, {3});
  EXPECT_EQ(Mismatch(run), "output 'y': expected f32[2], got f32[3]");
}

TEST(Compare, InfinityAndNaNHaveToBeTheSame) {
  Evaluated run =
      RunOf("%x = input : f32[1] %0 = divide %x, 0 : f32[1] %1 = subtract %0, %0 : f32[1] return i = %0, n = %1");
  EXPECT_EQ(Mismatch(run), "");
  run.result.outputs["n"].mutable_values<float>()[0] = 0;
  EXPECT_THAT(Mismatch(run), HasSubstr("output 'n'"));
  run.result.outputs["i"].mutable_values<float>()[0] *= -1;
  EXPECT_THAT(Mismatch(run), HasSubstr("output 'i'"));
}

TEST(ExpectSameValues, TakesAReorderedSum) {
  ExpectSameValues(
      ParseGraph("%x = input : f32[N,7] %0 = sum %x {axes = [0, 1]} : f32[] return %0"),
      ParseGraph("%x = input : f32[N,7] %0 = sum %x {axes = [0]} : f32[7] %1 = sum %0 {axes = [0]} : f32[] return %1"));
}

}  // namespace
}  // namespace fusebox::testing
