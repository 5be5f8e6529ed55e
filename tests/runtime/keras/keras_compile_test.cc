// SPDX-License-Identifier: Apache-2.0
// Files of Keras whose compile settings or layers are code of their writer's (tests/data/keras_compile, made by
// tests/python/make_keras_compile_parts.py): what does not need that code works, and gives Keras's numbers.
#include "fusebox/graph/ops.h"
#include "fusebox/runtime/files/npz.h"
#include "fusebox/runtime/keras/keras_file.h"
#include "fusebox/runtime/layers.h"
#include "fusebox/runtime/model.h"
#include "tests/runtime/files/files.h"

namespace fusebox::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr float kBound = 2e-5f;

std::string File(const std::string& name) { return DataPath("keras_compile/") + name; }

class KerasCompile : public ::testing::Test {
 protected:
  void Read(const std::string& name) { ASSERT_OK_AND_ASSIGN(arrays_, ReadNpz(File(name + ".npz"))); }
  Tensor Get(const std::string& name) const {
    for (const NamedTensor& array : arrays_) {
      if (array.name == name) return array.value;
    }
    ADD_FAILURE() << "no array " << name;
    return {};
  }
  void ExpectNear(const Tensor& got, const Tensor& expected) const {
    ASSERT_EQ(got.size(), expected.size());
    for (size_t i = 0; i < size_t(got.size()); ++i)
      EXPECT_NEAR(got.values<float>()[i], expected.values<float>()[i], kBound) << i;
  }
  void ExpectPredicts(Model& model, const std::string& expected = "predicted") const {
    ASSERT_OK_AND_ASSIGN(const Arrays predicted, model.Predict(Get("x")));
    ExpectNear(predicted[0], Get(expected));
  }
  // What Keras's evaluate lists: the loss, then the metrics.
  void ExpectEvaluates(Model& model, const std::string& expected, std::vector<std::string> metrics = {"mae"}) const {
    ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate(Get("x"), Get("y")));
    const Tensor values = Get(expected).Cast(DType::kF32);
    metrics.insert(metrics.begin(), "loss");
    ASSERT_EQ(logs.size(), metrics.size());
    ASSERT_EQ(size_t(values.size()), metrics.size());
    for (size_t i = 0; i < metrics.size(); ++i)
      EXPECT_NEAR(logs[metrics[i]], values.values<float>()[i], kBound) << metrics[i];
  }
  absl::Status Fit(Model& model) const {
    return model.Fit(Get("x"), Get("y"), {.batch_size = 8, .shuffle = false, .verbose = 0}).status();
  }

  std::vector<NamedTensor> arrays_;
};

ItemSpec CubedError() {
  return LossFn("my_loss", [](Value y, Value p) {
    const Value d = Abs(y - p);
    return Mean(d * d * d, {-1});
  });
}
ItemSpec AbsoluteError() {
  return MetricFn("my_metric", [](Value y, Value p) { return Mean(Abs(y - p), {-1}); });
}

TEST_F(KerasCompile, AnUnknownLossStopsNothingThatNeedsNone) {
  Read("own_loss");
  for (const char* file : {"own_loss.keras", "own_loss.h5"}) {
    ASSERT_OK_AND_ASSIGN(Model model, LoadModel(File(file)));
    ExpectPredicts(model);
    const auto says = StatusHasMessage(AllOf(HasSubstr("model 'own_loss': the loss of its file cannot be used: "),
                                             HasSubstr("my_loss"), HasSubstr("--plugin-path"), HasSubstr("--loss")));
    EXPECT_THAT(model.Evaluate(Get("x"), Get("y")), says) << file;
    EXPECT_THAT(Fit(model), says) << file;
    // The optimizer goes on from the file's state, once there is a loss.
    ASSERT_OK(model.Compile(
        {.optimizer = "adam:learning_rate=0.01", .loss = "mse", .metrics = {"mae"}, .keep_optimizer_state = true}));
    ExpectEvaluates(model, "evaluated");
    ASSERT_OK(Fit(model));
    ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, model.GetWeights());
    const Tensor trained = Get("trained");
    size_t at = 0;
    for (const Tensor& weight : weights) {
      for (const float value : weight.values<float>())
        EXPECT_NEAR(value, trained.values<float>()[at++], kBound) << file;
    }
  }
}

TEST_F(KerasCompile, WhatIsUnknownIsWrittenAgainAsItWas) {
  const TempFolder folder;
  for (const char* name : {"own_loss", "registered_loss", "registered_metric", "schedule", "optimizer"}) {
    ASSERT_OK_AND_ASSIGN(const KerasFile file, ReadKeras(File(name + std::string(".keras"))));
    ASSERT_OK_AND_ASSIGN(Model model, LoadModel(File(name + std::string(".keras"))));
    ASSERT_OK(model.Save(folder / "again.keras"));
    ASSERT_OK_AND_ASSIGN(const KerasFile again, ReadKeras(folder / "again.keras"));
    const std::string which = name;
    const auto same = [&](const ItemSpec& a, const ItemSpec& b) { EXPECT_EQ(*a.keras_json, *b.keras_json) << which; };
    const CompileConfig &was = *file.config.compile, &is = *again.config.compile;
    if (which.ends_with("_loss")) same(is.loss, was.loss);
    if (which.ends_with("_metric") || which == "own_loss") same(is.metrics[0], was.metrics[0]);
    if (which == "schedule" || which == "optimizer") same(is.optimizer, was.optimizer);
    ASSERT_EQ(again.optimizer_vars.size(), file.optimizer_vars.size()) << which;
    for (size_t i = 0; i < file.optimizer_vars.size(); ++i)
      EXPECT_EQ(again.optimizer_vars[i].shape(), file.optimizer_vars[i].shape()) << which;
  }
}

TEST_F(KerasCompile, AnUnknownMetricIsNotLeftOutSilently) {
  Read("registered_metric");
  ASSERT_OK_AND_ASSIGN(Model model, LoadModel(File("registered_metric.keras")));
  ExpectPredicts(model);
  const auto says = StatusHasMessage(AllOf(HasSubstr("a metric of its file cannot be used: "),
                                           HasSubstr("registered as my_metrics>Bias"), HasSubstr("--metrics")));
  EXPECT_THAT(model.Evaluate(Get("x"), Get("y")), says);
  EXPECT_THAT(Fit(model), says);
}

TEST_F(KerasCompile, EvaluationNeedsNoOptimizer) {
  for (const char* name : {"schedule", "optimizer"}) {
    Read(name);
    for (const char* suffix : {".keras", ".h5"}) {
      ASSERT_OK_AND_ASSIGN(Model model, LoadModel(File(name + std::string(suffix))));
      ExpectPredicts(model);
      ExpectEvaluates(model, "evaluated");
      EXPECT_THAT(Fit(model), StatusHasMessage(AllOf(HasSubstr("the optimizer of its file cannot be used: "),
                                                     HasSubstr("my_"), HasSubstr("--optimizer"))));
      ASSERT_OK(model.Compile({.optimizer = "sgd", .loss = "mse"}));
      EXPECT_OK(Fit(model));
    }
  }
}

TEST_F(KerasCompile, CompileFalseLooksAtNoSettings) {
  ASSERT_OK_AND_ASSIGN(const Model model, LoadModel(File("registered_loss.keras"), {.compile = false}));
  EXPECT_EQ(model.config().compile, std::nullopt);
}

TEST_F(KerasCompile, CustomNamesStandForTheWritersFunctions) {
  Read("own_loss");
  for (const char* file : {"own_loss.keras", "own_loss.h5"}) {
    ASSERT_OK_AND_ASSIGN(
        Model model, LoadModel(File(file), {.custom = {{"my_loss", CubedError()}, {"my_metric", AbsoluteError()}}}));
    ExpectEvaluates(model, "own", {"my_metric", "mae"});
    EXPECT_OK(Fit(model));
  }
  Read("registered_loss");
  const ItemSpec scaled = LossFn("scaled", [](Value y, Value p) { return Mean((y - p) * (y - p), {-1}) * 2.5f; });
  const ItemSpec bias = MetricFn("bias", [](Value y, Value p) { return Mean(p - y, {-1}); });
  for (const char* name : {"ScaledLoss", "my_losses>ScaledLoss"}) {
    ASSERT_OK_AND_ASSIGN(Model model,
                         LoadModel(File("registered_loss.keras"), {.custom = {{name, scaled}, {"Bias", bias}}}));
    ExpectEvaluates(model, "evaluated", {"bias", "mae", "mse"});
  }
  ASSERT_OK_AND_ASSIGN(Model other,
                       LoadModel(File("registered_loss.keras"), {.custom = {{"their>ScaledLoss", scaled}}}));
  EXPECT_THAT(other.Evaluate(Get("x"), Get("y")), StatusHasMessage(HasSubstr("the loss of its file cannot be used")));
  EXPECT_THAT(LoadModel(File("own_loss.keras"), {.custom = {{"my_loss", "mse:"}}}).status(),
              StatusHasMessage(HasSubstr("custom 'my_loss': ")));
}

TEST_F(KerasCompile, CustomNamesStandForLayers) {
  Read("own_layers");
  const Layer twice = Lambda([](Value x) { return x * 2.0f; });
  for (const char* file : {"own_layers.keras", "own_layers.h5"}) {
    EXPECT_THAT(
        LoadModel(File(file)).status(),
        StatusHasMessage(AllOf(HasSubstr("unknown layers: "), HasSubstr("Gate of my_layers ('gate')"),
                               HasSubstr("Twice of my_layers ('twice')"), HasSubstr("--plugin-path"))));
    ASSERT_OK_AND_ASSIGN(Model model,
                         LoadModel(File(file), {.custom = {{"my_layers>Gate", "dense:activation=tanh,use_bias=false"},
                                                           {"Twice", twice}}}));
    ExpectPredicts(model);
  }
  EXPECT_THAT(LoadModel(File("one_layer.keras")).status(),
              StatusHasMessage(HasSubstr("unknown layer 'my_layers/twice'")));
}

TEST_F(KerasCompile, SkipMismatchLeavesWeightsThatDoNotFit) {
  Read("own_layers");
  const LoadArgs with_bias{.custom = {{"Gate", "dense"}, {"Twice", "rescaling:scale=2"}}};
  for (const char* file : {"own_layers.keras", "own_layers.h5"}) {
    EXPECT_THAT(LoadModel(File(file), with_bias).status(),
                StatusHasMessage(HasSubstr("layer 'gate': expected 2 weights, found 1")));
    LoadArgs args = with_bias;
    args.skip_mismatch = true;
    ASSERT_OK_AND_ASSIGN(Model model, LoadModel(File(file), args));
    ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> head, model.GetLayerWeights("head"));
    ASSERT_OK_AND_ASSIGN(const KerasFile keras, ReadKeras(File("own_layers.keras")));
    ExpectNear(head[0], keras.layers[2].vars[0]);
  }
}

TEST_F(KerasCompile, ClassesAreFoundByTheirNames) {
  Read("class_names");
  for (const char* file : {"class_names.keras", "class_names.h5"}) {
    ASSERT_OK_AND_ASSIGN(Model model, LoadModel(File(file)));
    ExpectPredicts(model);
    ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate(Get("x"), Get("y")));
    const Tensor expected = Get("evaluated").Cast(DType::kF32);
    size_t at = 0;
    for (const char* name :
         {"AUC", "Accuracy", "BinaryAccuracy", "KLDivergence", "MAE", "MeanSquaredError", "Precision", "loss"})
      EXPECT_NEAR(logs[name], expected.values<float>()[at++], kBound) << name;
    ASSERT_OK(Fit(model));
    ASSERT_OK(
        model.Compile({.optimizer = "RMSProp", .loss = "MeanSquaredError", .metrics = {"MeanAbsoluteError", "AUC"}}));
    EXPECT_OK(Fit(model));
  }
}

TEST_F(KerasCompile, PartsOfDictOutputsAreOpenedOneByOne) {
  Read("by_keys");
  ASSERT_OK_AND_ASSIGN(Model model, LoadModel(File("by_keys.keras")));
  ASSERT_OK_AND_ASSIGN(const Arrays predicted, model.Predict(Get("x")));
  ExpectNear(predicted["price"], Get("predicted_price"));
  ExpectNear(predicted["area"], Get("predicted_area"));
  const Tensor y = Get("y");
  EXPECT_THAT(model.Evaluate(Get("x"), {{"price", y}, {"area", y}}),
              StatusHasMessage(HasSubstr("the loss of its file cannot be used: function my_loss")));
  const CompileConfig own = *model.config().compile;
  ASSERT_EQ(own.outputs.size(), 2u);
  EXPECT_EQ(own.outputs[1].output, "price");
  EXPECT_EQ(own.outputs[1].weight, 0.25);
  ASSERT_OK(model.Compile({.optimizer = own.optimizer, .loss = {{"price", own.outputs[1].loss}, {"area", "mae"}}}));
  EXPECT_OK(model.Evaluate(Get("x"), {{"price", y}, {"area", y}}).status());
}

TEST_F(KerasCompile, SettingsThatCannotBeReadAreKeptWhole) {
  const TempFolder folder;
  ASSERT_OK_AND_ASSIGN(KerasFile file, ReadKeras(File("optimizer.keras")));
  file.config.compile = CompileConfig{.optimizer = {}, .loss = {}, .metrics = {}};
  file.config.compile->problem = "odd";
  file.config.compile->keras_json = R"({"loss":"mse","loss_weights":"heavy","optimizer":"sgd"})";
  ASSERT_OK(WriteKeras(folder / "a.keras", file));
  Read("optimizer");
  ASSERT_OK_AND_ASSIGN(Model model, LoadModel(folder / "a.keras"));
  ExpectPredicts(model);
  EXPECT_THAT(model.Evaluate(Get("x"), Get("y")),
              StatusHasMessage(HasSubstr("the compile settings of its file cannot be used: ")));
  ASSERT_OK(model.Save(folder / "b.keras"));
  ASSERT_OK_AND_ASSIGN(const KerasFile again, ReadKeras(folder / "b.keras"));
  EXPECT_EQ(again.config.compile->keras_json, file.config.compile->keras_json);
  ASSERT_OK(model.Compile({.optimizer = "sgd", .loss = "mse"}));
  EXPECT_OK(model.Evaluate(Get("x"), Get("y")).status());
}

}  // namespace
}  // namespace fusebox::testing
