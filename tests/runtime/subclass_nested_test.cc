// SPDX-License-Identifier: Apache-2.0
// Models that are C++ classes, in detail: classes within classes, lists of layers, branches on `training`, inputs by
// name, data of other shapes, additions by AddLoss and AddMetric within Call, and the errors of each.
#include <algorithm>
#include <string>
#include <vector>

#include "fusebox/graph/ops.h"
#include "fusebox/graph/text.h"
#include "fusebox/runtime/keras/program_facts.h"
#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"
#include "tests/runtime/files/files.h"
#include "tests/runtime/keras_subclass.h"
#include "tests/runtime/numbers.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

double Of(const Logs& logs, const std::string& name) {
  const auto log = std::ranges::find(logs, name, &LogValue::name);
  EXPECT_NE(log, logs.end()) << name;
  return log == logs.end() ? NAN : log->value;
}

SymbolicTensor Scaled(const SymbolicTensor& x, double factor) {
  return Lambda([factor](Value v) { return v * factor; })(x);
}

// ---- Shapes for Build.

TEST(Build, TakesShapesInBraces) {
  class OneInput final : public Model {
   public:
    CallOutputs Call(const SymbolicTensors& inputs, bool) const override { return dense_(inputs[0]); }

   private:
    Layer dense_ = Dense(2);
  };
  OneInput one;
  ASSERT_OK(one.Build({{5}}));
  EXPECT_EQ(one.CountParams(), 12);
  OneInput picture;
  ASSERT_OK(picture.Build({{4, 3}}));
  EXPECT_EQ(picture.CountParams(), 8);
  OneInput symbolic;
  ASSERT_OK(symbolic.Build({Input({5}, {.name = "numbers"})}));
  EXPECT_EQ(symbolic.config().inputs[0].name, "numbers");
  const std::vector<SymbolicTensor> list = {Input({5})};
  OneInput from_list;
  ASSERT_OK(from_list.Build(list));
  const std::vector<std::vector<int64_t>> shapes = {{5}};
  OneInput from_shapes;
  ASSERT_OK(from_shapes.Build(shapes));
}

// ---- Lists of layers, and classes within classes. keras_interop_slow_test.cc compares names of weights with Keras.

TEST(LayerList, LoopsAndHasNamesOfItsOwn) {
  KerasNestedModel model;
  ASSERT_OK(model.Build({{4}}));
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, model.GetWeights());
  ASSERT_EQ(weights.size(), 12u);  // Five of Dense and a LayerNormalization.
  const Tensor x = Numbers({7, 4});
  ASSERT_OK_AND_ASSIGN(const Arrays before, model.Predict(x));
  const TempFolder folder;
  ASSERT_OK(model.SaveWeights(folder / "m.weights.h5"));
  KerasNestedModel other(2);
  ASSERT_OK(other.Build({{4}}));
  ASSERT_OK(other.LoadWeights(folder / "m.weights.h5"));
  ASSERT_OK_AND_ASSIGN(const Arrays after, other.Predict(x));
  EXPECT_TRUE(std::ranges::equal(before[0].values<float>(), after[0].values<float>()));
  // Traced, it is a model within a model.
  ASSERT_OK_AND_ASSIGN(Model traced, model.Traced());
  ASSERT_OK(traced.Save(folder / "m.keras"));
  ASSERT_OK_AND_ASSIGN(Model opened, LoadModel(folder / "m.keras"));
  ASSERT_OK_AND_ASSIGN(const Arrays again, opened.Predict(x));
  EXPECT_TRUE(std::ranges::equal(before[0].values<float>(), again[0].values<float>()));
}

TEST(LayerList, SaysWhatIsWrong) {
  class Lists final : public Model {
   public:
    Lists(const std::string& first, const std::string& second)
        : first_(LayerList(first, {Dense(2)})), second_(LayerList(second, {Dense(2)})) {}
    CallOutputs Call(const SymbolicTensors& inputs, bool) const override { return second_[0](first_[0](inputs[0])); }

   private:
    std::vector<Layer> first_, second_;
  };
  EXPECT_OK(Lists("a", "b").Build({{3}}));
  EXPECT_THAT(
      Lists("a", "a").Build({{3}}),
      StatusHasMessage(HasSubstr("two layers are 'a/dense' in weight files: give each LayerList a name of its own")));
  EXPECT_THAT(Lists("a/b", "c").Build({{3}}),
              StatusHasMessage(HasSubstr("LayerList: a list's name must not be empty and must not contain '/'")));
  EXPECT_THAT(Lists("", "c").Build({{3}}),
              StatusHasMessage(HasSubstr("LayerList: a list's name must not be empty and must not contain '/'")));
}

class Inner final : public Model {
 public:
  explicit Inner(bool doubles = false) : Model(ModelOptions{.seed = 1}), doubles_(doubles) {}
  CallOutputs Call(const SymbolicTensors& inputs, bool training) const override {
    const SymbolicTensor h = hidden_(inputs[0]);
    return training && doubles_ ? Scaled(h, 2) : h;
  }

 private:
  bool doubles_;
  Layer hidden_ = Dense(3, "tanh", {.name = "hidden"});
};

class Outer final : public Model {
 public:
  explicit Outer(bool doubles = false) : Model(ModelOptions{.seed = 2}), inner_(doubles) {}
  CallOutputs Call(const SymbolicTensors& inputs, bool) const override { return score_(inner_(inner_(inputs[0]))); }

 private:
  Inner inner_;
  Layer score_ = Dense(1, {.name = "score"});
};

TEST(ClassesWithin, ShareTheirWeightsBetweenCallsAndTrain) {
  Outer model;
  ASSERT_OK(model.Compile({.optimizer = "adam:learning_rate=0.05", .loss = "mse"}));
  const Tensor x = Numbers({32, 3}), y = Numbers({32, 1});
  ASSERT_OK_AND_ASSIGN(const History history, model.Fit(x, y, {.epochs = 20, .verbose = 0}));
  EXPECT_LT(history["loss"].back(), 0.9 * history["loss"][0]);
  EXPECT_EQ(model.CountParams(), 3 * 3 + 3 + 3 + 1);
  ASSERT_OK(model.GetLayer("inner/hidden"));
  EXPECT_THAT(model.Summary(), AllOf(HasSubstr("inner (Inner)"), HasSubstr("score (Dense)")));
  // Frozen, it does not change.
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> before, model.GetLayerWeights("inner"));
  ASSERT_OK(model.SetTrainable("inner", false));
  ASSERT_OK(model.Fit(x, y, {.verbose = 0}));
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> after, model.GetLayerWeights("inner"));
  EXPECT_TRUE(std::ranges::equal(before[0].values<float>(), after[0].values<float>()));
}

TEST(ClassesWithin, HeedTrainingThere) {
  Outer model(true);
  ASSERT_OK(model.Compile({.optimizer = "sgd:learning_rate=0", .loss = "mse"}));
  const Tensor x = Numbers({8, 3}), y(DType::kF32, {8, 1});
  ASSERT_OK_AND_ASSIGN(const Logs trained, model.TrainOnBatch(x, y));
  ASSERT_OK_AND_ASSIGN(const Logs tested, model.TestOnBatch(x, y));
  EXPECT_GT(Of(trained, "loss"), 2 * Of(tested, "loss"));
  // Elsewhere the choice between the two is ambiguous.
  EXPECT_THAT(model.Traced().status(), StatusHasMessage(HasSubstr("computes something else in training")));
  Inner alone(true);
  const SymbolicTensor in = Input({3});
  EXPECT_THAT(Model(in, alone(in)).status(),
              StatusHasMessage(HasSubstr("model 'inner' computes something else in training, so only the Call of "
                                         "another class can call it")));
}

// A class in a Sequential, and in a functional model.
TEST(ClassesWithin, AreLayersOfAnyModel) {
  Inner inner;
  const Tensor x = Numbers({6, 3});
  const SymbolicTensor in = Input({3});
  Model functional(in, Dense(1)(inner(in)), {.seed = 3});
  ASSERT_OK_AND_ASSIGN(const Arrays y, functional.Predict(x));
  EXPECT_EQ(functional.CountParams(), 12 + 4);
  Sequential stack({Input({3}), inner, Dense(1)}, {.seed = 3});
  ASSERT_OK_AND_ASSIGN(const Tensor z, stack.Predict(x));
  EXPECT_EQ(stack.CountParams(), 12 + 4);
  // A class that has not been called before, after a layer.
  Sequential anew({Input({2}), Dense(3), Inner(), Dense(1)}, {.seed = 3});
  ASSERT_OK(anew.status());
  EXPECT_EQ(anew.CountParams(), 9 + 12 + 4);
  EXPECT_THAT(Sequential({Inner(), Dense(1)}).status(),
              StatusHasMessage(HasSubstr("model 'sequential': the class Inner is traced for its inputs: put an "
                                         "fb::Input first")));
  EXPECT_THAT(Sequential({Input({3}), Inner(true)}).status(),
              StatusHasMessage(HasSubstr("model 'inner' computes something else in training")));
}

// ---- Training.

class Drops final : public Model {
 public:
  Drops() : Model(ModelOptions{.seed = 1}) {}
  CallOutputs Call(const SymbolicTensors& inputs, bool training) const override {
    SymbolicTensor h = dense_(inputs[0]);
    if (training) h = Dropout(0.5)(h);
    return Lambda([](Value v) { return Sum(v, {1}, true); })(h);
  }

 private:
  Layer dense_ = Dense(100, {.kernel_initializer = "ones"});
};

TEST(Training, DropsInTrainingAlone) {
  Drops model;
  ASSERT_OK(model.Compile({.optimizer = "sgd:learning_rate=0", .loss = "mse"}));
  const Tensor x = Numbers({16, 1});
  ASSERT_OK_AND_ASSIGN(const Arrays y, model.Predict(x));
  for (int64_t i = 0; i < 16; ++i) {
    EXPECT_NEAR(y[0].values<float>()[size_t(i)], 100 * x.values<float>()[size_t(i)], 1e-3) << i;
  }
  ASSERT_OK_AND_ASSIGN(const Logs tested, model.TestOnBatch(x, y));
  EXPECT_NEAR(Of(tested, "loss"), 0, 1e-5);
  ASSERT_OK_AND_ASSIGN(const Logs trained, model.TrainOnBatch(x, y));
  // The variance of a sum of 100 numbers that are 0 or 2x.
  double expected = 0;
  for (const float v : x.values<float>()) expected += 100.0 * v * v / 16;
  EXPECT_GT(Of(trained, "loss"), 0.2 * expected);
  EXPECT_LT(Of(trained, "loss"), 5 * expected);
}

// ---- Inputs by name.

class Ratio final : public Model {
 public:
  Ratio() : Model(ModelOptions{.seed = 1}) {}
  CallOutputs Call(const SymbolicTensors& inputs, bool) const override {
    return Lambda([](Value a, Value b) { return a - 2 * b; })({inputs[0], inputs[1]});
  }
};

TEST(NamedInputs, AreThoseOfBuildInAnyOrder) {
  Ratio model;
  ASSERT_OK(model.Build({Input({1}, {.name = "plus"}), Input({1}, {.name = "minus"})}));
  const Tensor plus = Numbers({4, 1}), minus = Numbers({5, 1}).Rows(1, 5);
  ASSERT_OK_AND_ASSIGN(const Arrays a, model.Predict({{"plus", plus}, {"minus", minus}}));
  ASSERT_OK_AND_ASSIGN(const Arrays b, model.Predict({{"minus", minus}, {"plus", plus}}));
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(a[0].values<float>()[i], plus.values<float>()[i] - 2 * minus.values<float>()[i]);
    EXPECT_EQ(a[0].values<float>()[i], b[0].values<float>()[i]);
  }
  EXPECT_THAT(model.Predict({{"plus", plus}, {"times", minus}}).status(),
              StatusHasMessage(AllOf(HasSubstr("'times'"), HasSubstr("'plus', 'minus'"))));
  ASSERT_OK(model.Compile({.optimizer = "sgd", .loss = {{"output_1", "mse"}}}));
  EXPECT_OK(model.TestOnBatch({{"minus", minus}, {"plus", plus}}, {{"output_1", plus}}));
}

// Without Build, inputs are those of the first data, in their order.
TEST(NamedInputs, AreThoseOfTheFirstData) {
  Ratio model;
  const Tensor plus = Numbers({4, 1}), minus = Numbers({5, 1}).Rows(1, 5);
  ASSERT_OK_AND_ASSIGN(const Arrays a, model.Predict({{"plus", plus}, {"minus", minus}}));
  EXPECT_EQ(model.config().inputs[1].name, "minus");
  ASSERT_OK_AND_ASSIGN(const Arrays b, model.Predict({{"minus", minus}, {"plus", plus}}));
  EXPECT_TRUE(std::ranges::equal(a[0].values<float>(), b[0].values<float>()));
}

// ---- Data of other shapes.

class MeanOfSteps final : public Model {
 public:
  MeanOfSteps() : Model(ModelOptions{.seed = 5}) {}
  CallOutputs Call(const SymbolicTensors& inputs, bool) const override {
    const SymbolicTensor mean = Lambda([](Value v) { return Mean(v, {1}); })(inputs[0]);
    AddMetric(mean, "mean");
    return score_(mean);
  }

 private:
  Layer score_ = Dense(1, {.name = "score"});
};

TEST(OtherShapes, ValidationDataMayHaveThem) {
  const Tensor x = Numbers({24, 4, 3}), y = Numbers({24, 1}), long_x = Numbers({10, 7, 3}), long_y = Numbers({10, 1});
  const FitArgs args{.epochs = 3, .batch_size = 8, .shuffle = false, .verbose = 0};
  MeanOfSteps model, alone;
  for (MeanOfSteps* each : {&model, &alone}) {
    ASSERT_OK(each->Compile({.optimizer = "sgd:learning_rate=0.1,momentum=0.9", .loss = "mse", .metrics = {"mae"}}));
  }
  FitArgs validated = args;
  validated.validation_data = Data{long_x, long_y};
  ASSERT_OK_AND_ASSIGN(const History history, model.Fit(x, y, validated));
  ASSERT_OK_AND_ASSIGN(const History expected, alone.Fit(x, y, args));
  // It continues to train on the shapes of x, and evaluates with the current weights.
  EXPECT_EQ(history["loss"], expected["loss"]);
  EXPECT_EQ(history["mean"], expected["mean"]);
  ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate(long_x, long_y, {.batch_size = 8}));
  EXPECT_NEAR(history["val_loss"].back(), Of(logs, "loss"), 1e-6);
  EXPECT_NEAR(history["val_mae"].back(), Of(logs, "mae"), 1e-6);
  EXPECT_NEAR(history["val_mean"].back(), Of(logs, "mean"), 1e-6);
  // Training continues, with the optimizer's state.
  ASSERT_OK(model.Fit(x, y, args));
  ASSERT_OK(alone.Fit(x, y, args));
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, model.GetWeights());
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> same, alone.GetWeights());
  for (size_t i = 0; i < 2; ++i) EXPECT_TRUE(std::ranges::equal(weights[i].values<float>(), same[i].values<float>()));
  // Errors are reported before the first step.
  EXPECT_THAT(
      model.Fit(x, y, {.validation_data = Data{Numbers({10, 7, 2}), long_y}, .verbose = 0}).status(),
      StatusHasMessage(HasSubstr("layer 'score': its weight 'score/kernel' is f32[3,1] since an earlier tracing, "
                                 "and now needed as f32[2,1]")));
}

// ---- Losses and metrics added in Call.

class Penalised final : public Model {
 public:
  Penalised() : Model(ModelOptions{.seed = 5}) {}
  CallOutputs Call(const SymbolicTensors& inputs, bool) const override {
    const SymbolicTensor h = hidden_(inputs[0]);
    const SymbolicTensor size = Lambda([](Value v) { return Mean(Square(v), {0, 1}); })(h);
    AddLoss(Scaled(size, 0.1));
    AddMetric(size, "size");
    return score_(h);
  }

 private:
  Layer hidden_ = Dense(4, "tanh", {.name = "hidden"}), score_ = Dense(1, {.name = "score"});
};

TEST(AddedInCall, CountsInLossAndLogs) {
  Penalised model;
  ASSERT_OK(model.Compile({.optimizer = "sgd:learning_rate=0.1", .loss = "mse", .metrics = {"mse"}}));
  const Tensor x = Numbers({16, 3}), y = Numbers({16, 1});
  ASSERT_OK_AND_ASSIGN(const Logs tested, model.TestOnBatch(x, y));
  EXPECT_NEAR(Of(tested, "loss"), Of(tested, "mse") + 0.1 * Of(tested, "size"), 1e-6);
  ASSERT_OK_AND_ASSIGN(const History history,
                       model.Fit(x, y, {.epochs = 2, .validation_data = Data{x, y}, .verbose = 0}));
  EXPECT_NEAR(history["loss"][0], history["mse"][0] + 0.1 * history["size"][0], 1e-6);
  EXPECT_EQ(history["val_size"].size(), 2u);
  EXPECT_NEAR(history["val_loss"][1], history["val_mse"][1] + 0.1 * history["val_size"][1], 1e-6);
  // The gradient is that of both losses.
  ASSERT_OK(model.Compile({.optimizer = "sgd:learning_rate=0.1"}));
  ASSERT_OK_AND_ASSIGN(const History alone, model.Fit(x, Arrays(), {.epochs = 3, .verbose = 0}));
  EXPECT_LT(alone["size"].back(), alone["size"][0]);
}

// The text of such a model's program describes the model.
TEST(AddedInCall, StandsInProgramsTexts) {
  class Sums final : public Model {
   public:
    CallOutputs Call(const SymbolicTensors& inputs, bool) const override {
      const SymbolicTensor h = hidden_(inputs[0]);
      AddLoss(h);
      AddMetric(h, "size");
      return score_(h);
    }

   private:
    Layer hidden_ = Dense(4, "sigmoid", {.name = "hidden"}), score_ = Dense(1, {.name = "score"});
  };
  Sums model;
  ASSERT_OK(model.Build({{3}}));
  ASSERT_OK(model.Compile({.optimizer = "sgd", .loss = "mse"}));
  ASSERT_OK_AND_ASSIGN(const Graph program, model.Program(ProgramKind::kTraining));
  const std::string text = Print(program);
  ASSERT_OK_AND_ASSIGN(const Graph parsed, Parse(text));
  EXPECT_EQ(Print(parsed), text);
  ASSERT_OK_AND_ASSIGN(const ModelConfig told, ReadFacts(parsed));
  EXPECT_EQ(told.added_losses.size(), 1u);
  EXPECT_THAT(AddedMetricNames(told), ElementsAre("size"));
  ASSERT_OK_AND_ASSIGN(const Graph again,
                       BuildProgram(ProgramKind::kTraining, told,
                                    {.x = {{DType::kF32, {kBatch, 3}}}, .y = {{DType::kF32, {kBatch, 1}}}}, {}));
  EXPECT_EQ(again.outputs().size(), program.outputs().size());
}

TEST(AddedInCall, SaysWhatIsWrong) {
  class Whole final : public Model {
   public:
    CallOutputs Call(const SymbolicTensors& inputs, bool) const override {
      AddLoss(Input({2}));
      return inputs[0];
    }
  };
  EXPECT_THAT(Whole().Build({{2}}), StatusHasMessage(HasSubstr("which is not among the model's inputs")));
  Penalised outside;
  outside.AddLoss(Input({2}));
  EXPECT_THAT(outside.Build({{3}}),
              StatusHasMessage(HasSubstr("AddLoss works only in models declared from fb::Input, and within the Call "
                                         "of a class")));
  class Names final : public Model {
   public:
    CallOutputs Call(const SymbolicTensors& inputs, bool training) const override {
      if (training) return {{"one", inputs[0]}};
      return {{"other", inputs[0]}};
    }
  };
  EXPECT_THAT(
      Names().Build({{2}}),
      StatusHasMessage(HasSubstr("in training its Call returns the outputs 'one', but returned 'other' before")));
  class Twice final : public Model {
   public:
    CallOutputs Call(const SymbolicTensors& inputs, bool) const override {
      return {{"same", inputs[0]}, {"same", inputs[0]}};
    }
  };
  EXPECT_THAT(Twice().Build({{2}}), StatusHasMessage(HasSubstr("two outputs are named 'same'")));
}

}  // namespace
}  // namespace fusebox::testing
