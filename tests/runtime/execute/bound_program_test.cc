// SPDX-License-Identifier: Apache-2.0
// Programs and the variables that they share.
#include "fusebox/runtime/execute/bound_program.h"

#include "fusebox/graph/text.h"
#include "gtest/gtest.h"
#include "tests/support/status.h"

namespace fusebox {
namespace {

// w is large enough to be stored in panels.
Graph Training() {
  return *Parse(R"(
    %x = input : f32[N,64]
    %w = state {kind = "weight", initializer = "zeros", trainable = true} : f32[64,64]
    %0 = matmul %x, %w : f32[N,64]
    %1 = subtract %0, %x : f32[N,64]
    %2 = matmul %x, %1 {transpose_a = true} : f32[64,64]
    %3 = multiply %2, 0.01 : f32[64,64]
    %4 = subtract %w, %3 : f32[64,64]
    update %w = %4)");
}

Graph Prediction() {
  return *Parse(R"(
    %x = input : f32[N,64]
    %w = state {kind = "weight", initializer = "zeros", trainable = true} : f32[64,64]
    %0 = matmul %x, %w : f32[N,64]
    return y = %0)");
}

class BoundPrograms : public ::testing::Test {
 protected:
  BoundPrograms() : x_(DType::kF32, {8, 64}) {
    for (size_t i = 0; i < 512; ++i) x_.mutable_values<float>()[i] = float(i * 7 % 13) / 13 - 0.5F;
  }

  std::unique_ptr<BoundProgram> Make(const Graph& graph, Variables& variables, CompileOptions options = {}) {
    EXPECT_OK(variables.Declare(graph));
    EXPECT_OK(variables.Initialize(1));
    absl::StatusOr<std::unique_ptr<BoundProgram>> program = BoundProgram::Make(graph, options, variables);
    EXPECT_OK(program.status());
    (*program)->Bind(Port::Kind::kInput, "x", x_.raw());
    return *std::move(program);
  }
  void Step(BoundProgram& program) { program.Run(2, 0, 1, 8, 8, nullptr); }
  // The weights after these steps, in a program that never packs them.
  Tensor WeightsAfter(int steps) {
    Variables variables;
    const auto program = Make(Training(), variables, {.pack_from_bytes = 1 << 30});
    for (int i = 0; i < steps; ++i) Step(*program);
    return variables.Find("w")->value;
  }
  static void ExpectSame(const Tensor& a, const Tensor& b) {
    EXPECT_TRUE(std::ranges::equal(a.values<float>(), b.values<float>()));
  }

  Tensor x_;
};

TEST_F(BoundPrograms, UnpackWeightsWhenSomebodyAsks) {
  Variables variables;
  const auto program = Make(Training(), variables);
  ASSERT_GT(program->executable().report().packed_bytes, 0);
  for (int i = 0; i < 5; ++i) Step(*program);
  EXPECT_EQ(variables.fetches(), 0);
  ExpectSame(variables.Find("w")->value, WeightsAfter(5));
  EXPECT_EQ(variables.fetches(), 1);
  ExpectSame(variables.all()[0].value, WeightsAfter(5));
  EXPECT_EQ(variables.fetches(), 1);  // Nothing had changed.
  for (int i = 0; i < 2; ++i) Step(*program);
  ExpectSame(variables.OfKind("weight")[0]->value, WeightsAfter(7));
  EXPECT_EQ(variables.fetches(), 2);
}

TEST_F(BoundPrograms, SeeWhatAnotherOneHasTrained) {
  Variables variables;
  const auto training = Make(Training(), variables), prediction = Make(Prediction(), variables);
  Tensor y(DType::kF32, {8, 64}), expected(DType::kF32, {8, 64});
  prediction->Bind(Port::Kind::kOutput, "y", y.mutable_raw());
  for (int i = 0; i < 3; ++i) {
    Step(*training);
    Step(*prediction);
    EXPECT_EQ(variables.fetches(), i + 1);
  }
  Step(*prediction);
  EXPECT_EQ(variables.fetches(), 3);
  Variables others;
  const auto fresh = Make(Prediction(), others);
  ASSERT_OK(others.Set("w", WeightsAfter(3)));
  fresh->Bind(Port::Kind::kOutput, "y", expected.mutable_raw());
  Step(*fresh);
  ExpectSame(y, expected);
}

TEST_F(BoundPrograms, GoOnFromWeightsThatWereSet) {
  Variables variables;
  const auto program = Make(Training(), variables);
  for (int i = 0; i < 3; ++i) Step(*program);
  ASSERT_OK(variables.Set("w", Tensor(DType::kF32, {64, 64})));
  Step(*program);
  ExpectSame(variables.Find("w")->value, WeightsAfter(1));
}

TEST_F(BoundPrograms, LeaveTheirWeightsWhenTheyGo) {
  Variables variables;
  auto program = Make(Training(), variables);
  Step(*program);
  program.reset();
  ExpectSame(variables.Find("w")->value, WeightsAfter(1));
}

}  // namespace
}  // namespace fusebox
