// SPDX-License-Identifier: Apache-2.0
// Models that share layers share their weights, as in Keras (tests/data/keras_sharing, made by
// tests/python/make_keras_sharing.py).
#include <filesystem>
#include <map>

#include "fmt/format.h"
#include "fusebox/fusebox.h"
#include "fusebox/runtime/files/npz.h"
#include "fusebox/runtime/model_plugin.h"
#include "gmock/gmock.h"
#include "tests/runtime/files/files.h"
#include "tests/runtime/numbers.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;

const FitArgs kInOrder = {.epochs = 3, .batch_size = 16, .shuffle = false, .verbose = 0};

class Sharing : public ::testing::Test {
 protected:
  void Load(const std::string& name) {
    ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> arrays,
                         ReadNpz(FUSEBOX_SOURCE_DIR "/tests/data/keras_sharing/" + name + ".npz"));
    for (const NamedTensor& array : arrays) arrays_[array.name] = array.value;
  }
  const Tensor& of(const std::string& name) const { return arrays_.at(name); }

  std::vector<Tensor> Weights(const std::string& stage, const std::string& model) const {
    std::vector<Tensor> weights;
    for (size_t i = 0; arrays_.contains(fmt::format("{}_{}_{:02}", stage, model, i)); ++i) {
      weights.push_back(of(fmt::format("{}_{}_{:02}", stage, model, i)));
    }
    return weights;
  }
  void SetBefore(Model& model, const std::string& name) { ASSERT_OK(model.SetWeights(Weights("before", name))); }

  static void ExpectClose(const Tensor& got, const Tensor& expected, const std::string& what) {
    ASSERT_EQ(got.shape(), expected.shape()) << what;
    const Tensor a = got.Cast(DType::kF64), b = expected.Cast(DType::kF64);
    for (size_t i = 0; i < size_t(a.size()); ++i) {
      ASSERT_NEAR(a.values<double>()[i], b.values<double>()[i], 2e-5) << what << " " << i;
    }
  }
  void ExpectSays(Model& model, const Tensor& x, const std::string& what) {
    ASSERT_OK_AND_ASSIGN(const Arrays y, model.Predict(x));
    ExpectClose(y[0], of("said_" + what), what);
  }
  void ExpectAfter(Model& model, const std::string& name) {
    ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, model.GetWeights());
    const std::vector<Tensor> expected = Weights("after", name);
    ASSERT_EQ(weights.size(), expected.size()) << name;
    for (size_t i = 0; i < weights.size(); ++i) ExpectClose(weights[i], expected[i], fmt::format("{} {}", name, i));
  }
  void ExpectLosses(const absl::StatusOr<History>& history, const std::string& what) {
    ASSERT_OK(history.status());
    const Tensor losses = of("loss_" + what).Cast(DType::kF64);
    EXPECT_THAT((*history)["loss"], Pointwise(DoubleNear(2e-5), losses.values<double>())) << what;
  }

  std::map<std::string, Tensor> arrays_;
};

TEST_F(Sharing, AnAutoencoderTrainsItsEncoderAndDecoder) {
  Load("autoencoder");
  Sequential encoder({Dense(3, "tanh", {.input_shape = {6}})}, {.name = "encoder"});
  Sequential decoder({Dense(6, {.input_shape = {3}})}, {.name = "decoder"});
  Sequential both({encoder, decoder});
  SetBefore(encoder, "encoder");
  SetBefore(decoder, "decoder");
  ASSERT_OK(both.Compile({.optimizer = "sgd:learning_rate=0.1,momentum=0.9", .loss = "mean_squared_error"}));
  ExpectLosses(both.Fit(of("x"), of("x"), kInOrder), "both");
  ExpectSays(encoder, of("x"), "codes");
  ExpectSays(decoder, of("said_codes"), "decoded");
  ASSERT_OK(decoder.Compile({.optimizer = "sgd:learning_rate=0.1", .loss = "mean_squared_error"}));
  FitArgs twice = kInOrder;
  twice.epochs = 2;
  ExpectLosses(decoder.Fit(of("said_codes"), of("x"), twice), "decoder");
  ExpectSays(both, of("x"), "both");
  ExpectAfter(encoder, "encoder");
  ExpectAfter(decoder, "decoder");
}

TEST_F(Sharing, AnInnerValueMakesAnExtractorOfFeatures) {
  Load("extractor");
  const SymbolicTensor in = Input({4});
  const SymbolicTensor inner = Dense(5, "relu", {.name = "inner"})(in);
  Model first(in, Dense(1, {.name = "one"})(inner)), features(in, inner), second(in, Dense(2, {.name = "two"})(inner));
  SetBefore(second, "second");
  SetBefore(first, "first");
  for (Model* model : {&first, &second}) {
    ASSERT_OK(model->Compile({.optimizer = "adam:learning_rate=0.01", .loss = "mean_squared_error"}));
  }
  FitArgs twice = kInOrder;
  twice.epochs = 2;
  ExpectLosses(first.Fit(of("x"), of("y"), twice), "first");
  ExpectSays(features, of("x"), "features");
  ExpectLosses(second.Fit(of("x"), of("z"), twice), "second");
  ExpectSays(first, of("x"), "first");
  ExpectLosses(first.Fit(of("x"), of("y"), twice), "first_again");
  ExpectAfter(first, "first");
  ExpectAfter(second, "second");
}

// Two models that begin with the same layer, within a third one.
struct Towers {
  Towers() : Towers(Dense(3, "tanh", {.kernel_regularizer = "l2", .name = "shared"})) {}
  explicit Towers(const Layer& shared) : Towers(shared, Input({4}), Input({4}), Input({4}), Input({4})) {}
  Towers(const Layer& shared, const SymbolicTensor& in_a, const SymbolicTensor& in_b, const SymbolicTensor& x1,
         const SymbolicTensor& x2)
      : a(in_a, Dense(2, {.name = "last_a"})(shared(in_a)), {.name = "A"}),
        b(in_b, Dense(2, {.name = "last_b"})(shared(in_b)), {.name = "B"}),
        both({x1, x2}, Add()({a(x1), b(x2)}), {.seed = 1}) {}

  Model a, b, both;
};
absl::Status CompileTowers(Model& both) {
  return both.Compile({.optimizer = "sgd:learning_rate=0.05,momentum=0.9", .loss = "mean_squared_error"});
}

TEST_F(Sharing, ALayerOfTwoModelsWithinAThirdIsOneLayer) {
  Load("towers");
  Towers towers;
  SetBefore(towers.a, "A");
  SetBefore(towers.b, "B");
  ASSERT_OK(CompileTowers(towers.both));
  ExpectLosses(towers.both.Fit({of("x1"), of("x2")}, of("y"), kInOrder), "both");
  ExpectSays(towers.a, of("x1"), "a");
  ExpectSays(towers.b, of("x2"), "b");
  ExpectAfter(towers.a, "A");
  ExpectAfter(towers.b, "B");
  ExpectAfter(towers.both, "both");
  EXPECT_EQ(towers.both.CountParams(), of("params").Cast(DType::kI64).values<int64_t>()[0]);
  EXPECT_THAT(towers.both.Summary(), HasSubstr(" Total params: 31 "));
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> within_b, towers.both.GetLayerWeights("B/shared"));
  EXPECT_EQ(within_b.size(), 2u);
}

TEST_F(Sharing, AFileKeepsItAndGoesOnToTrain) {
  Load("towers");
  Towers towers;
  SetBefore(towers.a, "A");
  SetBefore(towers.b, "B");
  ASSERT_OK(CompileTowers(towers.both));
  const TempFolder folder;
  FitArgs args = kInOrder;
  args.epochs = 1;
  ASSERT_OK(towers.both.Fit({of("x1"), of("x2")}, of("y"), args).status());
  ASSERT_OK(towers.both.Save(folder / "towers.keras"));
  ASSERT_OK_AND_ASSIGN(Model opened, LoadModel(folder / "towers.keras"));
  ASSERT_OK_AND_ASSIGN(const ModelText text, DescribeModel(towers.both));
  ASSERT_OK_AND_ASSIGN(Model described, ModelFromText(text.config, "a library"));
  EXPECT_EQ(described.CountParams(), 31);
  args.initial_epoch = 1;
  args.epochs = 3;
  ASSERT_OK_AND_ASSIGN(const History history, opened.Fit({of("x1"), of("x2")}, of("y"), args));
  const Tensor losses = of("loss_both").Cast(DType::kF64);
  EXPECT_THAT(history["loss"],
              ElementsAre(DoubleNear(losses.values<double>()[1], 2e-5), DoubleNear(losses.values<double>()[2], 2e-5)));
  ExpectAfter(opened, "both");
  ASSERT_OK(opened.SaveWeights(folder / "towers.weights.h5"));
  ASSERT_OK(towers.both.LoadWeights(folder / "towers.weights.h5"));
  ExpectAfter(towers.a, "A");
}

TEST_F(Sharing, TrainableIsSwitchedBetweenTheTwoOfAGan) {
  Load("gan");
  Sequential generator({Dense(4, "tanh", {.input_shape = {2}})}, {.name = "generator"});
  Sequential discriminator({Dense(5, "relu", {.input_shape = {4}}), Dense(1, "sigmoid")}, {.name = "discriminator"});
  Sequential both({generator, discriminator});
  SetBefore(generator, "generator");
  SetBefore(discriminator, "discriminator");
  ASSERT_OK(discriminator.Compile({.optimizer = "adam:learning_rate=0.01", .loss = "binary_crossentropy"}));
  ASSERT_OK(both.Compile({.optimizer = "adam:learning_rate=0.02", .loss = "binary_crossentropy"}));
  Tensor real(DType::kF32, {16, 1});
  std::ranges::fill(real.mutable_values<float>(), 1.0F);
  const Tensor fake(DType::kF32, {16, 1});
  std::vector<double> losses;
  const auto step = [&](Model& model, const Tensor& x, const Tensor& y) {
    const absl::StatusOr<Logs> logs = model.TrainOnBatch(x, y);
    ASSERT_OK(logs.status());
    losses.push_back((*logs)["loss"]);
  };
  for (int i = 0; i < 6; ++i) {
    ASSERT_OK_AND_ASSIGN(const Tensor made, generator.Predict(of("z")));
    discriminator.SetTrainable(true);
    step(discriminator, of("x"), real);
    step(discriminator, made, fake);
    discriminator.SetTrainable(false);
    step(both, of("z"), real);
  }
  const Tensor expected = of("loss_steps").Cast(DType::kF64);
  EXPECT_THAT(losses, Pointwise(DoubleNear(2e-5), expected.values<double>()));
  ExpectSays(generator, of("z"), "made");
  ExpectAfter(generator, "generator");
  ExpectAfter(discriminator, "discriminator");
}

// ---- What else shares.

TEST_F(Sharing, AChangeInOneModelIsSeenByPackedProgramsOfAll) {
  // Large enough that programs keep the weights packed while they train.
  const SymbolicTensor in = Input({96});
  const SymbolicTensor inner = Dense(128, "relu", {.name = "inner"})(in);
  Model one(in, Dense(1)(inner), {.seed = 1}), two(in, Dense(1)(inner), {.seed = 2}), features(in, inner);
  for (Model* model : {&one, &two}) ASSERT_OK(model->Compile({.optimizer = "sgd", .loss = "mse"}));
  const Tensor x = Numbers({32, 96}), y = Numbers({32, 1});
  Tensor before;
  for (Model* model : {&one, &two, &one, &two}) {
    ASSERT_OK(model->TrainOnBatch(x, y).status());
    ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> kernel, features.GetLayerWeights("inner"));
    ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> of_model, model->GetLayerWeights("inner"));
    EXPECT_TRUE(std::ranges::equal(kernel[0].values<float>(), of_model[0].values<float>()));
    if (!before.empty()) EXPECT_FALSE(std::ranges::equal(kernel[0].values<float>(), before.values<float>()));
    before = kernel[0];
  }
  // Set in one model, the weights count in the next step of another.
  ASSERT_OK(features.SetLayerWeights("inner", {Tensor(DType::kF32, {96, 128}), Tensor(DType::kF32, {128})}));
  ASSERT_OK_AND_ASSIGN(const Arrays zero, one.Predict(x));
  const float bias = (*one.GetWeights())[3].values<float>()[0];
  for (const float value : zero[0].values<float>()) EXPECT_EQ(value, bias);
}

TEST_F(Sharing, AModelOutlivesTheOneThatItSharesWith) {
  const Layer layer = Dense(2, {.name = "d"});
  const Tensor x = Numbers({4, 3}), y = Numbers({4, 2});
  Sequential kept({layer}, {.seed = 5});
  std::vector<Tensor> trained;
  {
    Sequential other({layer}, {.seed = 6});
    ASSERT_OK(other.Compile({.optimizer = "sgd:learning_rate=0.5", .loss = "mse"}));
    ASSERT_OK(other.Fit(x, y, {.epochs = 2, .verbose = 0}).status());
    ASSERT_OK_AND_ASSIGN(trained, other.GetWeights());
  }
  ASSERT_OK(kept.Predict(x).status());
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, kept.GetWeights());
  EXPECT_TRUE(std::ranges::equal(weights[0].values<float>(), trained[0].values<float>()));
}

TEST_F(Sharing, CloneAndFromConfigAloneCopy) {
  Sequential model({Dense(2, {.input_shape = {3}})}, {.seed = 5});
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, model.GetWeights());
  ASSERT_OK_AND_ASSIGN(Model clone, model.Clone(6));
  ASSERT_OK_AND_ASSIGN(Model again, Model::FromConfig(model.config(), {}, 6));
  for (Model* other : {&clone, &again}) {
    ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> own, other->GetWeights());
    EXPECT_FALSE(std::ranges::equal(own[0].values<float>(), weights[0].values<float>()));
    ASSERT_OK(other->SetWeights({Tensor(DType::kF32, {3, 2}), Tensor(DType::kF32, {2})}));
  }
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> kept, model.GetWeights());
  EXPECT_TRUE(std::ranges::equal(kept[0].values<float>(), weights[0].values<float>()));
  // A clone of a model whose inner models share a layer shares it among its own.
  const Towers towers;
  ASSERT_OK_AND_ASSIGN(const Model copy, towers.both.Clone(1));
  EXPECT_EQ(copy.CountParams(), 31);
}

TEST_F(Sharing, ALayerThatIsWrappedKeepsItsWeights) {
  const Layer dense = Dense(3, {.name = "d"});
  Sequential steps({TimeDistributed(dense, {.input_shape = {4, 2}})}, {.seed = 1});
  Sequential plain({dense}, {.seed = 2});
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, steps.GetWeights());
  ASSERT_OK(plain.Predict(Numbers({1, 2})).status());
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> same, plain.GetWeights());
  EXPECT_TRUE(std::ranges::equal(weights[0].values<float>(), same[0].values<float>()));
}

TEST_F(Sharing, AFrozenLayerIsFrozenInAllModels) {
  Layer shared = Dense(2, {.name = "shared"});
  Sequential one({shared}, {.seed = 1}), two({shared, Dense(1)}, {.seed = 2});
  const Tensor x = Numbers({4, 3});
  for (Sequential* model : {&one, &two}) ASSERT_OK(model->Compile({.optimizer = "adam", .loss = "mse"}));
  ASSERT_OK(one.Fit(x, Numbers({4, 2}), {.verbose = 0}).status());
  ASSERT_OK(one.SetTrainable("shared", false));
  EXPECT_FALSE(shared.trainable());
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> before, one.GetWeights());
  ASSERT_OK(two.Fit(x, Numbers({4, 1}), {.verbose = 0}).status());
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> after, one.GetWeights());
  EXPECT_TRUE(std::ranges::equal(before[0].values<float>(), after[0].values<float>()));
  EXPECT_THAT(two.Summary(), HasSubstr("Non-trainable params: 8 "));
  shared.SetTrainable(true);
  ASSERT_OK(two.Fit(x, Numbers({4, 1}), {.verbose = 0}).status());
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> trained, one.GetWeights());
  EXPECT_FALSE(std::ranges::equal(trained[0].values<float>(), after[0].values<float>()));
}

TEST_F(Sharing, ALayerThatAnotherModelMadeForOtherInputsIsRefused) {
  const Layer shared = Dense(2, {.name = "shared"});
  Sequential one({shared}), two({shared});
  ASSERT_OK(one.Predict(Numbers({4, 3})).status());
  EXPECT_THAT(two.Predict(Numbers({4, 5})).status(),
              StatusHasMessage("'shared/kernel': its layer is shared with a model that made this weight f32[3,2]; "
                               "expected f32[5,2]"));
}

TEST_F(Sharing, AFileThatSharesALayerItLacksIsRefused) {
  const Towers towers;
  ASSERT_OK_AND_ASSIGN(const ModelText text, DescribeModel(towers.both));
  std::string wrong = text.config;
  const size_t at = wrong.find("\"A/shared\"");
  ASSERT_NE(at, std::string::npos) << wrong;
  wrong.replace(at, 10, "\"C/shared\"");
  EXPECT_THAT(
      ModelFromText(wrong, "a library").status(),
      StatusHasMessage(HasSubstr("a library: model 'functional' has no layer 'C/shared', which is to be shared")));
}

}  // namespace
}  // namespace fusebox::testing
