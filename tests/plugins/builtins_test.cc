// SPDX-License-Identifier: Apache-2.0
// The built-in items: the symbols that they write, their values, and their messages for wrong inputs.
#include <cmath>
#include <numeric>

#include "tests/plugins/plugins.h"

namespace fusebox {
namespace {

using namespace testing;
using ::testing::DoubleNear;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Pointwise;
using ::testing::StartsWith;

std::string Symbols(uint32_t kind, const char* item, const std::vector<Type>& inputs) {
  const Expansion e(BuiltIns(), kind, item, inputs, "it");
  EXPECT_EQ(e.error(), "");
  return e.text();
}

std::string Error(uint32_t kind, const char* item, const std::vector<Type>& inputs) {
  const Expansion e(BuiltIns(), kind, item, inputs, "it");
  EXPECT_FALSE(e.y.ok());
  return e.error();
}

// The item's values for these numbers, with as many batch rows as the first input has.
std::vector<double> Numbers(const Expansion& e, const std::vector<Literal>& inputs,
                            std::map<std::string, Literal> states = {}) {
  EXPECT_EQ(e.error(), "");
  Bindings bindings;
  bindings.batch = inputs[0].rank() > 0 ? inputs[0].shape()[0] : 1;
  for (size_t i = 0; i < inputs.size(); ++i) bindings.inputs[std::string(1, char('a' + i))] = inputs[i];
  bindings.states = std::move(states);
  const absl::StatusOr<Evaluation> evaluation = Evaluate(e.builder.graph(), bindings);
  EXPECT_OK(evaluation);
  return evaluation.ok() ? evaluation->outputs.at("y").ToDoubles() : std::vector<double>();
}

TEST(Flatten, MakesOneAxisOfAllButTheBatch) {
  EXPECT_EQ(Symbols(FB_LAYER, "flatten", {F32({kBatch, 28, 28})}), Canonical(R"(
    %a = input        : f32[N,28,28]
    %0 = reshape %a   : f32[N,784]  @it
    return y = %0
  )"));
  EXPECT_EQ(Expansion(BuiltIns(), FB_LAYER, "flatten", {F32({kBatch})}).type(), "f32[N,1]");
  EXPECT_EQ(Expansion(BuiltIns(), FB_LAYER, "flatten", {F32({kBatch, 0, 3})}).type(), "f32[N,0]");
  EXPECT_EQ(Expansion(BuiltIns(), FB_LAYER, "flatten", {{DType::kU8, {7, 2, 3}}}).type(), "u8[7,6]");
  EXPECT_THAT(Error(FB_LAYER, "flatten", {F32({})}),
              HasSubstr("expects input [batch, ...], got f32[] [plugins/layers/flatten.cc:"));
  EXPECT_THAT(Error(FB_LAYER, "flatten", {F32({3, kBatch})}), HasSubstr("expects the batch only in the first axis"));
}

TEST(Rescaling, MultipliesAndAddsInF32) {
  EXPECT_EQ(Symbols(FB_LAYER, "rescaling:scale=0.5,offset=-1", {{DType::kU8, {kBatch, 3}}}), Canonical(R"(
    %a = input             : u8[N,3]
    %0 = cast %a           : f32[N,3]  @it
    %1 = constant 0.5      : f32[]  @it
    %2 = multiply %0, %1   : f32[N,3]  @it
    %3 = constant -1       : f32[]  @it
    %4 = add %2, %3        : f32[N,3]  @it
    return y = %4
  )"));
  EXPECT_EQ(Expansion(BuiltIns(), FB_LAYER, "rescaling:scale=2", {F32({kBatch})}).type(), "f32[N]");
  EXPECT_THAT(Error(FB_LAYER, "rescaling", {F32({kBatch})}), HasSubstr("needs attribute 'scale'"));
}

// Numbers of keras.layers.Rescaling on pixels of uint8, from Keras 3.15 with JAX.
TEST(Rescaling, DoesAsKeras) {
  const Literal pixels = Literal::Of<uint8_t>({1, 5}, {0, 1, 127, 128, 255});
  const auto rescaled = [&](const char* item) {
    return Numbers(Expansion(BuiltIns(), FB_LAYER, item, {{DType::kU8, {kBatch, 5}}}), {pixels});
  };
  const double ulp = 0x1p-23;  // Near 1; Keras may add before it rounds the product.
  EXPECT_THAT(rescaled("rescaling:scale=0.00392156862745098"),
              Pointwise(DoubleNear(ulp), {0.0, 0.003921568859368563, 0.49803924560546875, 0.501960813999176, 1.0}));
  EXPECT_THAT(rescaled("rescaling:scale=0.00784313725490196,offset=-1"),
              Pointwise(DoubleNear(ulp),
                        {-1.0, -0.9921568632125854, -0.003921509720385075, 0.003921627998352051, 1.0000001192092896}));
}

TEST(Dense, IsAProductABiasAndAnActivation) {
  EXPECT_EQ(Symbols(FB_LAYER, "dense:units=3,activation=relu", {F32({kBatch, 4})}), Canonical(R"(
    %a = input                   : f32[N,4]
    %it/kernel = state {initializer = "glorot_uniform", kind = "weight", trainable = true}   : f32[4,3]  @it
    %0 = matmul %a, %it/kernel   : f32[N,3]  @it
    %it/bias = state {initializer = "zeros", kind = "weight", trainable = true}   : f32[3]  @it
    %1 = add %0, %it/bias        : f32[N,3]  @it
    %2 = constant 0              : f32[]  @it
    %3 = max %1, %2              : f32[N,3]  @it
    return y = %3
  )"));
}

TEST(Dense, KeepsTheAxesBetween) {
  EXPECT_EQ(Symbols(FB_LAYER, "dense:units=3,use_bias=false,kernel_initializer=he_normal", {F32({kBatch, 5, 4})}),
            Canonical(R"(
    %a = input                   : f32[N,5,4]
    %it/kernel = state {initializer = "he_normal", kind = "weight", trainable = true}   : f32[4,3]  @it
    %0 = reshape %a              : f32[5*N,4]  @it
    %1 = matmul %0, %it/kernel   : f32[5*N,3]  @it
    %2 = reshape %1              : f32[N,5,3]  @it
    return y = %2
  )"));
}

TEST(Dense, NamesLayerPluginExpectedAndGot) {
  EXPECT_THAT(
      Error(FB_LAYER, "dense:units=3", {F32({7})}),
      ::testing::MatchesRegex("'it', layer fusebox/dense@1 of plugin fusebox/layers [0-9.]+: expects input \\[batch, "
                              "..., features\\], got f32\\[7\\] \\[plugins/layers/dense.cc:[0-9]+\\]"));
  EXPECT_THAT(Error(FB_LAYER, "dense:units=-3", {F32({kBatch, 7})}),
              EndsWith(": attribute 'units' must be an int of at least 1, got -3"));
  EXPECT_THAT(Error(FB_LAYER, "layer_normalization", {I32({kBatch, 7})}), HasSubstr("[plugins/layers/"));
  EXPECT_EQ(Error(FB_LAYER, "dens:units=3", {F32({kBatch, 7})}), "'it', unknown layer 'dens': did you mean 'dense'?");
}

TEST(Activations, AreWhatTheirNamesSay) {
  const auto numbers = [](const char* name) {
    const Expansion e(BuiltIns(), FB_ACTIVATION, name, {F32({kBatch, 3})});
    EXPECT_EQ(e.type(), "f32[N,3]");
    return Numbers(e, {Literal::Of<float>({1, 3}, {-1, 0, 2})});
  };
  const auto near = [](const std::vector<double>& expected) { return Pointwise(DoubleNear(1e-6), expected); };
  EXPECT_THAT(numbers("linear"), near({-1, 0, 2}));
  EXPECT_THAT(numbers("relu"), near({0, 0, 2}));
  EXPECT_THAT(numbers("sigmoid"), near({1 / (1 + std::exp(1)), 0.5, 1 / (1 + std::exp(-2))}));
  EXPECT_THAT(numbers("tanh"), near({std::tanh(-1), 0, std::tanh(2)}));
  const double sum = std::exp(-1) + 1 + std::exp(2);
  EXPECT_THAT(numbers("softmax"), near({std::exp(-1) / sum, 1 / sum, std::exp(2) / sum}));
}

TEST(Activations, SoftmaxStaysFiniteAndNeedsClasses) {
  const Expansion e(BuiltIns(), FB_ACTIVATION, "softmax", {F32({kBatch, 2})});
  EXPECT_THAT(Numbers(e, {Literal::Of<float>({2, 2}, {1e30f, 1e30f, -3e38f, 3e38f})}),
              Pointwise(DoubleNear(1e-6), {0.5, 0.5, 0.0, 1.0}));
  EXPECT_THAT(Error(FB_ACTIVATION, "softmax", {F32({kBatch})}), HasSubstr("expects [batch, ..., classes], got f32[N]"));
}

TEST(SparseCategoricalCrossentropy, WorksFromTheLogitsOfSoftmax) {
  HostBuilder b;
  const Value x = b.Input("x", F32({kBatch, 4})), labels = b.Input("labels", I32({kBatch}));
  const Value p = ExpandItem(b, BuiltIns(), FB_LAYER, Spec("dense:units=10,activation=softmax"), {x}, "dense");
  const Value loss = ExpandItem(b, BuiltIns(), FB_LOSS, Spec("sparse_categorical_crossentropy"), {labels, p}, "loss");
  b.Output("loss", loss);
  ASSERT_OK(b.status());
  EXPECT_EQ(ToString(b.graph()[loss.id].type), "f32[N]");
  // The probabilities are not computed at all.
  const std::vector<bool> needed = Reachable(b.graph());
  EXPECT_FALSE(needed[p.id]);
  const Graph alone = Rewrite(b.graph(), Keep);
  EXPECT_EQ(Print(alone), Canonical(R"(
    %x = input                                         : f32[N,4]
    %labels = input                                    : i32[N]
    %dense/kernel = state {initializer = "glorot_uniform", kind = "weight", trainable = true}   : f32[4,10]  @dense
    %0 = matmul %x, %dense/kernel                      : f32[N,10]  @dense
    %dense/bias = state {initializer = "zeros", kind = "weight", trainable = true}   : f32[10]  @dense
    %1 = add %0, %dense/bias                           : f32[N,10]  @dense
    %2 = reshape %labels                               : i32[N,1]  @loss
    %3 = iota %1 {axis = 1}                            : i32[N,10]  @loss
    %4 = equal %3, %2                                  : bool[N,10]  @loss
    %5 = constant 0                                    : f32[]  @loss
    %6 = select %4, %1, %5                             : f32[N,10]  @loss
    %7 = sum %6 {axes = [1], keepdims = false}         : f32[N]  @loss
    %8 = reduce_max %1 {axes = [1], keepdims = true}   : f32[N,1]  @loss
    %9 = stop_gradient %8                              : f32[N,1]  @loss
    %10 = subtract %1, %9                              : f32[N,10]  @loss
    %11 = exp %10                                      : f32[N,10]  @loss
    %12 = sum %11 {axes = [1], keepdims = true}        : f32[N,1]  @loss
    %13 = log %12                                      : f32[N,1]  @loss
    %14 = add %13, %9                                  : f32[N,1]  @loss
    %15 = reshape %14                                  : f32[N]  @loss
    %16 = subtract %15, %7                             : f32[N]  @loss
    return loss = %16
  )"));
}

TEST(SparseCategoricalCrossentropy, IsMinusTheLogOfTheTrueClass) {
  const auto loss = [](const char* item, const Type& y_true, const std::vector<Literal>& numbers) {
    return Numbers(Expansion(BuiltIns(), FB_LOSS, item, {y_true, F32({kBatch, 3})}), numbers);
  };
  const Literal labels = Literal::Of<int32_t>({3}, {0, 2, 1});
  // The second row is scaled to a sum of 1, the third one is clipped.
  const Literal p = Literal::Of<float>({3, 3}, {0.5f, 0.25f, 0.25f, 1, 2, 1, 1, 0, 0});
  const std::vector<double> expected = {std::log(2), std::log(4), -std::log(1e-7)};
  EXPECT_THAT(loss("sparse_categorical_crossentropy", I32({kBatch}), {labels, p}),
              Pointwise(DoubleNear(1e-5), expected));
  // Classes may have any number dtype, and a last axis of 1.
  const Literal bytes = Literal::Of<uint8_t>({3, 1}, {0, 2, 1});
  EXPECT_THAT(loss("sparse_categorical_crossentropy", {DType::kU8, {kBatch, 1}}, {bytes, p}),
              Pointwise(DoubleNear(1e-5), expected));
  const Literal z = Literal::Of<float>({3, 3}, {0, 0, 0, 1e20f, 0, 1e20f, 0, -1e30f, 0});
  EXPECT_THAT(loss("sparse_categorical_crossentropy:from_logits=true", I32({kBatch}), {labels, z}),
              Pointwise(::testing::FloatEq(), {float(std::log(3)), 0.0f, 1e30f}));
}

TEST(SparseCategoricalCrossentropy, IsOneNumberAPrediction) {
  EXPECT_EQ(Expansion(BuiltIns(), FB_LOSS, "sparse_categorical_crossentropy", {I32({kBatch, 7}), F32({kBatch, 7, 10})})
                .type(),
            "f32[N,7]");
  EXPECT_THAT(Error(FB_LOSS, "sparse_categorical_crossentropy", {F32({kBatch, 10}), F32({kBatch, 10})}),
              HasSubstr("expects one class per prediction, i32[N] for f32[N,10], got f32[N,10]"));
  EXPECT_THAT(Error(FB_LOSS, "sparse_categorical_crossentropy", {I32({kBatch}), F32({kBatch})}),
              HasSubstr("expects predictions [batch, ..., classes], got f32[N]"));
  const auto item = BuiltIns().Find(FB_LOSS, "sparse_categorical_crossentropy");
  EXPECT_EQ((*item)->flags, uint32_t{FB_CLASS_LABELS});
  EXPECT_EQ((*BuiltIns().Find(FB_LOSS, "mean_squared_error"))->flags, 0u);
}

TEST(MeanSquaredError, AveragesASample) {
  EXPECT_EQ(Symbols(FB_LOSS, "mean_squared_error", {F32({kBatch, 3}), F32({kBatch, 3})}), Canonical(R"(
    %a = input                                   : f32[N,3]
    %b = input                                   : f32[N,3]
    %0 = subtract %b, %a                         : f32[N,3]  @it
    %1 = multiply %0, %0                         : f32[N,3]  @it
    %2 = sum %1 {axes = [1], keepdims = false}   : f32[N]  @it
    %3 = extent %1 {axes = [1]}                  : f32[]  @it
    %4 = divide %2, %3                           : f32[N]  @it
    return y = %4
  )"));
  const Expansion e(BuiltIns(), FB_LOSS, "mean_squared_error", {I32({kBatch, 2}), F32({kBatch, 2})});
  EXPECT_THAT(Numbers(e, {Literal::Of<int32_t>({2, 2}, {1, 2, 3, 4}), Literal::Of<float>({2, 2}, {1, 4, 0, 0})}),
              Pointwise(DoubleNear(1e-6), {2.0, 12.5}));
}

TEST(MeanSquaredError, TakesTargetsWithoutTheLastAxis) {
  const auto type = [](const Type& y_true, const Type& y_pred) {
    return Expansion(BuiltIns(), FB_LOSS, "mean_squared_error", {y_true, y_pred}).type();
  };
  EXPECT_EQ(type(F32({kBatch}), F32({kBatch, 1})), "f32[N]");
  EXPECT_EQ(type(F32({kBatch, 1}), F32({kBatch})), "f32[N]");
  EXPECT_EQ(type(F32({kBatch}), F32({kBatch})), "f32[N]");
  EXPECT_EQ(type(F32({kBatch, 2, 3}), F32({kBatch, 2, 3})), "f32[N,2]");
  EXPECT_THAT(Error(FB_LOSS, "mean_squared_error", {F32({kBatch, 2}), F32({kBatch, 3})}),
              HasSubstr("expects targets like f32[N,3], got f32[N,2]"));
}

TEST(Accuracy, FollowsTheShapes) {
  const std::map<std::string, Literal> fresh = {{"total", Literal::Scalar(0.0)}, {"count", Literal::Scalar(0.0)}};
  const auto accuracy = [&](const Type& y_true, const Type& y_pred, const Literal& t, const Literal& p) {
    const Expansion e(BuiltIns(), FB_METRIC, "accuracy", {y_true, y_pred});
    EXPECT_EQ(e.type(), "f32[]");
    return Numbers(e, {t, p}, fresh).at(0);
  };
  const Literal scores = Literal::Of<float>({4, 2}, {1, 0, 0, 1, 3, 3, 0, 9});
  EXPECT_EQ(accuracy(I32({kBatch}), F32({kBatch, 2}), Literal::Of<int32_t>({4}, {0, 1, 1, 1}), scores), 0.75);
  EXPECT_EQ(accuracy(I32({kBatch, 1}), F32({kBatch, 2}), Literal::Of<int32_t>({4, 1}, {1, 1, 0, 0}), scores), 0.5);
  const Literal one_hot = Literal::Of<float>({4, 2}, {1, 0, 1, 0, 1, 0, 0, 1});
  EXPECT_EQ(accuracy(F32({kBatch, 2}), F32({kBatch, 2}), one_hot, scores), 0.75);
  const Literal p = Literal::Of<float>({4, 1}, {0.1f, 0.5f, 0.6f, 0.9f});
  EXPECT_EQ(accuracy(I32({kBatch}), F32({kBatch, 1}), Literal::Of<int32_t>({4}, {0, 1, 1, 1}), p), 0.75);
  EXPECT_THAT(Error(FB_METRIC, "accuracy", {I32({kBatch, 3}), F32({kBatch, 2})}),
              HasSubstr("expects targets i32[N], i32[N,1] or f32[N,2] for predictions f32[N,2], got i32[N,3]"));
}

TEST(Accuracy, IsTheMeanSinceTheEpochBegan) {
  const Expansion e(BuiltIns(), FB_METRIC, "accuracy", {I32({kBatch}), F32({kBatch, 2})}, "accuracy");
  EXPECT_EQ(e.builder.graph().updates().size(), 2u);
  const std::vector<double> mean =
      Numbers(e, {Literal::Of<int32_t>({2}, {0, 0}), Literal::Of<float>({2, 2}, {1, 0, 0, 1})},
              {{"accuracy/total", Literal::Scalar(7.0)}, {"accuracy/count", Literal::Scalar(8.0)}});
  EXPECT_EQ(mean.at(0), double(float(0.8)));
}

TEST(Sgd, HasNoMemoryWithoutMomentum) {
  const std::vector<Type> inputs = {F32({4, 3}), F32({4, 3}), F32({})};
  EXPECT_EQ(Symbols(FB_OPTIMIZER, "sgd", inputs), Canonical(R"(
    %a = input             : f32[4,3]
    %b = input             : f32[4,3]
    %c = input             : f32[]
    %0 = multiply %c, %b   : f32[4,3]  @it
    %1 = subtract %a, %0   : f32[4,3]  @it
    return y = %1
  )"));
  EXPECT_EQ(Symbols(FB_OPTIMIZER, "sgd:momentum=0.9", inputs), Canonical(R"(
    %a = input                             : f32[4,3]
    %b = input                             : f32[4,3]
    %c = input                             : f32[]
    %0 = multiply %c, %b                   : f32[4,3]  @it
    %optimizer/momentum = state {initializer = "attribute", kind = "scalar"}   : f32[]  @optimizer
    %it/momentum = state {initializer = "zeros", kind = "slot"}   : f32[4,3]  @it
    %1 = multiply %optimizer/momentum, %it/momentum   : f32[4,3]  @it
    %2 = subtract %1, %0                   : f32[4,3]  @it
    %3 = add %a, %2                        : f32[4,3]  @it
    update %it/momentum = %2
    return y = %3
  )"));
}

// m = 0.9 * 2 - 0.1 * 5 = 1.3; w = 1 + m, or with Nesterov w = 1 + 0.9 m - 0.5.
TEST(Sgd, StepsAsKerasDoes) {
  const auto step = [](const char* item) {
    const Expansion e(BuiltIns(), FB_OPTIMIZER, item, {F32({1}), F32({1}), F32({})});
    return Numbers(e, {Literal::Of<float>({1}, {1}), Literal::Of<float>({1}, {5}), Literal::Scalar(0.1f)},
                   {{"momentum", Literal::Of<float>({1}, {2})}, {"optimizer/momentum", Literal::Scalar(0.9f)}})
        .at(0);
  };
  EXPECT_NEAR(step("sgd"), 0.5, 1e-6);
  EXPECT_NEAR(step("sgd:momentum=0.9"), 2.3, 1e-6);
  EXPECT_NEAR(step("sgd:momentum=0.9,nesterov=true"), 1.67, 1e-6);
}

std::vector<double> Initial(const char* initializer, const Type& type, int64_t seed = 1) {
  HostBuilder b;
  b.Output("y", ExpandInitializer(b, BuiltIns(), Spec(initializer), type));
  EXPECT_OK(b.status());
  Bindings bindings;
  bindings.states = {{"seed", Literal::Scalar(seed)}, {"step", Literal::Scalar(int64_t{0})}};
  const absl::StatusOr<Evaluation> evaluation = Evaluate(b.graph(), bindings);
  EXPECT_OK(evaluation);
  return evaluation->outputs.at("y").ToDoubles();
}

struct Moments {
  double mean = 0, deviation = 0, least = 0, greatest = 0;
};
Moments MomentsOf(const std::vector<double>& v) {
  Moments m;
  m.mean = std::accumulate(v.begin(), v.end(), 0.0) / double(v.size());
  for (const double x : v) m.deviation += (x - m.mean) * (x - m.mean);
  m.deviation = std::sqrt(m.deviation / double(v.size()));
  m.least = *std::ranges::min_element(v);
  m.greatest = *std::ranges::max_element(v);
  return m;
}

TEST(Initializers, ZerosIsZero) {
  EXPECT_THAT(Initial("zeros", F32({2, 2})), ::testing::ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(Initial("zeros", I32({})), ::testing::ElementsAre(0));
}

TEST(Initializers, GlorotUniformHasItsRangeAndDeviation) {
  const double r = std::sqrt(6.0 / (100 + 200));
  const Moments m = MomentsOf(Initial("glorot_uniform", F32({100, 200})));
  EXPECT_NEAR(m.mean, 0, 0.003);
  EXPECT_NEAR(m.deviation, r / std::sqrt(3.0), 0.002);
  EXPECT_NEAR(m.least, -r, 0.001);
  EXPECT_NEAR(m.greatest, r, 0.001);
  EXPECT_NE(Initial("glorot_uniform", F32({4}), 1), Initial("glorot_uniform", F32({4}), 2));
}

TEST(Initializers, HeNormalIsCutAtTwoDeviations) {
  const double deviation = std::sqrt(2.0 / 100);
  const Moments m = MomentsOf(Initial("he_normal", F32({100, 200})));
  EXPECT_NEAR(m.mean, 0, 0.003);
  EXPECT_NEAR(m.deviation, deviation, 0.003);
  EXPECT_NEAR(m.least, -2 * deviation / 0.87962566, 0.003);
  EXPECT_NEAR(m.greatest, 2 * deviation / 0.87962566, 0.003);
}

// A row of the table: numbers drawn for a type have this mean, deviation, minimum and maximum.
struct InitializerCase {
  const char* initializer;
  double mean, deviation, least, greatest;
};

TEST(Initializers, HaveTheMomentsOfKerass) {
  // Truncated at two deviations, a normal keeps 0.8796 of its deviation: see the Keras source of VarianceScaling.
  constexpr double kCut = 0.87962566103423978;
  const auto uniform = [](const char* name, double variance) {
    const double r = std::sqrt(3 * variance);
    return InitializerCase{name, 0, r / std::sqrt(3.0), -r, r};
  };
  const auto cut = [](const char* name, double variance) {
    const double s = std::sqrt(variance);
    return InitializerCase{name, 0, s, -2 * s / kCut, 2 * s / kCut};
  };
  const double in = 100, out = 200;
  const InitializerCase cases[] = {
      {"ones", 1, 0, 1, 1},
      {"constant:value=-2.5", -2.5, 0, -2.5, -2.5},
      {"random_uniform", 0, 0.1 / std::sqrt(12.0), -0.05, 0.05},
      {"random_uniform:minval=1,maxval=3", 2, 2 / std::sqrt(12.0), 1, 3},
      {"truncated_normal", 0, 0.05 * kCut, -0.1, 0.1},
      {"truncated_normal:mean=2,stddev=0.5", 2, 0.5 * kCut, 1, 3},
      uniform("glorot_uniform", 2 / (in + out)),
      cut("glorot_normal", 2 / (in + out)),
      uniform("he_uniform", 2 / in),
      cut("he_normal", 2 / in),
      uniform("lecun_uniform", 1 / in),
      cut("lecun_normal", 1 / in),
      cut("variance_scaling", 1 / in),
      cut("variance_scaling:scale=3,mode=fan_out,distribution=normal", 3 / out),
      uniform("variance_scaling:mode=fan_avg,distribution=uniform", 2 / (in + out)),
  };
  for (const InitializerCase& c : cases) {
    SCOPED_TRACE(c.initializer);
    const Moments m = MomentsOf(Initial(c.initializer, F32({100, 200})));
    const double spread = c.greatest - c.least;
    EXPECT_NEAR(m.mean, c.mean, 0.01 * spread + 1e-6);
    EXPECT_NEAR(m.deviation, c.deviation, 0.01 * spread + 1e-6);
    EXPECT_NEAR(m.least, c.least, 0.01 * spread + 1e-6);
    EXPECT_NEAR(m.greatest, c.greatest, 0.01 * spread + 1e-6);
    EXPECT_GE(m.least, c.least - 1e-6);
    EXPECT_LE(m.greatest, c.greatest + 1e-6);
  }
}

TEST(Initializers, NormalHasTheTailsOfANormal) {
  for (const char* initializer :
       {"random_normal:mean=1,stddev=0.1", "variance_scaling:distribution=untruncated_normal"}) {
    const Moments m = MomentsOf(Initial(initializer, F32({100, 200})));
    EXPECT_NEAR(m.mean, initializer[0] == 'r' ? 1 : 0, 0.005);
    EXPECT_NEAR(m.deviation, 0.1, 0.003);
    EXPECT_GT(m.greatest - m.mean, 0.35);  // Of 20,000 numbers, one in 2,000 lies beyond.
    EXPECT_LT(m.greatest - m.mean, 0.55);
  }
}

TEST(Initializers, IdentityIsOneOnTheDiagonal) {
  EXPECT_THAT(Initial("identity:gain=2", F32({2, 3})), ::testing::ElementsAre(2, 0, 0, 0, 2, 0));
  HostBuilder b;
  ExpandInitializer(b, BuiltIns(), Spec("identity"), F32({3}));
  EXPECT_THAT(b.status(), StatusHasMessage(HasSubstr("makes matrices, got f32[3]")));
}

TEST(Initializers, OrthogonalIsOrthogonal) {
  for (const auto& [rows, columns] : std::vector<std::pair<int64_t, int64_t>>{{24, 24}, {40, 16}, {8, 30}}) {
    const std::vector<double> q = Initial("orthogonal:gain=3", F32({2, rows / 2, columns}));
    const bool tall = rows > columns;
    const int64_t vectors = tall ? columns : rows, length = tall ? rows : columns;
    const auto at = [&](int64_t vector, int64_t i) {
      return q[size_t(tall ? i * columns + vector : vector * columns + i)];
    };
    for (int64_t a = 0; a < vectors; ++a) {
      for (int64_t c = 0; c <= a; ++c) {
        double product = 0;
        for (int64_t i = 0; i < length; ++i) product += at(a, i) * at(c, i);
        EXPECT_NEAR(product, a == c ? 9 : 0, 1e-5) << rows << " x " << columns << ": " << a << ", " << c;
      }
    }
  }
}

TEST(Initializers, RefuseWhatMeansNothing) {
  const auto error = [](const char* initializer, const Type& type) {
    HostBuilder b;
    ExpandInitializer(b, BuiltIns(), Spec(initializer), type);
    return std::string(b.status().message());
  };
  EXPECT_THAT(error("random_uniform:minval=2", F32({3})),
              HasSubstr("attribute 'minval' must be at most 'maxval', 0.05, got 2"));
  EXPECT_THAT(error("variance_scaling:mode=fan", F32({3})),
              HasSubstr("attribute 'mode' must be fan_in, fan_out or fan_avg, got 'fan'"));
  EXPECT_THAT(error("variance_scaling:distribution=cauchy", F32({3})), HasSubstr("attribute 'distribution' must be"));
  EXPECT_THAT(error("variance_scaling:scale=0", F32({3})), HasSubstr("attribute 'scale' must be above 0, got 0"));
  EXPECT_THAT(error("orthogonal", F32({3})), HasSubstr("makes tensors of rank 2 or more, got f32[3]"));
}

TEST(Initializers, CountFansAsKerasDoes) {
  const auto reach = [](const Type& type) { return MomentsOf(Initial("glorot_uniform", type)).greatest; };
  EXPECT_NEAR(reach(F32({3, 3, 100, 200})), std::sqrt(6.0 / (9 * 300)), 1e-4);  // A convolution's kernel.
  EXPECT_NEAR(reach(F32({3000})), std::sqrt(6.0 / 6000), 1e-3);
}

// Returns an error value for an error value, and keeps the first message.
TEST(Expand, DoesNothingAfterAnError) {
  HostBuilder b;
  const Value x = b.Input("x", F32({7}));
  const Value bad = ExpandItem(b, BuiltIns(), FB_LAYER, Spec("dense:units=3"), {x}, "first");
  const Value worse = ExpandItem(b, BuiltIns(), FB_LAYER, Spec("dense:units=3"), {bad}, "second");
  EXPECT_FALSE(worse.ok());
  EXPECT_THAT(b.status(), StatusHasMessage(StartsWith("'first', ")));
  EXPECT_EQ(b.who, "");
  EXPECT_FALSE(b.expand);
}

}  // namespace
}  // namespace fusebox
