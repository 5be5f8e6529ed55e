// SPDX-License-Identifier: Apache-2.0
// Perceptrons against scikit-learn's: tests/data/perceptron, made by tests/python/make_perceptron.py.
#include "fusebox/runtime/perceptron.h"

#include <cstdio>
#include <map>
#include <string>

#include "fusebox/runtime/files/npz.h"
#include "gmock/gmock.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

using ::testing::HasSubstr;

const Tensor& Array(const std::string& name) {
  static const auto* const arrays = [] {
    auto* all = new std::map<std::string, Tensor>;
    const auto read = ReadNpz(FUSEBOX_SOURCE_DIR "/tests/data/perceptron/perceptron.npz");
    EXPECT_OK(read);
    for (const NamedTensor& array : *read) (*all)[array.name] = array.value;
    return all;
  }();
  return arrays->at(name);
}
std::vector<double> Numbers(const Tensor& tensor) {
  const Tensor wide = tensor.Cast(DType::kF64);
  return {wide.values<double>().begin(), wide.values<double>().end()};
}
std::string Message(const absl::Status& status) { return std::string(status.message()); }

struct Task {
  const char* name;
  int64_t epochs;
  bool converges;
};

TEST(Perceptron, LearnsAsScikitLearns) {
  for (const Task& task : {Task{"setosa", 20, true}, Task{"versicolor", 20, false}, Task{"species", 20, false},
                           Task{"and", 10, true}, Task{"or", 10, true}, Task{"xor", 10, false}}) {
    SCOPED_TRACE(task.name);
    const std::string name = task.name;
    const Tensor &x = Array(name + " x"), &y = Array(name + " y");
    Perceptron perceptron({.max_iter = task.epochs, .tol = std::nullopt, .shuffle = false});
    ASSERT_OK_AND_ASSIGN(const PerceptronFit fit, perceptron.Fit(x, y, 0));
    EXPECT_EQ(fit.converged, task.converges);
    EXPECT_EQ(fit.mistakes == 0, task.converges);
    ASSERT_OK_AND_ASSIGN(const Tensor predicted, perceptron.Predict(x));
    EXPECT_EQ(Numbers(predicted), Numbers(Array(name + " predicted")));
    ASSERT_OK_AND_ASSIGN(const double score, perceptron.Score(x, y));
    double right = 0;
    for (int64_t i = 0; i < x.rows(); ++i) {
      right += Numbers(y)[size_t(i)] == Numbers(Array(name + " predicted"))[size_t(i)];
    }
    EXPECT_EQ(score, right / double(x.rows()));
    ASSERT_OK_AND_ASSIGN(const Tensor coef, perceptron.coef());
    ASSERT_OK_AND_ASSIGN(const Tensor intercept, perceptron.intercept());
    const std::vector<double> expected = Numbers(Array(name + " coef"));
    ASSERT_EQ(coef.size(), int64_t(expected.size()));
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(Numbers(coef)[i], expected[i], 1e-4) << i;
    EXPECT_EQ(Numbers(intercept), Numbers(Array(name + " intercept")));
  }
}

// With the defaults, in a shuffled order, as in the notes: petals of setosas are separable.
TEST(Perceptron, TellsSetosasByTheirPetals) {
  for (const int64_t seed : {1, 2, 42}) {
    Perceptron perceptron({.seed = seed});
    ASSERT_OK_AND_ASSIGN(const PerceptronFit fit, perceptron.Fit(Array("setosa x"), Array("setosa y")));
    EXPECT_TRUE(fit.converged);
    EXPECT_EQ(fit.Text(150), fmt::format("converged in {} epochs", fit.n_iter));
    ASSERT_OK_AND_ASSIGN(const Tensor predicted, perceptron.Predict(Array("setosa x")));
    EXPECT_EQ(Numbers(predicted), Numbers(Array("setosa seeded")));
  }
}

// Without mistakes, weights stay: the last epoch leaves the weights of the one before.
TEST(Perceptron, ChangesWeightsOnMistakesAlone) {
  std::vector<std::vector<double>> coefs;
  int64_t epochs = 0;
  for (const int64_t more : {0, 1}) {
    Perceptron perceptron({.max_iter = epochs == 0 ? 100 : epochs - more, .tol = std::nullopt, .shuffle = false});
    ASSERT_OK_AND_ASSIGN(const PerceptronFit fit, perceptron.Fit(Array("and x"), Array("and y"), 0));
    epochs = fit.n_iter;
    EXPECT_EQ(fit.converged, more == 0);
    EXPECT_EQ(fit.mistakes, 0);
    ASSERT_OK_AND_ASSIGN(const Tensor coef, perceptron.coef());
    coefs.push_back(Numbers(coef));
  }
  EXPECT_EQ(coefs[0], coefs[1]);
}

TEST(Perceptron, SaysThatXorDoesNotConverge) {
  Perceptron perceptron({.max_iter = 20, .tol = std::nullopt, .shuffle = false});
  ::testing::internal::CaptureStderr();
  ASSERT_OK_AND_ASSIGN(const PerceptronFit fit, perceptron.Fit(Array("xor x"), Array("xor y")));
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_FALSE(fit.converged);
  EXPECT_EQ(fit.Text(4),
            fmt::format("did not converge in 20 epochs: {} of 4 instances are wrong, so maybe no line separates "
                        "the classes",
                        fit.mistakes));
  EXPECT_GT(fit.mistakes, 0);
  EXPECT_EQ(said, "Perceptron: " + fit.Text(4) + "\n");
}

// The mean loss no longer decreases.
TEST(Perceptron, EndsWhereTheLossStays) {
  Perceptron perceptron({.n_iter_no_change = 3, .shuffle = false});
  ASSERT_OK_AND_ASSIGN(const PerceptronFit fit, perceptron.Fit(Array("xor x"), Array("xor y"), 0));
  EXPECT_FALSE(fit.converged);
  EXPECT_LT(fit.n_iter, 20);
}

TEST(Perceptron, WorksWithoutAnInterceptAndWithAnyClasses) {
  Perceptron perceptron({.fit_intercept = false});
  const Tensor x({4, 1}, std::span<const float>(std::vector<float>{-1, -2, 3, 4}));
  const Tensor y({4}, std::span<const int64_t>(std::vector<int64_t>{7, 7, -9, -9}));
  ASSERT_OK_AND_ASSIGN(const PerceptronFit fit, perceptron.Fit(x, y));
  EXPECT_TRUE(fit.converged);
  EXPECT_EQ(perceptron.classes(), (std::vector<int64_t>{-9, 7}));
  ASSERT_OK_AND_ASSIGN(const Tensor predicted, perceptron.Predict(x));
  EXPECT_EQ(Numbers(predicted), Numbers(y));
  ASSERT_OK_AND_ASSIGN(const Tensor intercept, perceptron.intercept());
  EXPECT_EQ(Numbers(intercept), std::vector<double>{0});
}

// examples/programs/logic_gates.cc
TEST(Perceptron, LearnsTheGatesOfTheExample) {
  FILE* const pipe = popen(FUSEBOX_BUILD_DIR "/bin/logic_gates 2>&1", "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  for (char piece[4096]; size_t got = std::fread(piece, 1, sizeof piece, pipe);) output.append(piece, got);
  ASSERT_EQ(pclose(pipe), 0) << output;
  EXPECT_THAT(output, ::testing::ContainsRegex("AND: converged in [0-9]+ epochs; 100 % are right"));
  EXPECT_THAT(output, ::testing::ContainsRegex("OR: converged in [0-9]+ epochs; 100 % are right"));
  EXPECT_THAT(output,
              ::testing::ContainsRegex("XOR: did not converge in [0-9]+ epochs: [1-4] of 4 instances are wrong"));
}

TEST(Perceptron, SaysWhatIsWrong) {
  const Tensor &x = Array("and x"), &y = Array("and y");
  Perceptron perceptron;
  EXPECT_THAT(Message(perceptron.Predict(x).status()), HasSubstr("Perceptron: Fit it first"));
  EXPECT_THAT(Message(perceptron.coef().status()), HasSubstr("Perceptron: Fit it first"));
  EXPECT_THAT(Message(perceptron.Fit(y, y).status()),
              HasSubstr("Perceptron: expects x [n, features] and y [n], got [4] and [4]"));
  EXPECT_THAT(Message(perceptron.Fit(x, Tensor(DType::kI32, {4})).status()),
              HasSubstr("Perceptron: expects two classes or more, got 1"));
  EXPECT_THAT(
      Message(perceptron.Fit(x, Tensor({4}, std::span<const float>(std::vector<float>{0, 0.5, 1, 1}))).status()),
      HasSubstr("Perceptron: expects classes as integers, got y with fractions"));
  EXPECT_THAT(Message(Perceptron({.max_iter = 0}).Fit(x, y).status()),
              HasSubstr("Perceptron: max_iter: expected 1 or more, got 0"));
  EXPECT_THAT(Message(Perceptron({.n_iter_no_change = 0}).Fit(x, y).status()), HasSubstr("n_iter_no_change"));
  EXPECT_THAT(Message(Perceptron({.eta0 = 0}).Fit(x, y).status()), HasSubstr("eta0: expected more than 0, got 0"));
}

}  // namespace
}  // namespace fusebox::testing
