// SPDX-License-Identifier: Apache-2.0
// The training step of a classifier, as its plugins write it, and the result of all graph passes: the text that one
// would write by hand. A change that makes it shorter may change this test.
#include "fusebox/compiler/passes/differentiate.h"
#include "fusebox/compiler/passes/pipeline.h"
#include "fusebox/graph/builder.h"
#include "fusebox/graph/text.h"
#include "gtest/gtest.h"
#include "tests/support/compare.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox {
namespace {

using testing::Canonical;
using testing::ExpectSameValues;

struct Layer {
  const char* name;
  int64_t units;
};

// 784 - 300 - 100 - 10 with relu; mean softmax cross-entropy, sparse labels; SGD; accuracy.
Graph TrainingStep(int64_t features, const std::vector<Layer>& layers) {
  GraphBuilder b;
  const Value order = b.Input("order", {DType::kI32, {kBatch}});
  Value x = b.Rows("x", {DType::kF32, {kBatch, features}}, order);
  const Value labels = b.Rows("y", {DType::kI32, {kBatch}}, order);
  const Value rate = b.State("learning_rate", FB_SCALAR, {DType::kF32, {}}, "learning_rate", false);
  Values weights;
  for (const Layer& layer : layers) {
    const GraphBuilder::Scope scope(b, layer.name);
    const Value w = b.State("kernel", FB_WEIGHT, {DType::kF32, {x.dim(-1), layer.units}}, "glorot_uniform", true);
    const Value bias = b.State("bias", FB_WEIGHT, {DType::kF32, {layer.units}}, "zeros", true);
    x = MatMul(x, w) + bias;
    if (&layer != &layers.back()) x = Relu(x);
    weights.insert(weights.end(), {w, bias});
  }
  const int64_t classes = layers.back().units;
  const Value picked = Sum(OneHot(labels, classes) * x, {-1});
  const Value each = Reshape(LogSumExp(x), {kBatch}) - picked;
  const Value loss = Mean(each, {0});
  const Value accuracy = Mean(Cast(Equal(ArgMax(x, -1), labels), FB_F32), {0});
  for (const Value& w : weights) b.Assign(w, w - rate * Gradient(loss, w));
  b.Output("loss", loss);
  b.Output("accuracy", accuracy);
  EXPECT_OK(b.status());
  return std::move(b).Take();
}

TEST(MlpGolden, TheStepIsAsLeanAsByHand) {
  const Graph before = TrainingStep(784, {{"hidden1", 300}, {"hidden2", 100}, {"output", 10}});
  std::vector<PassReport> reports;
  ASSERT_OK_AND_ASSIGN(const Graph after, RunGraphPasses(before, {}, reports));
  // Only outputs of layers are kept for the backward pass, and no tensor is larger than necessary.
  EXPECT_EQ(Print(after), Canonical(R"(
    %order = input                                         : i32[N]
    %x = rows %order                                       : f32[N,784]
    %y = rows %order                                       : i32[N]
    %learning_rate = state {initializer = "learning_rate", kind = "scalar"} : f32[]
    %hidden1/kernel = state {initializer = "glorot_uniform", kind = "weight", trainable = true} : f32[784,300]  @hidden1
    %hidden1/bias = state {initializer = "zeros", kind = "weight", trainable = true} : f32[300]  @hidden1
    %0 = matmul %x, %hidden1/kernel                        : f32[N,300]  @hidden1
    %1 = add %0, %hidden1/bias                             : f32[N,300]  @hidden1
    %2 = constant 0                                        : f32[]  @hidden1
    %3 = max %1, %2                                        : f32[N,300]  @hidden1
    %hidden2/kernel = state {initializer = "glorot_uniform", kind = "weight", trainable = true} : f32[300,100]  @hidden2
    %hidden2/bias = state {initializer = "zeros", kind = "weight", trainable = true} : f32[100]  @hidden2
    %4 = matmul %3, %hidden2/kernel                        : f32[N,100]  @hidden2
    %5 = add %4, %hidden2/bias                             : f32[N,100]  @hidden2
    %6 = max %5, %2                                        : f32[N,100]  @hidden2
    %output/kernel = state {initializer = "glorot_uniform", kind = "weight", trainable = true} : f32[100,10]  @output
    %output/bias = state {initializer = "zeros", kind = "weight", trainable = true} : f32[10]  @output
    %7 = matmul %6, %output/kernel                         : f32[N,10]  @output
    %8 = add %7, %output/bias                              : f32[N,10]  @output
    %9 = reshape %y                                        : i32[N,1]
    %10 = constant 0                                       : i32[]
    %11 = broadcast %10                                    : i32[10]
    %12 = iota %11 {axis = 0}                              : i32[10]
    %13 = equal %12, %9                                    : bool[N,10]
    %14 = cast %13                                         : f32[N,10]
    %15 = multiply %14, %8                                 : f32[N,10]
    %16 = sum %15 {axes = [1]}                             : f32[N]
    %17 = reduce_max %8 {axes = [1]}                       : f32[N]
    %18 = reshape %17                                      : f32[N,1]
    %19 = subtract %8, %18                                 : f32[N,10]
    %20 = exp %19                                          : f32[N,10]
    %21 = sum %20 {axes = [1]}                             : f32[N]
    %22 = log %21                                          : f32[N]
    %23 = add %22, %17                                     : f32[N]
    %24 = subtract %23, %16                                : f32[N]
    %25 = sum %24 {axes = [0]}                             : f32[]
    %26 = broadcast %2                                     : f32[N]
    %27 = extent %26 {axes = [0]}                          : f32[]
    %28 = divide %25, %27                                  : f32[]
    %29 = argmax %8 {axis = 1}                             : i32[N]
    %30 = equal %29, %y                                    : bool[N]
    %31 = cast %30                                         : f32[N]
    %32 = sum %31 {axes = [0]}                             : f32[]
    %33 = divide %32, %27                                  : f32[]
    %34 = constant 1                                       : f32[]
    %35 = divide %34, %27                                  : f32[]
    %36 = divide %35, %21                                  : f32[N]
    %37 = reshape %36                                      : f32[N,1]
    %38 = multiply %37, %20                                : f32[N,10]
    %39 = multiply %35, %14                                : f32[N,10]
    %40 = subtract %38, %39                                : f32[N,10]
    %41 = sum %40 {axes = [0]}                             : f32[10]  @output
    %42 = transpose %output/kernel {permutation = [1, 0]}  : f32[10,100]  @output
    %43 = matmul %40, %42                                  : f32[N,100]  @output
    %44 = matmul %6, %40 {transpose_a = true}              : f32[100,10]  @output
    %45 = less %2, %6                                      : bool[N,100]  @hidden2
    %46 = select %45, %43, %2                              : f32[N,100]  @hidden2
    %47 = sum %46 {axes = [0]}                             : f32[100]  @hidden2
    %48 = transpose %hidden2/kernel {permutation = [1, 0]} : f32[100,300]  @hidden2
    %49 = matmul %46, %48                                  : f32[N,300]  @hidden2
    %50 = matmul %3, %46 {transpose_a = true}              : f32[300,100]  @hidden2
    %51 = less %2, %3                                      : bool[N,300]  @hidden1
    %52 = select %51, %49, %2                              : f32[N,300]  @hidden1
    %53 = sum %52 {axes = [0]}                             : f32[300]  @hidden1
    %54 = matmul %x, %52 {transpose_a = true}              : f32[784,300]  @hidden1
    %55 = multiply %learning_rate, %54                     : f32[784,300]
    %56 = subtract %hidden1/kernel, %55                    : f32[784,300]
    %57 = multiply %learning_rate, %53                     : f32[300]
    %58 = subtract %hidden1/bias, %57                      : f32[300]
    %59 = multiply %learning_rate, %50                     : f32[300,100]
    %60 = subtract %hidden2/kernel, %59                    : f32[300,100]
    %61 = multiply %learning_rate, %47                     : f32[100]
    %62 = subtract %hidden2/bias, %61                      : f32[100]
    %63 = multiply %learning_rate, %44                     : f32[100,10]
    %64 = subtract %output/kernel, %63                     : f32[100,10]
    %65 = multiply %learning_rate, %41                     : f32[10]
    %66 = subtract %output/bias, %65                       : f32[10]
    update %hidden1/kernel = %56
    update %hidden1/bias = %58
    update %hidden2/kernel = %60
    update %hidden2/bias = %62
    update %output/kernel = %64
    update %output/bias = %66
    return loss = %28, accuracy = %33)"));
}

TEST(MlpGolden, TheStepMeansTheSame) {
  ASSERT_OK_AND_ASSIGN(const Graph before, Differentiate(TrainingStep(6, {{"a", 5}, {"b", 4}, {"c", 3}})));
  std::vector<PassReport> reports;
  ASSERT_OK_AND_ASSIGN(const Graph after, RunGraphPasses(before, {}, reports));
  ExpectSameValues(before, after);
}

}  // namespace
}  // namespace fusebox
