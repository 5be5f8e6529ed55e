// SPDX-License-Identifier: Apache-2.0
// Compares the metrics with Keras's over several batches, by numbers from tests/python/make_keras_losses.py, and tests
// messages for wrong inputs.
#include <cmath>

#include "tests/plugins/keras_items.h"
#include "tests/plugins/plugins.h"

namespace fusebox::testing {
namespace {

using ::testing::HasSubstr;

constexpr double kRelative = 1e-5, kAbsolute = 1e-6;

Literal Rows(const Literal& all, int64_t begin, int64_t end) {
  Sizes shape = all.shape();
  const size_t row = all.bytes().size() / size_t(shape[0]);
  shape[0] = end - begin;
  Literal rows(all.dtype(), shape);
  std::memcpy(rows.mutable_bytes().data(), all.bytes().data() + size_t(begin) * row, rows.bytes().size());
  return rows;
}

Type BatchOf(const Literal& data) {
  Type type{data.dtype(), Shape(data.shape().begin(), data.shape().end())};
  type.shape[0] = kBatch;
  return type;
}

// The result after each batch, of a metric of several numbers all of them.
std::vector<double> Results(const std::string& words, const std::vector<Literal>& data,
                            const std::vector<int64_t>& ends) {
  std::vector<Type> types;
  for (const Literal& d : data) types.push_back(BatchOf(d));
  const Expansion e(BuiltIns(), FB_METRIC, words, types);
  EXPECT_EQ(e.error(), "") << words;
  EXPECT_TRUE(e.type().starts_with("f32[") && e.type().find(',') == std::string::npos) << words << ": " << e.type();
  const Graph& graph = e.builder.graph();
  std::map<std::string, Literal> states;
  for (NodeId id = 1; id < graph.size(); ++id) {
    if (graph[id].op != Op::kState) continue;
    EXPECT_EQ(graph[id].attributes.String("kind"), "accumulator") << words;
    states[graph[id].attributes.String("name")] =
        Literal(graph[id].type.dtype, Sizes(graph[id].type.shape.begin(), graph[id].type.shape.end()));
  }
  std::vector<double> results;
  int64_t begin = 0;
  for (const int64_t end : ends) {
    Bindings bindings = {.inputs = {}, .states = states, .batch = end - begin};
    for (size_t i = 0; i < data.size(); ++i) bindings.inputs[std::string(1, char('a' + i))] = Rows(data[i], begin, end);
    const absl::StatusOr<Evaluation> got = Evaluate(graph, bindings);
    EXPECT_OK(got) << words;
    if (!got.ok()) return {};
    for (const double result : got->outputs.at("y").ToDoubles()) results.push_back(result);
    for (const auto& [name, value] : got->states) states[name] = value;
    begin = end;
  }
  return results;
}

TEST(Metrics, AreKerassAfterEachBatch) {
  const std::map<std::string, Literal> arrays = KerasArrays("keras_losses/metrics.npz");
  int plain = 0, weighed = 0;
  for (const auto& [name, expected] : arrays) {
    const size_t bar = name.find('|');
    if (bar == std::string::npos) continue;
    const bool weighted = name.starts_with("weighted ");
    ++(weighted ? weighed : plain);
    const size_t first = weighted ? 9 : 0;
    const std::string words = name.substr(first, bar - first), kind = name.substr(bar + 1);
    std::vector<Literal> data = {arrays.at(kind + " true"), arrays.at(kind + " pred")};
    if (weighted) data.push_back(arrays.at("weights"));
    const std::vector<double> got = Results(words, data, {7, 14, 18});
    ASSERT_EQ(got.size(), expected.ToDoubles().size()) << name;
    ExpectClose(Literal::FromDoubles(DType::kF32, expected.shape(), got), expected, kRelative, kAbsolute, name);
  }
  EXPECT_EQ(plain, 113);
  EXPECT_GE(weighed, 96);
}

// Without samples that count, a metric is a number all the same.
TEST(Metrics, AreNumbersWhereAllSamplesWeighNothing) {
  const std::map<std::string, Literal> arrays = KerasArrays("keras_losses/metrics.npz");
  for (const auto& [name, expected] : arrays) {
    const size_t bar = name.find('|');
    if (bar == std::string::npos || !name.starts_with("weighted ")) continue;
    const std::string words = name.substr(9, bar - 9), kind = name.substr(bar + 1);
    const Literal none = Literal::FromDoubles(DType::kF32, arrays.at("weights").shape(), std::vector<double>(18));
    const std::vector<double> got =
        Results(words, {arrays.at(kind + " true"), arrays.at(kind + " pred"), none}, {7, 18});
    ASSERT_GE(got.size(), 2u) << name;
    for (const double result : got) EXPECT_TRUE(std::isfinite(result)) << name << ": " << result;
  }
}

// The final result is the same for any batches, except for metrics that depend on batches by definition.
TEST(Metrics, DoNotDependOnTheBatches) {
  const std::map<std::string, Literal> arrays = KerasArrays("keras_losses/metrics.npz");
  for (const auto& [name, expected] : arrays) {
    const size_t bar = name.find('|');
    if (bar == std::string::npos || name.starts_with("weighted ") || name.find("hinge") != std::string::npos) continue;
    const std::string words = name.substr(0, bar), kind = name.substr(bar + 1);
    const std::vector<Literal> data = {arrays.at(kind + " true"), arrays.at(kind + " pred")};
    const std::vector<double> one = Results(words, data, {18}), many = Results(words, data, {1, 2, 13, 18});
    ASSERT_EQ(many.size(), 4 * one.size()) << name;
    for (size_t i = 0; i < one.size(); ++i)
      EXPECT_NEAR(one[i], many[3 * one.size() + i], 2e-6 * std::max(1.0, std::abs(one[i]))) << name;
  }
}

// [N] and [N, 1] are aligned, never broadcast to [N, N].
TEST(Metrics, LineUpAColumn) {
  const std::vector<float> truth = {1, 0, 1, 1, 0}, said = {0.9f, 0.2f, 0.4f, 0.8f, 0.6f};
  const auto data = [](int rank, const std::vector<float>& v) {
    return Literal::Of<float>(rank == 1 ? Sizes{5} : Sizes{5, 1}, {v[0], v[1], v[2], v[3], v[4]});
  };
  for (const char* words : {"accuracy",
                            "exact_accuracy",
                            "binary_accuracy",
                            "true_positives",
                            "precision",
                            "recall",
                            "auc",
                            "binary_iou",
                            "auc:multi_label=true",
                            "mean_squared_error",
                            "root_mean_squared_error",
                            "r2_score",
                            "f1_score:threshold=0.5",
                            "poisson",
                            "kl_divergence",
                            "hinge",
                            "binary_crossentropy",
                            "cosine_similarity",
                            "log_cosh_error",
                            "mean",
                            "sum",
                            "mean_relative_error:normalizer=2",
                            "sensitivity_at_specificity:specificity=0.5"}) {
    const std::vector<double> expected = Results(words, {data(2, truth), data(2, said)}, {3, 5});
    for (const auto& [true_rank, pred_rank] : {std::pair(1, 2), {2, 1}, {1, 1}}) {
      EXPECT_EQ(Results(words, {data(true_rank, truth), data(pred_rank, said)}, {3, 5}), expected) << words;
    }
  }
}

// Computed by hand: Keras no longer has this metric.
TEST(Metrics, MeanRelativeErrorIsMeasuredByItsNormalizer) {
  const std::vector<Literal> data = {Literal::Of<float>({2, 2}, {1, 2, 3, 4}),
                                     Literal::Of<float>({2, 2}, {2, 4, 3, 0})};
  EXPECT_EQ(Results("mean_relative_error:normalizer=2", data, {1, 2}), (std::vector<double>{0.75, 0.875}));
  EXPECT_EQ(Results("mean_relative_error:normalizer='[1;4]'", data, {2})[0], (1 + 0.5 + 0 + 1) / 4);
  EXPECT_EQ(Results("mean_relative_error:normalizer='[1;0]'", data, {2})[0], 0.25);
}

TEST(Metrics, NaNIsInNoTopK) {
  const float nan = std::nanf("");
  const std::vector<Literal> data = {Literal::Of<int32_t>({2}, {0, 1}),
                                     Literal::Of<float>({2, 3}, {nan, 1, 2, nan, 1, 2})};
  EXPECT_EQ(Results("sparse_top_k_categorical_accuracy:k=2", data, {2})[0], 0.5);
}

TEST(Metrics, AreLoggedByTheNameAskedFor) {
  const auto name = [](const char* words) {
    const auto spec = BuiltIns().Resolve(FB_METRIC, Spec(words));
    EXPECT_OK(spec);
    const auto it = spec->attributes.find("name");
    return it == spec->attributes.end() ? spec->id : spec->id + " " + std::get<std::string>(it->second);
  };
  EXPECT_EQ(name("mean_squared_error"), "fusebox/mean_squared_error@1");
  EXPECT_EQ(name("mse"), "fusebox/mean_squared_error@1 mse");
  EXPECT_EQ(name("MAE"), "fusebox/mean_absolute_error@1 MAE");
  EXPECT_EQ(name("acc"), "fusebox/accuracy@1 acc");
  EXPECT_EQ(name("logcosh"), "fusebox/log_cosh_error@1 logcosh");
  EXPECT_EQ(name("auc:name=area"), "fusebox/auc@1 area");
}

TEST(Metrics, SayWhatIsWrong) {
  const auto error = [](const char* words, const Type& y_true, const Type& y_pred) {
    return Expansion(BuiltIns(), FB_METRIC, words, {y_true, y_pred}, "it").error();
  };
  const Type five = F32({kBatch, 5}), flat = F32({kBatch}), column = F32({kBatch, 1}), deep = F32({kBatch, 3, 5});
  EXPECT_THAT(error("binary_accuracy", five, I32({kBatch, 5})),
              HasSubstr("expects predictions f32[batch, ...], got i32[N,5]"));
  EXPECT_THAT(error("auc", five, {DType::kBool, {kBatch, 5}}),
              HasSubstr("expects predictions f32[batch, ...], got bool"));
  EXPECT_THAT(error("precision", F32({kBatch, 2}), five), HasSubstr("expects targets like f32[N,5], got f32[N,2]"));
  EXPECT_THAT(error("mean_squared_error", flat, five), HasSubstr("expects targets like f32[N,5], got f32[N]"));
  EXPECT_THAT(error("categorical_accuracy", flat, five),
              HasSubstr("expects one-hot targets like f32[N,5], got f32[N]: for class indices use "
                        "sparse_categorical_accuracy"));
  EXPECT_THAT(error("sparse_top_k_categorical_accuracy", five, five),
              HasSubstr("expects one class per prediction, i32[N] for f32[N,5], got f32[N,5]: for one-hot targets use "
                        "top_k_categorical_accuracy"));
  EXPECT_THAT(error("f1_score:average=all", five, five),
              HasSubstr("expects average micro, macro or weighted, got 'all'"));
  EXPECT_THAT(error("fbeta_score:beta=0", column, column), HasSubstr("expects a beta above 0, got 0"));
  EXPECT_THAT(error("f1_score:average=macro", deep, deep),
              HasSubstr("expects predictions [batch, classes], got f32[N,3,5]"));
  EXPECT_THAT(error("r2_score", deep, deep), HasSubstr("expects predictions [batch, outputs], got f32[N,3,5]"));
  EXPECT_THAT(error("r2_score:class_aggregation=sum", five, five),
              HasSubstr("expects class_aggregation uniform_average, variance_weighted_average or none, got 'sum'"));
  EXPECT_THAT(error("recall:class_id=5", five, five), HasSubstr("expects a class_id below 5 for f32[N,5], got 5"));
  EXPECT_THAT(error("recall:thresholds='[0.1;2]'", five, five), HasSubstr("expects a threshold from 0 to 1, got 2"));
  EXPECT_THAT(error("auc:curve=P", five, five), HasSubstr("expects curve ROC, PR or PRGAIN, got 'P'"));
  EXPECT_THAT(error("auc:summation_method=all", five, five),
              HasSubstr("expects summation_method interpolation, majoring or minoring, got 'all'"));
  EXPECT_THAT(error("auc:num_labels=5", five, five), HasSubstr("expects num_labels only with multi_label"));
  EXPECT_THAT(error("auc:multi_label=true,num_labels=4", five, five),
              HasSubstr("expects 4 labels, as num_labels says, got f32[N,5]"));
  EXPECT_THAT(error("auc:label_weights='[1;2]'", five, five), HasSubstr("expects 5 label_weights for f32[N,5], got 2"));
  EXPECT_THAT(error("auc:multi_label=true", deep, deep),
              HasSubstr("expects predictions [batch, labels], got f32[N,3,5]"));
  EXPECT_THAT(error("auc:num_thresholds=1", five, five),
              HasSubstr("'num_thresholds' must be an int of at least 2, got 1"));
  EXPECT_THAT(error("iou:num_classes=3,target_class_ids=[3]", flat, flat),
              HasSubstr("expects target_class_ids below num_classes, 3, got 3"));
  EXPECT_THAT(
      error("mean_iou:num_classes=5", flat, five),
      HasSubstr("expects as many classes in y_true as in y_pred, got i32[N] of f32[N] and i32[N,5] of f32[N,5]"));
  EXPECT_THAT(error("mean_relative_error:normalizer='[1;2]'", five, five),
              HasSubstr("expects a normalizer of 1 number, or 5 for f32[N,5], got 2"));
  EXPECT_THAT(error("sensitivity_at_specificity", five, five), HasSubstr("needs attribute 'specificity'"));
}

}  // namespace
}  // namespace fusebox::testing
