// SPDX-License-Identifier: Apache-2.0
// Compares the losses with Keras's, by numbers from tests/python/make_keras_losses.py, and tests messages for wrong
// inputs.
#include <cmath>

#include "fusebox/compiler/passes/differentiate.h"
#include "fusebox/runtime/programs/loss_reduction.h"
#include "tests/plugins/keras_items.h"
#include "tests/plugins/plugins.h"
#include "tests/support/random_graph.h"

namespace fusebox::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr double kRelative = 1e-5, kAbsolute = 2e-6;

Type BatchOf(const Literal& data) {
  Type type{data.dtype(), Shape(data.shape().begin(), data.shape().end())};
  type.shape[0] = kBatch;
  return type;
}

struct Case {
  std::string words, kind;
};
// The cases of the file: "huber:delta=2|real".
std::vector<Case> Cases(const std::map<std::string, Literal>& arrays) {
  std::vector<Case> cases;
  for (const auto& [name, value] : arrays) {
    const size_t bar = name.find('|');
    if (bar == std::string::npos || name.starts_with("gradient ")) continue;
    cases.push_back({name.substr(0, bar), name.substr(bar + 1)});
  }
  return cases;
}

// If Keras's result is the same for all samples, it is one number.
Literal Repeated(const Literal& value, int64_t count) {
  if (value.rank() > 0) return value;
  return Literal::FromDoubles(value.dtype(), {count}, std::vector<double>(size_t(count), value.ToDoubles()[0]));
}

TEST(Losses, AreKerass) {
  const std::map<std::string, Literal> arrays = KerasArrays("keras_losses/losses.npz");
  const std::vector<Case> cases = Cases(arrays);
  EXPECT_EQ(cases.size(), 58u);
  for (const auto& [words, kind] : cases) {
    const std::string what = words + "|" + kind;
    const Literal &y_true = arrays.at(kind + " true"), &y_pred = arrays.at(kind + " pred");
    Expansion e(BuiltIns(), FB_LOSS, words, {BatchOf(y_true), BatchOf(y_pred)});
    ASSERT_EQ(e.error(), "") << what;
    HostBuilder& b = e.builder;
    const ReducedLoss reduced = ReduceLoss(b, Spec(words), e.y, b.Wrap(0), b.Wrap(0), b.Wrap(0));
    b.Output("gradient", Gradient(reduced.loss, b.Wrap(2)));
    ASSERT_OK(b.status()) << what;
    ASSERT_OK_AND_ASSIGN(const Graph graph, Differentiate(b.graph()));
    const Bindings bindings = {.inputs = {{"a", y_true}, {"b", y_pred}}, .states = {}, .batch = y_pred.shape()[0]};
    ASSERT_OK_AND_ASSIGN(const Evaluation got, Evaluate(graph, bindings));
    // Where samples are ignored, our loss already scales up the others.
    const bool ignores = words.find("ignore_class") != std::string::npos || kind == "embeddings_alone";
    const bool weighs = ignores && words.find("sum") == std::string::npos;
    if (!weighs) {
      ExpectClose(got.outputs.at("y"), Repeated(arrays.at(what), y_pred.shape()[0]), kRelative, kAbsolute, what);
    }
    ExpectClose(got.outputs.at("gradient"), arrays.at("gradient " + what), kRelative, kAbsolute, "gradient of " + what);
  }
}

// A batch whose samples all weigh 0 has no loss, and changes no weight: neither is NaN. So with each reduction that
// divides by the weights.
TEST(Losses, AreZeroWhereAllSamplesWeighNothing) {
  const std::map<std::string, Literal> arrays = KerasArrays("keras_losses/losses.npz");
  for (const auto& [words, kind] : Cases(arrays)) {
    if (words.find("reduction") != words.npos || words.find("ignore_class") != words.npos || kind == "embeddings_alone")
      continue;
    for (const char* reduction : {"sum_over_batch_size", "mean", "sum", "mean_with_sample_weight"}) {
      const std::string what =
          fmt::format("{}{}reduction={}", words, words.find(':') == words.npos ? ":" : ",", reduction);
      const Literal &y_true = arrays.at(kind + " true"), &y_pred = arrays.at(kind + " pred");
      const int64_t samples = y_pred.shape()[0];
      Expansion e(BuiltIns(), FB_LOSS, what, {BatchOf(y_true), BatchOf(y_pred)});
      if (e.error().find("has no reduction") != std::string::npos) continue;  // Circle reduces in a way of its own.
      ASSERT_EQ(e.error(), "") << what;
      HostBuilder& b = e.builder;
      const Value weight = b.Input("c", F32({kBatch}));
      const ReducedLoss reduced = ReduceLoss(b, Spec(what), e.y, weight, b.Wrap(0), b.Wrap(0));
      b.Output("loss", reduced.loss);
      b.Output("gradient", Gradient(reduced.loss, b.Wrap(2)));
      ASSERT_OK(b.status()) << what;
      ASSERT_OK_AND_ASSIGN(const Graph graph, Differentiate(b.graph()));
      const Literal none = Literal::FromDoubles(DType::kF32, {samples}, std::vector<double>(size_t(samples)));
      const Bindings bindings = {.inputs = {{"a", y_true}, {"b", y_pred}, {"c", none}}, .states = {}, .batch = samples};
      ASSERT_OK_AND_ASSIGN(const Evaluation got, Evaluate(graph, bindings));
      EXPECT_EQ(got.outputs.at("loss").ToDoubles()[0], 0) << what;
      for (const double g : got.outputs.at("gradient").ToDoubles()) ASSERT_EQ(g, 0) << what;
    }
  }
}

// Numbers as f64, kept away from the kinks of losses: from 0 and 1 if these are the limits.
Literal Inner(const Literal& data) {
  std::vector<double> numbers = data.ToDoubles();
  const bool limited = std::ranges::all_of(numbers, [](double v) { return v >= 0 && v <= 1; });
  for (double& v : numbers) v = limited ? std::clamp(v, 0.02, 0.98) : v;
  return Literal::FromDoubles(DType::kF64, data.shape(), numbers);
}

TEST(Losses, HaveTheGradientsOfFiniteDifferences) {
  const std::map<std::string, Literal> arrays = KerasArrays("keras_losses/losses.npz");
  for (const auto& [words, kind] : Cases(arrays)) {
    const Literal &y_true = arrays.at(kind + " true"), &y_pred = arrays.at(kind + " pred");
    // Integer targets stay as they are.
    const std::vector<double> targets = y_true.ToDoubles();
    const bool whole = std::ranges::all_of(targets, [](double v) { return v == std::floor(v); });
    Type target_type = BatchOf(y_true);
    if (whole) target_type.dtype = DType::kI32;
    const Expansion e(BuiltIns(), FB_LOSS, words, {target_type, BatchOf(y_pred)});
    const Graph graph = Widened(e.builder.graph());
    const DType dtype = whole ? DType::kI32 : DType::kF64;
    const Bindings bindings = {
        .inputs = {{"a", Literal::FromDoubles(dtype, y_true.shape(), targets)}, {"b", Inner(y_pred)}},
        .states = {},
        .batch = y_pred.shape()[0]};
    ExpectGradientsOf(graph, bindings, words + "|" + kind);
  }
}

// The loss of [N] against [N, 1], in either order, equals that of [N, 1] against [N, 1].
TEST(Losses, LineUpAColumn) {
  const std::vector<float> truth = {1, 0, 1}, said = {0.9f, 0.2f, 0.4f};
  for (const PluginItem* item : BuiltIns().items()) {
    const bool classes = (item->flags & FB_CLASS_LABELS) != 0;
    if (item->kind != FB_LOSS || item->library->id != "fusebox/losses" || classes || item->name().starts_with("cat")) {
      continue;
    }
    if (item->name() == "perceptron") continue;  // Accepts only the activation heaviside.
    std::vector<std::vector<double>> results;
    for (const auto& [true_rank, pred_rank] : {std::pair(2, 2), {1, 2}, {2, 1}, {1, 1}}) {
      const auto type = [](int rank) { return rank == 1 ? F32({kBatch}) : F32({kBatch, 1}); };
      const auto data = [](int rank, const std::vector<float>& v) {
        return Literal::Of<float>(rank == 1 ? Sizes{3} : Sizes{3, 1}, {v[0], v[1], v[2]});
      };
      const Expansion e(BuiltIns(), FB_LOSS, item->id, {type(true_rank), type(pred_rank)});
      ASSERT_EQ(e.error(), "") << item->id;
      EXPECT_EQ(e.type(), "f32[N]") << item->id;
      const Bindings bindings = {
          .inputs = {{"a", data(true_rank, truth)}, {"b", data(pred_rank, said)}}, .states = {}, .batch = 3};
      ASSERT_OK_AND_ASSIGN(const Evaluation got, Evaluate(e.builder.graph(), bindings));
      results.push_back(got.outputs.at("y").ToDoubles());
      EXPECT_EQ(results.back(), results.front()) << item->id;
    }
  }
}

TEST(Losses, CrossentropyFollowsTheShapes) {
  const auto symbols = [](const char* words, const Type& y_true, const Type& y_pred) {
    const Expansion e(BuiltIns(), FB_LOSS, words, {y_true, y_pred});
    EXPECT_EQ(e.error(), "");
    return e.text();
  };
  const Type one = F32({kBatch, 1}), five = F32({kBatch, 5}), deep = F32({kBatch, 3, 5});
  EXPECT_EQ(symbols("crossentropy", one, one), symbols("binary_crossentropy", one, one));
  EXPECT_EQ(symbols("crossentropy", F32({kBatch}), one), symbols("bce", F32({kBatch}), one));
  EXPECT_EQ(symbols("ce", F32({kBatch}), five), symbols("sparse_categorical_crossentropy", F32({kBatch}), five));
  EXPECT_EQ(symbols("ce", one, five), symbols("sparse_categorical_crossentropy", one, five));
  EXPECT_EQ(symbols("ce", F32({kBatch, 3}), deep), symbols("sparse_categorical_crossentropy", F32({kBatch, 3}), deep));
  EXPECT_EQ(symbols("ce", five, five), symbols("categorical_crossentropy", five, five));
}

// The gradient is t where a unit is wrong or undecided, otherwise 0.
TEST(Losses, PerceptronLearnsFromMistakesAlone) {
  const Type units = F32({kBatch, 2});
  HostBuilder b;
  const Value y = b.Input("y", units), z = b.Input("z", units);
  const Value said = ExpandItem(b, BuiltIns(), FB_ACTIVATION, Spec("heaviside"), {z}, "");
  const Value loss = ExpandItem(b, BuiltIns(), FB_LOSS, Spec("perceptron"), {y, said}, "it");
  b.Output("y", loss);
  b.Output("gradient", Gradient(Sum(loss, {0}), z));
  ASSERT_OK(b.status());
  ASSERT_OK_AND_ASSIGN(const Graph graph, Differentiate(b.graph()));
  const Bindings bindings = {.inputs = {{"y", Literal::Of<float>({3, 2}, {1, 0, 1, 0, 1, 0})},
                                        {"z", Literal::Of<float>({3, 2}, {-2, -2, 3, 3, 0, 0})}},
                             .states = {},
                             .batch = 3};
  ASSERT_OK_AND_ASSIGN(const Evaluation got, Evaluate(graph, bindings));
  EXPECT_EQ(got.outputs.at("y").ToDoubles(), (std::vector<double>{2, 3, 0}));
  EXPECT_EQ(got.outputs.at("gradient").ToDoubles(), (std::vector<double>{-1, 0, 0, 1, -1, 1}));
  EXPECT_THAT(Expansion(BuiltIns(), FB_LOSS, "perceptron", {units, units}).error(),
              HasSubstr("expects the output of the activation heaviside, got f32[N,2]"));
}

TEST(Losses, HaveKerassShortNames) {
  const std::pair<const char*, const char*> names[] = {{"mse", "mean_squared_error"},
                                                       {"MAE", "mean_absolute_error"},
                                                       {"mape", "mean_absolute_percentage_error"},
                                                       {"MSLE", "mean_squared_logarithmic_error"},
                                                       {"kld", "kl_divergence"},
                                                       {"bce", "binary_crossentropy"}};
  for (const auto& [alias, name] : names) {
    ASSERT_OK_AND_ASSIGN(const PluginItem* item, BuiltIns().Find(FB_LOSS, alias));
    EXPECT_EQ(item->name(), name);
  }
}

// Uses the logits of sigmoid and softmax, so that nothing is clipped: losses of large logits are exact.
TEST(Losses, WorkFromTheLogitsOfActivations) {
  for (const auto& [activation, loss] : {std::pair("sigmoid", "binary_crossentropy"),
                                         {"softmax", "categorical_crossentropy"},
                                         {"softmax", "sparse_categorical_crossentropy"}}) {
    HostBuilder b;
    const Value z = b.Input("z", F32({kBatch, 2}));
    const Type target = std::string(loss).starts_with("sparse") ? I32({kBatch}) : F32({kBatch, 2});
    const Value y = b.Input("y", target);
    const Value p = ExpandItem(b, BuiltIns(), FB_ACTIVATION, Spec(activation), {z}, "activation");
    b.Output("loss", ExpandItem(b, BuiltIns(), FB_LOSS, Spec(loss), {y, p}, "loss"));
    ASSERT_OK(b.status());
    const Literal truth = target.rank() == 1 ? Literal::Of<int32_t>({1}, {1}) : Literal::Of<float>({1, 2}, {0, 1});
    const Bindings bindings = {
        .inputs = {{"z", Literal::Of<float>({1, 2}, {-500, -800})}, {"y", truth}}, .states = {}, .batch = 1};
    ASSERT_OK_AND_ASSIGN(const Evaluation got, Evaluate(b.graph(), bindings));
    const double expected = std::string(activation) == "sigmoid" ? 400 : 300;
    EXPECT_FLOAT_EQ(float(got.outputs.at("loss").ToDoubles()[0]), float(expected)) << loss;
  }
}

TEST(Losses, SayWhatIsWrong) {
  const auto error = [](const char* words, const Type& y_true, const Type& y_pred) {
    return Expansion(BuiltIns(), FB_LOSS, words, {y_true, y_pred}, "it").error();
  };
  const Type column = F32({kBatch, 1}), five = F32({kBatch, 5}), flat = F32({kBatch});
  EXPECT_THAT(error("huber", F32({kBatch, 2}), five), HasSubstr("expects targets like f32[N,5], got f32[N,2]"));
  EXPECT_THAT(error("mean_absolute_error", flat, five), HasSubstr("expects targets like f32[N,5], got f32[N]"));
  EXPECT_THAT(error("hinge", five, I32({kBatch, 5})), HasSubstr("expects predictions f32[batch, ...], got i32[N,5]"));
  for (const char* loss : {"categorical_crossentropy", "categorical_focal_crossentropy", "categorical_hinge"}) {
    EXPECT_THAT(error(loss, flat, five),
                HasSubstr("expects one-hot targets like f32[N,5], got f32[N]: for class indices use "
                          "sparse_categorical_crossentropy"))
        << loss;
    EXPECT_THAT(error(loss, column, five), HasSubstr("got f32[N,1]: for class indices use sparse_")) << loss;
  }
  EXPECT_THAT(error("sparse_categorical_crossentropy", five, five),
              HasSubstr("expects one class per prediction, i32[N] for f32[N,5], got f32[N,5]: for one-hot targets use "
                        "categorical_crossentropy"));
  EXPECT_THAT(error("sparse_categorical_crossentropy", F32({kBatch, 2}), five),
              HasSubstr("expects one class per prediction, i32[N] for f32[N,5], got f32[N,2] ["));
  for (const char* loss : {"categorical_crossentropy", "sparse_categorical_crossentropy"}) {
    EXPECT_THAT(
        error(loss, column, column),
        HasSubstr("expects predictions of two or more classes, got f32[N,1]: a softmax of one unit is always 1, so "
                  "use binary_crossentropy and a sigmoid"))
        << loss;
  }
  HostBuilder b;
  const Value p = ExpandItem(b, BuiltIns(), FB_ACTIVATION, Spec("softmax"), {b.Input("z", column)}, "");
  ExpandItem(b, BuiltIns(), FB_LOSS, Spec("binary_crossentropy"), {b.Input("y", column), p}, "it");
  EXPECT_THAT(std::string(b.status().message()),
              HasSubstr("expects probabilities of a sigmoid, got a softmax of one unit, f32[N,1], which is always 1"));
  EXPECT_THAT(error("sparse_categorical_crossentropy:axis=1", F32({kBatch, 3}), F32({kBatch, 3, 5})),
              HasSubstr("expects the classes in the last axis, got axis 1 of f32[N,3,5]"));
  EXPECT_THAT(error("sparse_categorical_crossentropy:ignore_class=1,reduction=mean_with_sample_weight", flat, five),
              HasSubstr("does not support ignore_class with the reduction mean_with_sample_weight"));
  EXPECT_THAT(error("categorical_generalized_cross_entropy:q=1", flat, five),
              HasSubstr("expects q between 0 and 1, got 1"));
  EXPECT_THAT(error("categorical_generalized_cross_entropy:q=3", flat, five),
              HasSubstr("'q' must be a float in [0, 1], got 3"));
  EXPECT_THAT(error("circle", five, five),
              HasSubstr("expects classes y_true [N] and embeddings y_pred [N, D], got f32[N,5] and f32[N,5]"));
  EXPECT_THAT(error("circle:reduction=mean_with_sample_weight", flat, five),
              HasSubstr("has no reduction mean_with_sample_weight"));
  EXPECT_THAT(error("huber:delta=-1", five, five), HasSubstr("'delta' must be a float of at least 0, got -1"));
  EXPECT_THAT(error("hubr", five, five), HasSubstr("unknown loss 'hubr': did you mean 'huber'"));
  Expansion e(BuiltIns(), FB_LOSS, "huber:reduction=median", {five, five});
  ReduceLoss(e.builder, Spec("huber:reduction=median"), e.y, e.builder.Wrap(0), e.builder.Wrap(0), e.builder.Wrap(0));
  EXPECT_THAT(e.error(), HasSubstr("loss huber: expects reduction sum_over_batch_size, mean, sum or "
                                   "mean_with_sample_weight, got 'median'"));
}

}  // namespace
}  // namespace fusebox::testing
