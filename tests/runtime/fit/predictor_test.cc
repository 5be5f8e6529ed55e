// SPDX-License-Identifier: Apache-2.0
// One model, many threads.
#include "fusebox/runtime/predictor.h"

#include <atomic>
#include <optional>
#include <thread>

#include "fusebox/runtime/layers.h"
#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

Tensor Numbers(int64_t rows, int64_t columns) {
  Tensor x(DType::kF32, {rows, columns});
  float next = -1;
  for (float& v : x.mutable_values<float>()) v = next += 0.01f;
  return x;
}

Sequential Trained() {
  Sequential model({Dense(8, "tanh", {.input_shape = {5}}), BatchNormalization(), Dense(3)}, {.seed = 1});
  EXPECT_OK(model.Compile({.optimizer = "adam", .loss = "mean_squared_error"}));
  EXPECT_OK(model.Fit(Numbers(64, 5), Numbers(64, 3), {.epochs = 1, .threads = 1, .verbose = 0}));
  return model;
}

// Calls of different sizes, so that they need programs of different batch sizes.
TEST(Predictor, GivesEachOfManyThreadsTheModelsNumbers) {
  constexpr int kThreads = 16, kCalls = 40;
  Sequential model = Trained();
  std::vector<Tensor> x, expected;
  for (const int64_t rows : {1, 7, 33}) {
    x.push_back(Numbers(rows, 5));
    ASSERT_OK_AND_ASSIGN(const Arrays y, model.Predict(x.back()));
    expected.push_back(y[0]);
  }
  ASSERT_OK_AND_ASSIGN(const Predictor predictor, model.MakePredictor());
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int call = 0; call < kCalls; ++call) {
        const size_t i = size_t(t + call) % x.size();
        PredictArgs args;
        if (call % 2 == 1) args.batch_size = 4;
        const absl::StatusOr<Arrays> y = predictor.Predict(x[i], args);
        wrong += y.ok() && std::ranges::equal((*y)[0].values<float>(), expected[i].values<float>()) ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Predictor, KeepsTheWeightsOfWhenItWasMade) {
  std::optional<Sequential> model = Trained();
  const Tensor x = Numbers(4, 5);
  ASSERT_OK_AND_ASSIGN(const Arrays before, model->Predict(x));
  ASSERT_OK_AND_ASSIGN(const Predictor predictor, model->MakePredictor());
  EXPECT_OK(model->Fit(Numbers(64, 5), Numbers(64, 3), {.epochs = 1, .threads = 1, .verbose = 0}));
  ASSERT_OK_AND_ASSIGN(const Arrays after, model->Predict(x));
  EXPECT_NE(before[0].values<float>()[0], after[0].values<float>()[0]);
  model.reset();
  ASSERT_OK_AND_ASSIGN(const Arrays kept, predictor.Predict(x));
  EXPECT_THAT(kept[0].values<float>(), ElementsAreArray(before[0].values<float>()));
}

// A class, and a model of several inputs and outputs.
TEST(Predictor, TakesModelsOfAllForms) {
  const SymbolicTensor a = Input({3}, {.name = "a"}), b = Input({2}, {.name = "b"});
  Model functional({a, b}, {Dense(2, {.name = "p"})(Concatenate()({a, b})), Dense(1, {.name = "q"})(a)}, {.seed = 1});
  const Arrays x = {{"b", Numbers(4, 2)}, {"a", Numbers(4, 3)}};
  ASSERT_OK_AND_ASSIGN(const Arrays expected, functional.Predict(x));
  ASSERT_OK_AND_ASSIGN(const Predictor predictor, functional.MakePredictor());
  ASSERT_OK_AND_ASSIGN(const Arrays got, predictor.Predict(x));
  for (const char* name : {"p", "q"}) {
    EXPECT_THAT(got[name].values<float>(), ElementsAreArray(expected[name].values<float>())) << name;
  }

  class Twice final : public Model {
   public:
    Twice() : Model(ModelOptions{.seed = 2}) {}
    CallOutputs Call(const SymbolicTensors& inputs, bool) const override { return dense_(dense_(inputs[0])); }

   private:
    Layer dense_ = Dense(3, "tanh", {.name = "dense"});
  };
  Twice twice;
  ASSERT_OK_AND_ASSIGN(const Arrays one, twice.Predict(Numbers(4, 3)));
  ASSERT_OK_AND_ASSIGN(const Predictor of_class, twice.MakePredictor());
  ASSERT_OK_AND_ASSIGN(const Arrays other, of_class.Predict(Numbers(4, 3)));
  EXPECT_THAT(other[0].values<float>(), ElementsAreArray(one[0].values<float>()));
}

TEST(Predictor, SaysWhatIsWrong) {
  Sequential open({Dense(2)});
  EXPECT_THAT(open.MakePredictor().status(), StatusHasMessage(HasSubstr("shape")));
  Sequential model = Trained();
  ASSERT_OK_AND_ASSIGN(const Predictor predictor, model.MakePredictor());
  EXPECT_THAT(predictor.Predict(Numbers(4, 6)).status(), StatusHasMessage(HasSubstr("got")));
  EXPECT_THAT(predictor.Predict(Numbers(4, 5), {.batch_size = 0}).status(),
              StatusHasMessage("batch_size: expected 1 or more, got 0"));
}

// Two threads in one model would overwrite each other's results.
TEST(Predictor, AModelIsForOneThreadAtATime) {
  Sequential model = Trained();
  std::atomic<bool> stop = false;
  std::atomic<int64_t> refused = 0, good = 0;
  std::thread other([&] {
    const Tensor x = Numbers(4, 5);
    while (!stop) {
      const absl::Status status = model.Predict(x, {.threads = 1}).status();
      ++(status.ok() ? good : refused);
      if (!status.ok()) {
        EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
        EXPECT_THAT(status, StatusHasMessage(HasSubstr("model 'sequential' is in use by another thread")));
      }
    }
  });
  while (refused == 0) {
    const absl::Status status =
        model.Fit(Numbers(640, 5), Numbers(640, 3), {.epochs = 5, .threads = 1, .verbose = 0}).status();
    EXPECT_TRUE(status.ok() || absl::IsFailedPrecondition(status)) << status;
  }
  stop = true;
  other.join();
  EXPECT_OK(model.Predict(Numbers(4, 5)));
}

}  // namespace
}  // namespace fusebox::testing
