// SPDX-License-Identifier: Apache-2.0
// Compares the activations with Keras's, by numbers from tests/python/make_keras_items.py.
#include <cmath>

#include "fusebox/compiler/passes/differentiate.h"
#include "tests/plugins/keras_items.h"
#include "tests/plugins/plugins.h"
#include "tests/support/random_graph.h"

namespace fusebox::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Keras's f32 results are themselves off by some ulp of the largest intermediate: x (1 + erf), for example, near -5.
constexpr double kRelative = 1e-5, kAbsolute = 2e-6;

TEST(Activations, AreKerass) {
  const std::map<std::string, Literal> arrays = KerasArrays("keras_items/activations.npz");
  const Literal &x = arrays.at("x"), &r = arrays.at("r");
  int compared = 0;
  for (const auto& [words, y] : arrays) {
    const auto keras_gradient = arrays.find("gradient " + words);
    if (keras_gradient == arrays.end()) continue;
    ++compared;
    Expansion e(BuiltIns(), FB_ACTIVATION, words, {F32({kBatch, x.shape()[1]})});
    ASSERT_EQ(e.error(), "") << words;
    const Value columns = e.builder.Input("r", e.builder.graph()[e.y.id].type);
    e.builder.Output("dx", Gradient(Sum(e.y * columns, {0, 1}), e.builder.Wrap(1)));
    ASSERT_OK(e.builder.status()) << words;
    ASSERT_OK_AND_ASSIGN(const Graph graph, Differentiate(e.builder.graph()));
    Literal weights(DType::kF32, y.shape());
    for (int64_t i = 0; i < weights.size(); ++i) {
      const int64_t width = y.shape()[1];
      weights.mutable_values<float>()[size_t(i)] = r.values<float>()[size_t(i / width * r.shape()[1] + i % width)];
    }
    const Bindings bindings = {.inputs = {{"a", x}, {"r", weights}}, .states = {}, .batch = x.shape()[0]};
    ASSERT_OK_AND_ASSIGN(const Evaluation got, Evaluate(graph, bindings));
    ExpectClose(got.outputs.at("y"), y, kRelative, kAbsolute, words);
    ExpectClose(got.outputs.at("dx"), keras_gradient->second, kRelative, kAbsolute, "gradient of " + words);
  }
  EXPECT_EQ(compared, 42);
}

TEST(Activations, HaveTheGradientsOfFiniteDifferences) {
  for (const auto& [words, y] : KerasArrays("keras_items/activations.npz")) {
    if (words == "x" || words == "r" || words.starts_with("gradient ")) continue;
    const Expansion e(BuiltIns(), FB_ACTIVATION, words, {F32({kBatch, 6})});
    const Graph graph = Widened(e.builder.graph());
    ExpectGradientsOf(graph, RandomBindings(graph, 5, 7), words);
  }
}

// With z = x - tau where that is above 0: tau from a bisection of sum(max(x - tau, 0)) = 1.
TEST(Activations, SparsemaxIsTheNearestPointOfTheSimplex) {
  const std::map<std::string, Literal> arrays = KerasArrays("keras_items/activations.npz");
  const Literal& x = arrays.at("x");
  const Bindings bindings = {.inputs = {{"a", x}}, .states = {}, .batch = x.shape()[0]};
  const Expansion e(BuiltIns(), FB_ACTIVATION, "sparsemax", {F32({kBatch, 6})});
  ASSERT_OK_AND_ASSIGN(const Evaluation got, Evaluate(e.builder.graph(), bindings));
  const std::vector<double> in = x.ToDoubles(), y = got.outputs.at("y").ToDoubles();
  for (size_t row = 0; row < in.size(); row += 6) {
    double low = -100, high = 100;
    for (int step = 0; step < 60; ++step) {
      const double tau = (low + high) / 2;
      double sum = 0;
      for (size_t i = row; i < row + 6; ++i) sum += std::max(in[i] - tau, 0.0);
      (sum > 1 ? low : high) = tau;
    }
    for (size_t i = row; i < row + 6; ++i) EXPECT_NEAR(y[i], std::max(in[i] - low, 0.0), 1e-5) << "element " << i;
  }
  const Expansion other(BuiltIns(), FB_ACTIVATION, "sparsemax:axis=1", {F32({kBatch, 3, 2})});
  const Graph graph = Widened(other.builder.graph());
  ExpectGradientsOf(graph, RandomBindings(graph, 5, 7), "sparsemax along axis 1");
}

TEST(Activations, StepsAndSignsHaveNoGradient) {
  const Literal x = Literal::Of<float>({5}, {-2, -0.0f, 0, 3, std::nanf("")});
  const std::map<std::string, std::vector<double>> expected = {
      {"heaviside", {0, 1, 1, 1}}, {"step", {0, 1, 1, 1}}, {"sign", {-1, 0, 0, 1}}};
  for (const auto& [words, values] : expected) {
    Expansion e(BuiltIns(), FB_ACTIVATION, words, {F32({kBatch})});
    e.builder.Output("dx", Gradient(Sum(e.y, {0}), e.builder.Wrap(1)));
    ASSERT_OK_AND_ASSIGN(const Graph graph, Differentiate(e.builder.graph()));
    ASSERT_OK_AND_ASSIGN(const Evaluation got, Evaluate(graph, {.inputs = {{"a", x}}, .states = {}, .batch = 5}));
    std::vector<double> y = got.outputs.at("y").ToDoubles();
    EXPECT_TRUE(std::isnan(y.back())) << words;
    y.pop_back();
    EXPECT_EQ(y, values) << words;
    EXPECT_EQ(got.outputs.at("dx").ToDoubles(), std::vector<double>(5)) << words;
  }
}

// Arguments where exp or x^2 would overflow, infinities and NaN.
TEST(Activations, KeepTheirLimits) {
  constexpr double kInf = HUGE_VAL;
  const std::map<std::string, std::vector<double>> expected = {
      {"elu", {-1, -1, 1e9, kInf}},
      {"selu", {-1.7580993408473766, -1.7580993408473766, 1.0507009873554805e9, kInf}},
      {"celu", {-1, -1, 1e9, kInf}},
      {"softplus", {0, 0, 1e9, kInf}},
      {"log_sigmoid", {-kInf, -1e9, 0, 0}},
      {"leaky_relu", {-kInf, -2e8, 1e9, kInf}},
      {"relu6", {0, 0, 6, 6}},
      {"hard_tanh", {-1, -1, 1, 1}},
      {"hard_sigmoid", {0, 0, 1, 1}},
      {"sparse_plus", {0, 0, 1e9, kInf}},
      {"relu:threshold=1,negative_slope=0.5,max_value=7", {-kInf, -5e8, 7, 7}}};
  for (const auto& [words, values] : expected) {
    Expansion e(BuiltIns(), FB_ACTIVATION, words, {F32({kBatch})});
    ASSERT_EQ(e.error(), "") << words;
    e.builder.Output("dx", Gradient(Sum(e.y, {0}), e.builder.Wrap(1)));
    ASSERT_OK_AND_ASSIGN(const Graph graph, Differentiate(e.builder.graph()));
    const Literal x = Literal::Of<float>({5}, {-HUGE_VALF, -1e9f, 1e9f, HUGE_VALF, std::nanf("")});
    ASSERT_OK_AND_ASSIGN(const Evaluation got, Evaluate(graph, {.inputs = {{"a", x}}, .states = {}, .batch = 5}));
    const std::vector<double> y = got.outputs.at("y").ToDoubles(), dx = got.outputs.at("dx").ToDoubles();
    for (size_t i = 0; i < values.size(); ++i) {
      EXPECT_FLOAT_EQ(float(y[i]), float(values[i])) << words << ", element " << i;
      EXPECT_TRUE(std::isfinite(dx[i])) << words << ", gradient of element " << i;
    }
    EXPECT_TRUE(std::isnan(y[4])) << words;
  }
}

TEST(Activations, SayWhatIsWrong) {
  const auto error = [](const char* words, const Type& type) {
    return Expansion(BuiltIns(), FB_ACTIVATION, words, {type}, "it").error();
  };
  const Type row = F32({kBatch, 5});
  EXPECT_THAT(error("gelu:aproximate=true", row),
              AllOf(HasSubstr("activation fusebox/gelu@1"),
                    HasSubstr(": has no attribute 'aproximate': did you mean 'approximate'?")));
  EXPECT_THAT(error("glu", row), HasSubstr("expects an even size of axis -1, got f32[N,5]"));
  EXPECT_THAT(error("glu:axis=3", row), HasSubstr("axis 3 does not exist in f32[N,5]"));
  EXPECT_THAT(error("softmax:axis=2", row), HasSubstr("axis 2 does not exist in f32[N,5]"));
  EXPECT_THAT(error("log_softmax", F32({kBatch})), HasSubstr("expects [batch, ..., classes], got f32[N]"));
  EXPECT_THAT(error("sparsemax:axis=0", row), HasSubstr("expects axis 0 to have a fixed size, got f32[N,5]"));
  EXPECT_THAT(error("relu:max_value=-1", row), HasSubstr("expects a max_value of 0 or more, or none, got -1"));
  EXPECT_THAT(error("relu:negative_slope=-1", row),
              HasSubstr("'negative_slope' must be a float of at least 0, got -1"));
  EXPECT_THAT(error("celu:alpha=0", row), HasSubstr("expects an alpha other than 0"));
  EXPECT_THAT(error("threshold:threshold=1", row), HasSubstr("needs attribute 'default_value'"));
  EXPECT_THAT(error("tanh", I32({kBatch})), HasSubstr("tanh: expects f32 or f64, got i32[N]"));
  EXPECT_THAT(error("geluu", row), HasSubstr("unknown activation 'geluu': did you mean 'gelu'"));
}

// Losses that work on logits recognize only those of the plain softmax.
TEST(Activations, OnlyPlainSoftmaxHasLogits) {
  const auto logits = [](const char* words) {
    const Expansion e(BuiltIns(), FB_ACTIVATION, words, {F32({kBatch, 2, 3})});
    return e.builder.Preimage(e.y.id, "fusebox/softmax");
  };
  EXPECT_EQ(logits("softmax"), 1u);
  EXPECT_EQ(logits("softmax:axis=-1"), 1u);
  EXPECT_EQ(logits("softmax:axis=1"), 0u);
}

}  // namespace
}  // namespace fusebox::testing
