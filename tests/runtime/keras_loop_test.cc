// SPDX-License-Identifier: Apache-2.0
// Compares the training loop with all its arguments with Keras's numbers: tests/data/keras_training/loop.npz, made by
// tests/python/make_keras_loop.py, which lists the models and cases.
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "fusebox/runtime/files/npz.h"
#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// As in keras_training_test.cc; relative for values above 1.
constexpr double kBound = 1e-5;
constexpr int64_t kRows = 53, kValid = 20;

class KerasLoop : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> arrays,
                         ReadNpz(FUSEBOX_SOURCE_DIR "/tests/data/keras_training/loop.npz"));
    for (const NamedTensor& array : arrays) arrays_[array.name] = array.value;
  }
  const Tensor& Array(const std::string& name) const { return arrays_.at(name); }
  Tensor Valid(const std::string& name) const { return Array(name).Rows(kRows - kValid, kRows); }

  absl::StatusOr<Model> Ready(const std::string& name, const std::string& reduction = "sum_over_batch_size") const {
    const std::string with = ":reduction=" + reduction, ce = "sparse_categorical_crossentropy" + with,
                      mse = "mean_squared_error" + with, hits = "sparse_categorical_accuracy:name=hits";
    const std::string sgd = name == "deep" || name == "tags" ? "sgd:learning_rate=0.01" : "sgd:learning_rate=0.1";
    std::vector<Tensor> before;
    for (const auto& [key, value] : arrays_) {
      if (key.starts_with(name + "_before_")) before.push_back(value);
    }
    const SymbolicTensor x = name == "flat" || name == "two" ? Input({4}) : Input({3, 4});
    const SymbolicTensor h = Dense(name == "flat" || name == "two" ? 6 : 5, "tanh")(x);
    const SymbolicTensor classes = Dense(3, "softmax", {.name = "a"})(h), numbers = Dense(2, {.name = "b"})(h);
    Model model = name == "two" ? Model(x, {classes, numbers}) : Model(x, name == "deep" ? numbers : classes);
    const auto compiled = [&]() -> absl::Status {
      if (name == "flat") {
        return model.Compile({.optimizer = sgd, .loss = ce, .metrics = {"accuracy"}, .weighted_metrics = {hits}});
      }
      if (name == "deep")
        return model.Compile({.optimizer = sgd, .loss = mse, .weighted_metrics = {"mean_absolute_error"}});
      if (name == "tags") return model.Compile({.optimizer = sgd, .loss = ce, .weighted_metrics = {hits}});
      return model.Compile({.optimizer = sgd,
                            .loss = {ce, mse},
                            .loss_weights = {0.7, 0.3},
                            .weighted_metrics = {{"a", {hits}}, {"b", {"mean_absolute_error"}}}});
    }();
    if (!compiled.ok()) return compiled;
    if (const absl::Status set = model.SetWeights(before); !set.ok()) return set;
    return model;
  }

  static void ExpectNear(const std::vector<double>& got, const Tensor& expected, const std::string& what) {
    const Tensor wide = expected.Cast(DType::kF64);
    ASSERT_EQ(got.size(), size_t(wide.size())) << what;
    for (size_t i = 0; i < got.size(); ++i) {
      const double e = wide.values<double>()[i];
      EXPECT_NEAR(got[i], e, kBound * std::max(1.0, std::abs(e))) << what << " " << i;
    }
  }
  static std::vector<double> Numbers(const Tensor& tensor) {
    const Tensor wide = tensor.Cast(DType::kF64);
    return {wide.values<double>().begin(), wide.values<double>().end()};
  }
  // Checks the history, without the epochs that were not validated, and the weights.
  void ExpectHistory(const std::string& which, const History& history, Model& model) const {
    size_t columns = 0;
    for (const auto& [name, value] : arrays_) columns += name.starts_with(which + "|epoch_");
    EXPECT_EQ(history.values.size(), columns) << which;
    for (const auto& [name, values] : history.values) {
      std::vector<double> seen = values;
      std::erase_if(seen, [](double v) { return std::isnan(v); });
      ASSERT_TRUE(arrays_.contains(which + "|epoch_" + name)) << which << " " << name;
      ExpectNear(seen, Array(which + "|epoch_" + name), which + " " + name);
    }
    ExpectWeights(which, model);
  }
  void ExpectWeights(const std::string& which, Model& model) const {
    ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, model.GetWeights());
    for (size_t i = 0; i < weights.size(); ++i) {
      ExpectNear(Numbers(weights[i]), Array(fmt::format("{}|after_{:02}", which, i)),
                 fmt::format("{}, weight {}", which, i));
    }
  }
  void ExpectLogs(const std::string& which, const std::vector<Logs>& logs) const {
    for (const LogValue& first : logs.at(0)) {
      std::vector<double> values;
      for (const Logs& each : logs) values.push_back(each[first.name]);
      ExpectNear(values, Array(which + "|log_" + first.name), which + " " + first.name);
    }
  }

 private:
  std::map<std::string, Tensor> arrays_;
};

TEST_F(KerasLoop, FitDoesAsManyStepsAsKeras) {
  const Tensor &x = Array("flat_x"), &y = Array("flat_y"), &w = Array("weights");
  const DataArg held(Valid("flat_x"), Valid("flat_y"), Valid("weights"));
  const std::map<std::string, FitArgs> fits = {
      {"steps",
       {.epochs = 5,
        .batch_size = 8,
        .validation_data = held,
        .steps_per_epoch = 3,
        .validation_steps = 2,
        .validation_batch_size = 6,
        .validation_freq = 2}},
      {"only_steps",
       {.epochs = 4, .validation_data = held, .steps_per_epoch = 4, .validation_steps = 3, .validation_freq = {1, 3}}},
      {"more_steps", {.epochs = 2, .batch_size = 20, .sample_weight = w, .steps_per_epoch = 9}},
      {"initial",
       {.epochs = 5,
        .batch_size = 16,
        .validation_data = DataArg(Valid("flat_x"), Valid("flat_y")),
        .initial_epoch = 2,
        .validation_batch_size = 7}},
      {"nothing", {.epochs = 2, .initial_epoch = 2}},
      {"classes", {.epochs = 2, .batch_size = 16, .class_weight = {{0, 0.5}, {2, 3.0}}, .validation_split = 0.3}},
  };
  for (auto [which, how] : fits) {
    how.shuffle = false;
    how.verbose = 0;
    ASSERT_OK_AND_ASSIGN(Model model, Ready("flat"));
    ASSERT_OK_AND_ASSIGN(const History history, model.Fit(x, y, how));
    ExpectHistory(which, history, model);
    EXPECT_TRUE(which != "steps" || history.steps == 3 + 3 + 1 + 3 + 3) << history.steps;
    EXPECT_TRUE(which != "initial" || history.epoch == std::vector<int64_t>({2, 3, 4}));
    if (HasFatalFailure()) return;
  }
}

TEST_F(KerasLoop, EvaluateAndPredictDoAsManySteps) {
  const Tensor &x = Array("flat_x"), &y = Array("flat_y"), &w = Array("weights");
  ASSERT_OK_AND_ASSIGN(Model model, Ready("flat"));
  std::vector<Logs> logs;
  for (const EvaluateArgs& how :
       std::vector<EvaluateArgs>{{}, {.batch_size = 8, .steps = 2}, {.steps = 5}, {.sample_weight = w, .steps = 2}}) {
    ASSERT_OK_AND_ASSIGN(logs.emplace_back(), model.Evaluate(x, y, how));
  }
  logs.push_back(model.GetMetricsResult());
  model.ResetMetrics();
  logs.push_back(model.GetMetricsResult());
  ExpectLogs("evaluations", logs);
  ASSERT_OK_AND_ASSIGN(const Arrays some, model.Predict(x, {.batch_size = 8, .steps = 2}));
  EXPECT_THAT(some[0].shape(), ElementsAre(16, 3));
  ExpectNear(Numbers(some[0]), Array("evaluations|predicted"), "16 predictions");
  ASSERT_OK_AND_ASSIGN(const Arrays all, model.Predict(x, {.steps = 3}));
  EXPECT_THAT(all[0].shape(), ElementsAre(kRows, 3));
  ExpectNear(Numbers(all[0].Rows(kRows - 1, kRows)), Array("predicted_steps|predicted"), "the last prediction");
}

TEST_F(KerasLoop, BatchAfterBatch) {
  const Tensor &x = Array("flat_x"), &y = Array("flat_y"), &w = Array("weights");
  ASSERT_OK_AND_ASSIGN(Model model, Ready("flat"));
  std::vector<Logs> logs;
  const std::vector<std::pair<int64_t, int64_t>> rows = {{0, 5}, {5, 21}, {21, 24}, {24, kRows}};
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto [begin, end] = rows[i];
    TrainOnBatchArgs how;
    if (i == 1) how.sample_weight = w.Rows(begin, end);
    if (i == 3) how.class_weight = {{1, 4.0}};
    ASSERT_OK_AND_ASSIGN(logs.emplace_back(), model.TrainOnBatch(x.Rows(begin, end), y.Rows(begin, end), how));
    EXPECT_EQ(model.GetMetricsResult(), logs.back());
    ASSERT_OK_AND_ASSIGN(logs.emplace_back(), model.TestOnBatch(x.Rows(begin, end), y.Rows(begin, end)));
  }
  ASSERT_OK_AND_ASSIGN(logs.emplace_back(), model.TestOnBatch(x, y, {.sample_weight = w}));
  ExpectLogs("batches", logs);
  ExpectWeights("batches", model);
  ASSERT_OK_AND_ASSIGN(const Arrays predicted, model.PredictOnBatch(x));
  ExpectNear(Numbers(predicted[0]), Array("batches|predicted"), "predictions");
}

TEST_F(KerasLoop, OutputsHaveWeightsOfTheirOwn) {
  const Tensor& x = Array("two_x");
  const Tensor &w = Array("weights"), &steps = Array("step_weights");
  Tensor other(DType::kF32, {kRows});
  for (size_t i = 0; i < size_t(kRows); ++i) other.mutable_values<float>()[i] = steps.values<float>()[3 * i];
  const Arrays y = {Array("two_y_a"), Array("two_y_b")}, named = {{"b", Array("two_y_b")}, {"a", Array("two_y_a")}};
  struct Case {
    std::string which;
    Arrays y, weights;
  };
  const std::vector<Case> cases = {{"in_order", y, {w, other}},
                                   {"in_order", named, {{"b", other}, {"a", w}}},
                                   {"in_order", named, {w, other}},
                                   {"for_all", y, w}};
  for (const auto& [which, targets, weights] : cases) {
    ASSERT_OK_AND_ASSIGN(Model model, Ready("two"));
    ASSERT_OK_AND_ASSIGN(const History history, model.Fit(x, targets,
                                                          {.epochs = 3,
                                                           .batch_size = 16,
                                                           .validation_data = DataArg(x, targets, weights),
                                                           .sample_weight = weights,
                                                           .shuffle = false,
                                                           .verbose = 0}));
    ExpectHistory(which, history, model);
    ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate(x, targets, {.batch_size = 9, .sample_weight = weights}));
    ExpectLogs(which, {logs});
  }
  // An output without weights counts like one with weights of 1.
  Tensor ones(DType::kF32, {kRows});
  for (float& one : ones.mutable_values<float>()) one = 1;
  ASSERT_OK_AND_ASSIGN(Model model, Ready("two"));
  ASSERT_OK_AND_ASSIGN(const Logs of_ones, model.Evaluate(x, y, {.sample_weight = {ones, other}}));
  ASSERT_OK_AND_ASSIGN(const Logs of_none, model.Evaluate(x, y, {.sample_weight = {Tensor(), other}}));
  for (size_t i = 0; i < of_ones.size(); ++i) EXPECT_NEAR(of_ones[i].value, of_none[i].value, 1e-6) << of_ones[i].name;
}

TEST_F(KerasLoop, StepsHaveWeights) {
  const Tensor& w = Array("step_weights");
  for (const std::string name : {"deep", "tags"}) {
    for (const std::string reduction : {"sum_over_batch_size", "sum", "mean_with_sample_weight"}) {
      const Tensor &x = Array(name + "_x"), &y = Array(name + "_y");
      ASSERT_OK_AND_ASSIGN(Model model, Ready(name, reduction));
      ASSERT_OK_AND_ASSIGN(const History history, model.Fit(x, y,
                                                            {.epochs = 2,
                                                             .batch_size = 16,
                                                             .validation_data = DataArg(x, y, w),
                                                             .sample_weight = w,
                                                             .shuffle = false,
                                                             .verbose = 0}));
      ExpectHistory(name + "_" + reduction, history, model);
      ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate(x, y, {.batch_size = 9, .sample_weight = w}));
      ExpectLogs(name + "_" + reduction, {logs});
    }
  }
}

// ---- Behaviour for which Keras has no numbers.

// A pass is shuffled as a whole, however it is cut into epochs.
TEST_F(KerasLoop, EpochsShareThePermutationOfAPass) {
  const Tensor &x = Array("flat_x"), &y = Array("flat_y");
  ASSERT_OK_AND_ASSIGN(Model whole, Ready("flat"));
  ASSERT_OK_AND_ASSIGN(Model cut, Ready("flat"));
  ASSERT_OK(whole.Fit(x, y, {.epochs = 2, .batch_size = 9, .seed = 5, .verbose = 0}));  // Six steps each.
  ASSERT_OK_AND_ASSIGN(const History history,
                       cut.Fit(x, y, {.epochs = 6, .batch_size = 9, .seed = 5, .steps_per_epoch = 2, .verbose = 0}));
  EXPECT_EQ(history.steps, 12);
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> expected, whole.GetWeights());
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> got, cut.GetWeights());
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_TRUE(std::ranges::equal(got[i].values<float>(), expected[i].values<float>())) << i;
}

// Keras warns, too.
TEST_F(KerasLoop, SaysOnceThatTheSamplesRanOut) {
  ASSERT_OK_AND_ASSIGN(Model model, Ready("flat"));
  ::testing::internal::CaptureStderr();
  const auto history =
      model.Fit(Array("flat_x"), Array("flat_y"), {.epochs = 3, .batch_size = 20, .steps_per_epoch = 9, .verbose = 2});
  const std::string errors = ::testing::internal::GetCapturedStderr();
  ASSERT_OK(history);
  EXPECT_EQ(history->steps, 9);
  const std::string warning = "fusebox: epoch 1 has 3 steps of the steps_per_epoch, 9: the samples ran out\n";
  EXPECT_THAT(errors, HasSubstr(warning));
  EXPECT_EQ(errors.find("ran out"), errors.rfind("ran out"));
}

TEST_F(KerasLoop, SaysWhatIsWrongWithArguments) {
  const Tensor &x = Array("flat_x"), &y = Array("flat_y");
  ASSERT_OK_AND_ASSIGN(Model model, Ready("flat"));
  const auto error = [&](FitArgs args) {
    args.verbose = 0;
    return std::string(model.Fit(x, y, std::move(args)).status().message());
  };
  EXPECT_EQ(error({.steps_per_epoch = 0}), "steps_per_epoch: expected 1 or more, got 0");
  EXPECT_EQ(error({.validation_steps = -1}), "validation_steps: expected 1 or more, got -1");
  EXPECT_EQ(error({.validation_batch_size = 0}), "validation_batch_size: expected 1 or more, got 0");
  EXPECT_EQ(error({.validation_freq = 0}), "validation_freq: expected 1 or more, got 0");
  EXPECT_EQ(error({.validation_freq = {3, 0}}), "validation_freq: expected epochs, counted from 1, got 0");
  EXPECT_THAT(model.Evaluate(x, y, {.steps = 0}).status(), StatusHasMessage("steps: expected 1 or more, got 0"));
  EXPECT_THAT(model.Predict(x, {.batch_size = 0}).status(), StatusHasMessage("batch_size: expected 1 or more, got 0"));
  EXPECT_THAT(model.Predict(x, {.steps = 0}).status(), StatusHasMessage("steps: expected 1 or more, got 0"));
  EXPECT_THAT(model.TrainOnBatch(x.Rows(0, 0), y.Rows(0, 0)).status(), StatusHasMessage("x has no samples"));
  EXPECT_THAT(model.TestOnBatch(x, y.Rows(0, 3)).status(), StatusHasMessage("x has 53 samples, y has 3"));
  const SymbolicTensor in = Input({2});
  Model loose(in, Dense(1)(in));
  EXPECT_THAT(loose.TrainOnBatch(x, y).status(), StatusHasMessage(HasSubstr("is not compiled: call Compile first")));
  EXPECT_EQ(loose.GetMetricsResult(), Logs());
}

TEST_F(KerasLoop, SaysWhatIsWrongWithWeights) {
  const Tensor &x = Array("two_x"), &w = Array("weights"), &steps = Array("step_weights");
  const Arrays y = {Array("two_y_a"), Array("two_y_b")};
  ASSERT_OK_AND_ASSIGN(Model two, Ready("two"));
  const auto error = [&](Arrays weights) {
    return std::string(two.Evaluate(x, y, {.sample_weight = std::move(weights)}).status().message());
  };
  EXPECT_EQ(error({w, steps}), "sample_weight 'b': expected one number for each of 53 samples, got [53,3]");
  EXPECT_EQ(error(steps), "sample_weight: expected one number for each of 53 samples, got [53,3]");
  EXPECT_EQ(error({{"a", w}}), "model 'functional' has 2 outputs: 'a', 'b'; given are 'a'");
  EXPECT_EQ(error({{"a", w}, {"c", w}}), "model 'functional' has 2 outputs: 'a', 'b'; given are 'a', 'c'");
  EXPECT_EQ(error({w, w, w}), "model 'functional' has 2 outputs: 'a', 'b'; got 3 arrays");
  EXPECT_THAT(two.Fit(x, y, {.class_weight = {{0, 2}}, .verbose = 0}).status(),
              StatusHasMessage("class_weight: model 'functional' has 2 outputs to learn, expected one"));
  ASSERT_OK_AND_ASSIGN(Model deep, Ready("deep"));
  EXPECT_THAT(deep.Evaluate(Array("deep_x"), Array("deep_y"), {.sample_weight = Array("two_y_b")}).status(),
              StatusHasMessage("sample_weight: expected one number for each of 53 samples, or for each of their steps, "
                               "[53,3], got [53,2]"));
  ASSERT_OK(deep.Compile({.optimizer = "sgd", .loss = "dice"}));
  EXPECT_THAT(deep.Evaluate(Array("deep_x"), Array("deep_y"), {.sample_weight = steps}).status(),
              StatusHasMessage(HasSubstr("loss fusebox/dice@1: gives f32[N], and sample_weight is f32[N,3]: it has no "
                                         "number for each step")));
}

}  // namespace
}  // namespace fusebox::testing
