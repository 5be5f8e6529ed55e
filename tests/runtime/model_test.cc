// SPDX-License-Identifier: Apache-2.0
// Functional models: declarations, error messages, and training compared with Keras's (tests/data/keras_functional,
// made by tests/python/make_keras_functional.py).
#include "fusebox/runtime/model.h"

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "fmt/format.h"
#include "fusebox/runtime/files/npz.h"
#include "fusebox/runtime/keras/program_facts.h"
#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"
#include "tests/runtime/files/files.h"
#include "tests/runtime/functional_models.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kFolder = FUSEBOX_SOURCE_DIR "/tests/data/keras_functional/";

std::vector<std::string> LayerNames(const Model& model) {
  std::vector<std::string> names;
  for (const LayerConfig& layer : model.config().layers) names.push_back(layer.name);
  return names;
}

// ---- The same numbers as Keras.

class KerasFunctional : public ::testing::Test {
 protected:
  void Load(const std::string& name) {
    ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> arrays, ReadNpz(kFolder + name + ".npz"));
    arrays_.clear();
    for (const NamedTensor& array : arrays) arrays_[array.name] = array.value;
  }
  std::vector<double> Numbers(const std::string& name) const {
    const Tensor numbers = arrays_.at(name).Cast(DType::kF64);
    return {numbers.values<double>().begin(), numbers.values<double>().end()};
  }
  // The arrays with this prefix, named by the rest of their names.
  std::vector<NamedTensor> Named(const std::string& prefix, int64_t begin = 0, int64_t end = -1) const {
    std::vector<NamedTensor> some;
    for (const auto& [name, value] : arrays_) {
      if (!name.starts_with(prefix)) continue;
      some.push_back({name.substr(prefix.size()), end < 0 ? value : value.Rows(begin, end)});
    }
    return some;
  }
  std::vector<Tensor> Weights(const std::string& when) const {
    std::vector<Tensor> weights;
    for (const NamedTensor& named : Named(when)) weights.push_back(named.value);
    return weights;
  }
  static void ExpectNear(const Tensor& actual, const Tensor& expected, const std::string& what) {
    ASSERT_EQ(actual.shape(), expected.shape()) << what;
    for (size_t i = 0; i < size_t(expected.size()); ++i)
      ASSERT_NEAR(actual.values<float>()[i], expected.values<float>()[i], kBound) << what << " " << i;
  }
  // Trains three epochs with validation, and checks the results.
  void Train(Model& model) const {
    constexpr int64_t kRows = 97, kValidation = 20, kTrain = kRows - kValidation;
    const Arrays x = Named("x_"), y = Named("y_");
    ASSERT_OK_AND_ASSIGN(const History history, model.Fit(x, y,
                                                          {.epochs = 3,
                                                           .batch_size = 16,
                                                           .validation_split = double(kValidation) / kRows,
                                                           .shuffle = false,
                                                           .verbose = 0}));
    // The keys are Keras's, in Keras's order.
    std::vector<std::string> keys, expected_keys;
    for (const auto& [key, values] : history.values) keys.push_back(key);
    for (const NamedTensor& named : Named("epoch_")) expected_keys.push_back(named.name);
    EXPECT_EQ(keys, expected_keys);
    for (const auto& [key, values] : history.values) {
      const std::vector<double> expected = Numbers("epoch_" + key);
      ASSERT_EQ(values.size(), expected.size());
      for (size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], kBound) << key << " " << i;
    }
    ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, model.GetWeights());
    const std::vector<Tensor> after = Weights("after_");
    ASSERT_EQ(weights.size(), after.size());
    for (size_t i = 0; i < weights.size(); ++i) ExpectNear(weights[i], after[i], fmt::format("weight {}", i));
    ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate(x, y, {.batch_size = 16}));
    for (const LogValue& log : logs) EXPECT_NEAR(log.value, Numbers("final_" + log.name)[0], kBound) << log.name;
    ASSERT_OK_AND_ASSIGN(const Arrays predicted, model.Predict(x));
    EXPECT_EQ(predicted.size(), Named("prediction_").size());
    for (const NamedTensor& named : Named("prediction_")) ExpectNear(predicted[named.name], named.value, named.name);
    // The same by position instead of by name.
    std::vector<Tensor> in_order;
    for (const InputConfig& input : model.config().inputs) in_order.push_back(x[input.name]);
    ASSERT_OK_AND_ASSIGN(const Arrays again, model.Predict(in_order));
    ExpectNear(again[0], predicted[0], "in order");
    EXPECT_EQ(kTrain + kValidation, kRows);
  }

  // As in keras_training_test.cc.
  static constexpr double kBound = 1e-5;

 private:
  std::map<std::string, Tensor> arrays_;
};

TEST_F(KerasFunctional, TwoOutputsTrainAlike) {
  Load("two_outputs");
  Model model = TwoOutputs();
  ASSERT_OK(CompileTwoOutputs(model));
  ASSERT_OK(model.SetWeights(Weights("before_")));
  Train(model);
}

TEST_F(KerasFunctional, ModelsWithinModelsTrainAlike) {
  Load("nested");
  Model model = Nested();
  ASSERT_OK(CompileNested(model));
  ASSERT_OK(model.SetWeights(Weights("before_")));
  Train(model);
}

TEST_F(KerasFunctional, KerasFilesTrainAlike) {
  for (const std::string name : {"two_outputs", "nested"}) {
    Load(name);
    for (const char* const ending : {".keras", ".h5"}) {
      SCOPED_TRACE(name + ending);
      ASSERT_OK_AND_ASSIGN(Model model, LoadModel(kFolder + name + ending));
      Train(model);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_F(KerasFunctional, SummariesAreKerass) {
  for (const std::string name : {"two_outputs", "nested"}) {
    std::ifstream file(kFolder + name + ".txt");
    std::stringstream expected;
    expected << file.rdbuf();
    EXPECT_EQ(name == "nested" ? Nested().Summary() : TwoOutputs().Summary(), expected.str());
  }
}

// Saving keeps the description, the weights, and the optimizer's state.
TEST_F(KerasFunctional, FilesKeepEverything) {
  const TempFolder folder;
  for (const std::string name : {"two_outputs", "nested"}) {
    SCOPED_TRACE(name);
    Load(name);
    Model model = name == "nested" ? Nested() : TwoOutputs();
    ASSERT_OK(name == "nested" ? CompileNested(model) : CompileTwoOutputs(model));
    const Arrays x = Named("x_"), y = Named("y_");
    ASSERT_OK(model.Fit(x, y, {.verbose = 0}));
    ASSERT_OK(model.Save(folder / (name + ".keras")));
    ASSERT_OK_AND_ASSIGN(Model again, LoadModel(folder / (name + ".keras")));
    EXPECT_EQ(again.config(), model.config());
    ASSERT_OK(again.Fit(x, y, {.seed = 3, .verbose = 0}));
    ASSERT_OK(model.Fit(x, y, {.seed = 3, .verbose = 0}));
    ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, model.GetWeights());
    ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> again_weights, again.GetWeights());
    ASSERT_EQ(weights.size(), again_weights.size());
    for (size_t i = 0; i < weights.size(); ++i)
      EXPECT_TRUE(std::ranges::equal(weights[i].values<float>(), again_weights[i].values<float>())) << i;
    // The text of a program describes the model, too.
    ASSERT_OK_AND_ASSIGN(const Graph program, model.Program(ProgramKind::kTraining));
    ASSERT_OK_AND_ASSIGN(const ModelConfig told, ReadFacts(program));
    ASSERT_OK_AND_ASSIGN(const Model from_text, Model::FromConfig(told));
    EXPECT_EQ(from_text.config(), model.config());
  }
}

// ---- Declaring.

TEST(Model, OrdersAndNamesLayersAsKerasDoes) {
  const SymbolicTensor wide = Input({5}), deep = Input({6}, {.name = "deep"});
  const SymbolicTensor h = Dense(30, "relu")(Dense(30, "relu")(deep));
  const Model model({wide, deep}, {Dense(1, {.name = "main_output"})(Concatenate()({wide, h})), Dense(1)(h)});
  ASSERT_OK(model.status());
  EXPECT_EQ(model.config().name, "functional");
  // The layer made first is Keras's `dense`: C++ makes the outer one of a(b(x)) first.
  EXPECT_THAT(LayerNames(model), ElementsAre("dense_1", "dense", "concatenate", "main_output", "dense_2"));
  EXPECT_THAT(InputNames(model.config()), ElementsAre("input_layer", "deep"));
  EXPECT_THAT(OutputNames(model.config()), ElementsAre("main_output", "dense_2"));
}

TEST(Model, SharedLayersHaveOneSetOfWeights) {
  const Layer shared = Dense(3, {.name = "shared"});
  const SymbolicTensor a = Input({2}), b = Input({2});
  Model model({a, b}, {shared(a), shared(b)}, {.seed = 5});
  ASSERT_OK(model.status());
  EXPECT_EQ(model.CountParams(), 9);
  EXPECT_THAT(OutputNames(model.config()), ElementsAre("shared", "shared_1"));
  const float x[] = {1, 2, 3, 4};
  const Tensor one = Tensor::Borrow(DType::kF32, {2, 2}, x);
  ASSERT_OK_AND_ASSIGN(const Arrays y, model.Predict({one, one}));
  EXPECT_TRUE(std::ranges::equal(y["shared"].values<float>(), y["shared_1"].values<float>()));
  const SymbolicTensor c = Input({4});
  const Model wrong({a, c}, {shared(a), shared(c)});
  EXPECT_THAT(
      wrong.status(),
      StatusHasMessage(HasSubstr("'shared/kernel' is f32[4,3] since an earlier call, and now needed as f32[2,3]")));
}

TEST(Model, AModelWithinBringsItsWeights) {
  Sequential encoder({Dense(3, {.name = "d", .input_shape = {2}})}, {.name = "encoder", .seed = 3});
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> trained, encoder.GetWeights());
  const SymbolicTensor x = Input({2});
  Model model(x, Dense(1)(encoder(x)));
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> within, model.GetLayerWeights("encoder"));
  ASSERT_EQ(within.size(), 2u);
  EXPECT_TRUE(std::ranges::equal(within[0].values<float>(), trained[0].values<float>()));
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> leaf, model.GetLayerWeights("encoder/d"));
  EXPECT_EQ(leaf.size(), 2u);
  // A Sequential may contain a model, too.
  Sequential stack({.name = "stack"});
  stack.Add(encoder).Add(Dense(1));
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> in_stack, stack.GetWeights());
  EXPECT_TRUE(std::ranges::equal(in_stack[0].values<float>(), trained[0].values<float>()));
}

TEST(Model, FrozenLayersStay) {
  Sequential encoder({Dense(3, "tanh", {.name = "d", .input_shape = {2}})}, {.name = "encoder", .seed = 3});
  const SymbolicTensor in = Input({2});
  Model model(in, Dense(1, {.name = "out"})(encoder(in)), {.seed = 4});
  ASSERT_OK(model.Compile({.optimizer = "sgd:learning_rate=0.5,momentum=0.9", .loss = "mean_squared_error"}));
  const float x[] = {1, 2, 3, 4}, y[] = {1, -1};
  const Tensor xs = Tensor::Borrow(DType::kF32, {2, 2}, x), ys = Tensor::Borrow(DType::kF32, {2, 1}, y);
  const auto changes = [&](const char* layer) {
    const auto before = *model.GetLayerWeights(layer);
    EXPECT_OK(model.Fit(xs, ys, {.verbose = 0}));
    const auto after = *model.GetLayerWeights(layer);
    return !std::ranges::equal(before[0].values<float>(), after[0].values<float>());
  };
  EXPECT_TRUE(changes("encoder/d"));
  ASSERT_OK(model.SetTrainable("encoder", false));
  EXPECT_FALSE(changes("encoder/d"));
  EXPECT_TRUE(changes("out"));
  EXPECT_THAT(model.Summary(), HasSubstr("Non-trainable params: 9 "));
  ASSERT_OK(model.SetTrainable("encoder", true));
  ASSERT_OK(model.SetTrainable("encoder/d", false));
  EXPECT_FALSE(changes("encoder/d"));
  ASSERT_OK(model.SetTrainable("encoder/d", true));
  EXPECT_TRUE(changes("encoder/d"));
  EXPECT_THAT(model.GetLayer("encodr").status(),
              StatusHasMessage("model 'functional' has no layer 'encodr': did you mean 'encoder'?"));
}

TEST(Model, ACloneStartsAnew) {
  Model model = Nested();
  ASSERT_OK(CompileNested(model));
  ASSERT_OK_AND_ASSIGN(Model clone, model.Clone(7));
  EXPECT_EQ(clone.config().compile, std::nullopt);
  EXPECT_EQ(clone.config().layers, model.config().layers);
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, model.GetWeights());
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> fresh, clone.GetWeights());
  ASSERT_EQ(weights.size(), fresh.size());
  EXPECT_FALSE(std::ranges::equal(weights[0].values<float>(), fresh[0].values<float>()));
  ASSERT_OK(clone.SetWeights(weights));
}

TEST(Model, SaysWhatIsWrongWithADeclaration) {
  const SymbolicTensor a = Input({5}, {.name = "a"}), b = Input({6}, {.name = "b"});
  const int line = __LINE__ + 1;
  const Model unused({a, b}, Dense(1)(a));
  EXPECT_THAT(unused.status(),
              StatusHasMessage(AllOf(HasSubstr("model_test.cc:" + std::to_string(line) + ": model 'functional': "),
                                     HasSubstr("input 'b' [tests/runtime/model_test.cc:"),
                                     HasSubstr("is used by none of the model's outputs"))));
  const Model disconnected(a, Dense(1, {.name = "out"})(b));
  EXPECT_THAT(disconnected.status(), StatusHasMessage(AllOf(HasSubstr("layer 'out' needs input 'b' ["),
                                                            HasSubstr("which is not among the model's inputs"))));
  const Model unreachable({a}, {b});
  EXPECT_THAT(unreachable.status(), StatusHasMessage(HasSubstr("one of its outputs needs input 'b' [")));
  const Model twice(a, Dense(1, {.name = "d"})(Dense(1, {.name = "d"})(a)));
  EXPECT_THAT(twice.status(), StatusHasMessage(HasSubstr("two layers are named 'd', the second is that of ")));
  const Model shapes({a, b}, Concatenate({.axis = 1, .name = "both"})({Reshape({5, 1})(a), Reshape({2, 3})(b)}));
  EXPECT_THAT(shapes.status(),
              StatusHasMessage(AllOf(HasSubstr("model_test.cc:"), HasSubstr("'both', layer fusebox/concatenate"),
                                     HasSubstr("expects inputs that agree in all axes but 1, got f32[N,5,1] and "
                                               "f32[N,2,3], which differ in axis 2"))));
  const Model empty(a, Dense(1, {.name = "e"})(SymbolicTensor()));
  EXPECT_THAT(empty.status(), StatusHasMessage(HasSubstr("layer 'e' is made of an empty value")));
  const Model no_input(Dense(1, {.name = "f"})(a), Dense(1)(a));
  EXPECT_THAT(no_input.status(),
              StatusHasMessage(HasSubstr("its inputs need to come from fb::Input, and one is what layer 'f' gives")));
  const Model one({a}, {Add()({a})});
  EXPECT_THAT(one.status(), StatusHasMessage(AllOf(HasSubstr("'add', layer fusebox/add@1"),
                                                   HasSubstr("expects 2 or more inputs, got 1"))));
  const Model inner({a, b}, Concatenate()({a, b}), {.name = "inner"});
  const Model fewer(a, inner(a));
  EXPECT_THAT(fewer.status(), StatusHasMessage(HasSubstr("'inner': the model has 2 inputs: 'a', 'b'; got 1")));
  const Model other({a, b}, inner({b, a}));
  EXPECT_THAT(other.status(), StatusHasMessage(HasSubstr("'inner': its input 'a' is f32[N,5], got f32[N,6]")));
}

TEST(Model, SaysWhatIsWrongWithCompileArguments) {
  Model model = TwoOutputs();
  EXPECT_THAT(model.Compile({.loss = {{"main_output", "mean_squared_error"}, {"aux", "mean_squared_error"}}}),
              StatusHasMessage("model 'two_outputs' has no output 'aux', for which losses are given: its outputs are "
                               "'main_output', 'aux_output'"));
  EXPECT_THAT(model.Compile({.loss = "mean_squared_error", .loss_weights = {1.0, 2.0, 3.0}}),
              StatusHasMessage("model 'two_outputs' has 2 outputs ('main_output', 'aux_output'), got 3 loss_weights"));
  EXPECT_THAT(model.Compile({.loss = "mean_squared_error", .metrics = {"accuracy"}}),
              StatusHasMessage("model 'two_outputs' has 2 outputs ('main_output', 'aux_output'), got 1 metrics"));
  EXPECT_THAT(model.Compile({.loss = "mean_squared_error", .metrics = {{"main", {"accuracy"}}}}),
              StatusHasMessage(HasSubstr("has no output 'main', for which metrics are given")));
  EXPECT_THAT(model.Compile({.optimizer = "sgd"}),
              StatusHasMessage("model 'two_outputs': a loss is needed to compile it"));
}

TEST(Model, SaysWhatIsWrongWithData) {
  Model model = TwoOutputs();
  ASSERT_OK(CompileTwoOutputs(model));
  const Tensor wide(DType::kF32, {8, 5}), deep(DType::kF32, {8, 6}), main(DType::kI32, {8}), aux(DType::kF32, {8, 1});
  EXPECT_THAT(model.Fit(wide, {main, aux}).status(),
              StatusHasMessage("model 'two_outputs' has 2 inputs: 'wide_input', 'deep_input'; got 1 array"));
  EXPECT_THAT(model.Fit({wide, deep}, {main, aux, aux}).status(),
              StatusHasMessage("model 'two_outputs' has 2 outputs: 'main_output', 'aux_output'; got 3 arrays"));
  EXPECT_THAT(model.Predict({{"wide_input", wide}, {"deep", deep}}).status(),
              StatusHasMessage("model 'two_outputs' has 2 inputs: 'wide_input', 'deep_input'; given are 'wide_input', "
                               "'deep'"));
  EXPECT_THAT(model.Predict({deep, wide}).status(),
              StatusHasMessage("input 'wide_input' expects x of shape [N,5], got [8,6]"));
  EXPECT_THAT(model.Predict({wide.Rows(0, 7), deep}).status(),
              StatusHasMessage("x 'wide_input' has 7 samples, x 'deep_input' has 8"));
  EXPECT_THAT(model.Fit({wide, deep}, {main, aux.Rows(0, 3)}).status(),
              StatusHasMessage("x has 8 samples, y 'aux_output' has 3"));
  EXPECT_THAT(model.Fit({wide, deep}, {main, aux}, {.validation_data = {{{wide, deep}, {main}}}}).status(),
              StatusHasMessage("validation data: model 'two_outputs' has 2 outputs: 'main_output', 'aux_output'; got 1 "
                               "array"));
  const Sequential stack(TwoOutputs());
  EXPECT_THAT(stack.status(),
              StatusHasMessage("model 'two_outputs' has 2 inputs and 2 outputs, a Sequential has one of each"));
}

// ---- Training.

TEST(Model, OutputsWithoutALossNeedNoTarget) {
  Model model = TwoOutputs();
  ASSERT_OK(model.Compile({.optimizer = "sgd", .loss = {{"aux_output", "mean_squared_error"}}}));
  const Tensor wide(DType::kF32, {8, 5}), deep(DType::kF32, {8, 6}), aux(DType::kF32, {8, 1});
  ASSERT_OK_AND_ASSIGN(const History history, model.Fit({wide, deep}, aux, {.verbose = 0}));
  ASSERT_EQ(history.values.size(), 1u);  // As for a model with one output.
  EXPECT_EQ(history.values[0].first, "loss");
}

TEST(Model, LossWeightsChangeWithoutANewProgram) {
  Model model = TwoOutputs();
  const auto weight = [&](double number) -> std::string {
    EXPECT_OK(model.Compile({.optimizer = "sgd",
                             .loss = {"sparse_categorical_crossentropy", "mean_squared_error"},
                             .loss_weights = {number, 1.0}}));
    const Graph program = *model.Program(ProgramKind::kTraining);
    return program[program.FindNamed(Op::kState, "loss/main_output/weight")].attributes.String("initializer");
  };
  EXPECT_EQ(weight(0.5), "0.5");
  const Tensor wide(DType::kF32, {8, 5}), deep(DType::kF32, {8, 6}), main(DType::kI32, {8}), aux(DType::kF32, {8, 1});
  const auto loss = [&] { return (*model.Evaluate({wide, deep}, {main, aux}))["loss"]; };
  const double half = loss();
  EXPECT_EQ(weight(2), "2");
  EXPECT_NEAR(loss(), 4 * half, 1e-5);  // Only the first loss differs from 0: ln 3 at most.
}

TEST(Model, OneStepIsOneProgram) {
  Model model = TwoOutputs();
  ASSERT_OK(CompileTwoOutputs(model));
  const Tensor wide(DType::kF32, {80, 5}), deep(DType::kF32, {80, 6}), main(DType::kI32, {80}),
      aux(DType::kF32, {80, 1});
  ASSERT_OK_AND_ASSIGN(const History history, model.Fit({wide, deep}, {main, aux}, {.epochs = 3, .verbose = 0}));
  EXPECT_EQ(history.calls, 3);
  EXPECT_EQ(history.steps, 9);
}

// ---- Functions that make layers.

TEST(Layers, MergeByTheirFunctions) {
  const float a[] = {1, 2, 3, 4}, b[] = {5, 1, 1, 2};
  const Tensor ta = Tensor::Borrow(DType::kF32, {2, 2}, a), tb = Tensor::Borrow(DType::kF32, {2, 2}, b);
  const auto merged = [&](const Layer& layer) {
    const SymbolicTensor x = Input({2}), y = Input({2});
    Model model({x, y}, layer({x, y}));
    const absl::StatusOr<Arrays> z = model.Predict({ta, tb});
    EXPECT_OK(z.status());
    const std::span<const float> values = (*z)[0].values<float>();
    return std::vector<float>(values.begin(), values.end());
  };
  EXPECT_THAT(merged(Add()), ElementsAre(6, 3, 4, 6));
  EXPECT_THAT(merged(Subtract()), ElementsAre(-4, 1, 2, 2));
  EXPECT_THAT(merged(Multiply()), ElementsAre(5, 2, 3, 8));
  EXPECT_THAT(merged(Average()), ElementsAre(3, 1.5, 2, 3));
  EXPECT_THAT(merged(Maximum()), ElementsAre(5, 2, 3, 4));
  EXPECT_THAT(merged(Minimum()), ElementsAre(1, 1, 1, 2));
  EXPECT_THAT(merged(Concatenate()), ElementsAre(1, 2, 5, 1, 3, 4, 1, 2));
  EXPECT_THAT(merged(Dot({1})), ElementsAre(7, 11));
}

TEST(Layers, EachFunctionNamesAnItem) {
  const std::vector<Layer> all = {Identity(),
                                  ReLU({.max_value = 6.0}),
                                  LeakyReLU(0.1),
                                  ELU(),
                                  PReLU(),
                                  Softmax(),
                                  LayerNormalization(),
                                  GroupNormalization({.groups = 2}),
                                  RMSNormalization(),
                                  UnitNormalization(),
                                  AlphaDropout(0.1),
                                  GaussianDropout(0.1),
                                  GaussianNoise(0.1),
                                  Reshape({2, 2}),
                                  Permute({2, 1}),
                                  SpatialDropout1D(0.1),
                                  Flatten(),
                                  RepeatVector(3)};
  Sequential model({.name = "all"});
  model.Add(Dense(4, {.input_shape = {4}}));
  for (const Layer& layer : all) model.Add(layer);
  ASSERT_OK(model.status());
  EXPECT_THAT(model.Summary(), HasSubstr("(None, 3, 4)"));
}

}  // namespace
}  // namespace fusebox::testing
