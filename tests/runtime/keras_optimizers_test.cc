// SPDX-License-Identifier: Apache-2.0
// Many ways of training compared with Keras's numbers: tests/data/keras_training/optimizers.npz, made by
// tests/python/make_keras_optimizers.py.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "fusebox/graph/evaluate.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/expand/expand.h"
#include "fusebox/runtime/expand/host_builder.h"
#include "fusebox/runtime/files/npz.h"
#include "fusebox/runtime/keras/keras_config.h"
#include "fusebox/runtime/keras/keras_file.h"
#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"
#include "tests/runtime/files/files.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

// Relative to the largest number of its kind. Both compute in f32, Keras also values that we compute in f64 (1 -
// beta^t), and optimizers divide by roots of small numbers, which amplifies the differences of 20 steps.
constexpr double kBound = 2e-4;

class KerasOptimizers : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> arrays,
                         ReadNpz(FUSEBOX_SOURCE_DIR "/tests/data/keras_training/optimizers.npz"));
    for (const NamedTensor& array : arrays) {
      arrays_[array.name] = array.value;
      if (array.name.ends_with("/config")) cases_.insert(array.name.substr(0, array.name.rfind('/')));
    }
  }

  std::vector<double> Numbers(const std::string& name) const {
    const Tensor numbers = arrays_.at(name).Cast(DType::kF64);
    return {numbers.values<double>().begin(), numbers.values<double>().end()};
  }
  absl::StatusOr<ModelConfig> Config(const std::string& name) const {
    const Tensor& bytes = arrays_.at(name + "/config");
    return ParseKerasConfig({reinterpret_cast<const char*>(bytes.raw()), bytes.bytes()}, name);
  }

  // Splits `flat` into tensors of these shapes.
  static std::vector<Tensor> Split(const std::vector<double>& flat, const std::vector<Tensor>& like) {
    std::vector<Tensor> pieces;
    size_t next = 0;
    for (const Tensor& t : like) {
      Tensor& piece = pieces.emplace_back(DType::kF32, t.shape());
      for (float& v : piece.mutable_values<float>()) v = float(flat.at(next++));
    }
    EXPECT_EQ(next, flat.size());
    return pieces;
  }
  static std::vector<double> Flat(const std::vector<Tensor>& tensors) {
    std::vector<double> flat;
    for (const Tensor& t : tensors) {
      const Tensor wide = t.Cast(DType::kF64);
      flat.insert(flat.end(), wide.values<double>().begin(), wide.values<double>().end());
    }
    return flat;
  }
  static void ExpectNear(const std::vector<double>& actual, const std::vector<double>& expected,
                         const std::string& what) {
    ASSERT_EQ(actual.size(), expected.size()) << what;
    double scale = 0, worst = 0;
    for (const double e : expected) scale = std::max(scale, std::abs(e));
    for (size_t i = 0; i < expected.size(); ++i) {
      const double difference = std::abs(actual[i] - expected[i]) / (scale > 0 ? scale : 1);
      worst = difference <= worst ? worst : difference;  // A NaN stays.
    }
    EXPECT_LE(worst, kBound) << what;
  }

  void Train(const std::string& name) {
    SCOPED_TRACE(name);
    ASSERT_OK_AND_ASSIGN(const ModelConfig config, Config(name));
    ASSERT_OK_AND_ASSIGN(Sequential model, Sequential::FromConfig(config));
    ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> like, model.GetWeights());
    const std::vector<double> before = Numbers("before");
    ASSERT_OK(model.SetWeights(Split(before, like)));
    const Tensor& y = arrays_.at(arrays_.contains(name + "/y") ? name + "/y" : "y");
    ASSERT_OK_AND_ASSIGN(
        const History history,
        model.Fit(arrays_.at("x"), y, {.epochs = 5, .batch_size = 16, .shuffle = false, .threads = 2, .verbose = 0}));
    EXPECT_EQ(history.steps, 20);
    ExpectNear(history["loss"], Numbers(name + "/loss"), "loss");
    ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, model.GetWeights());
    // The distance travelled is what counts.
    std::vector<double> moved = Flat(weights), expected = Numbers(name + "/after");
    ASSERT_EQ(moved.size(), before.size());
    for (size_t i = 0; i < before.size(); ++i) {
      moved[i] -= before[i];
      expected[i] -= before[i];
    }
    ExpectNear(moved, expected, "weights");
    ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate(arrays_.at("x"), y, {.batch_size = 16}));
    ExpectNear({logs.at(0).value}, Numbers(name + "/evaluated"), "evaluated");
    // The optimizer's variables, in Keras's order.
    ASSERT_OK(model.Save(folder_ / "model.keras"));
    ASSERT_OK_AND_ASSIGN(KerasFile file, ReadKeras(folder_ / "model.keras"));
    ASSERT_FALSE(file.optimizer_vars.empty());
    EXPECT_EQ(file.optimizer_vars[0].values<int64_t>()[0], 20);
    file.optimizer_vars.erase(file.optimizer_vars.begin());
    std::vector<double> variables = Flat(file.optimizer_vars), of_keras = Numbers(name + "/variables");
    if (name.starts_with("loss_scale") && name != "loss_scale_factor") {
      // A learning rate without meaning, finite steps since the scale changed, the scale, and all finite steps.
      constexpr ptrdiff_t kOwn = 4;
      ASSERT_GE(std::min(variables.size(), of_keras.size()), size_t{kOwn});
      EXPECT_TRUE(std::equal(variables.begin(), variables.begin() + kOwn, of_keras.begin()))
          << "scale " << variables[2] << " for " << of_keras[2] << " after " << variables[3] << " for " << of_keras[3];
      variables.erase(variables.begin(), variables.begin() + kOwn);
      of_keras.erase(of_keras.begin(), of_keras.begin() + kOwn);
    }
    ExpectNear(variables, of_keras, "variables");
    // The file describes the model identically.
    EXPECT_EQ(file.config.compile->optimizer, model.config().compile->optimizer);
    EXPECT_EQ(file.config.layers, model.config().layers);
  }

  TempFolder folder_;
  std::map<std::string, Tensor> arrays_;
  std::set<std::string> cases_;
};

TEST_F(KerasOptimizers, ArriveAtTheSameWeights) {
  EXPECT_GE(cases_.size(), 21u);
  for (const std::string& name : cases_) {
    if (!name.starts_with("schedules/")) Train(name);
  }
}

// The rates of a schedule for steps 0, 1, ...
std::vector<double> Rates(const ItemSpec& schedule, int64_t steps) {
  HostBuilder b;
  const Value step = b.State("step", FB_COUNTER, {DType::kI64, {}}, "zeros", {});
  const absl::StatusOr<ItemSpec> resolved = ResolveItem(FB_SCHEDULE, schedule, {});
  EXPECT_OK(resolved);
  b.Output("rate", ExpandUse(b, {FB_SCHEDULE, *resolved, true}, {Cast(step, FB_F64)}, "", {}));
  EXPECT_OK(b.status());
  std::vector<double> rates;
  for (int64_t i = 0; i < steps; ++i) {
    Bindings bindings;
    bindings.states["step"] = Literal::Scalar<int64_t>(i);
    for (NodeId n = 1; n < b.graph().size(); ++n) {
      const AttributeMap& a = b.graph()[n].attributes;
      if (b.graph()[n].op == Op::kState && a.String("kind") == "scalar")
        bindings.states[a.String("name")] = Literal::Scalar(std::stof(a.String("initializer")));
    }
    const absl::StatusOr<Evaluation> evaluation = Evaluate(b.graph(), bindings);
    EXPECT_OK(evaluation);
    rates.push_back(evaluation->outputs.at("rate").ToDoubles()[0]);
  }
  return rates;
}

TEST_F(KerasOptimizers, SchedulesGiveTheSameRates) {
  int schedules = 0;
  for (const std::string& name : cases_) {
    if (!name.starts_with("schedules/")) continue;
    const Tensor& bytes = arrays_.at(name + "/config");
    ASSERT_OK_AND_ASSIGN(const ItemSpec schedule,
                         ParseKerasItem({reinterpret_cast<const char*>(bytes.raw()), bytes.bytes()}, name));
    ExpectNear(Rates(schedule, 40), Numbers(name + "/rates"), name);
    ++schedules;
  }
  EXPECT_GE(schedules, 14);
}

// One step in which no gradient is finite: the step changes only the scale.
TEST(LossScale, SkipsAStepWhoseGradientsOverflow) {
  Sequential model({Dense(1, {.kernel_constraint = "max_norm:max_value=0.1", .name = "dense", .input_shape = {2}})});
  ASSERT_OK(model.Compile({.optimizer = "loss_scale_optimizer:inner_optimizer='adam:use_ema=true,weight_decay=0.1'",
                           .loss = "mean_squared_error"}));
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> before, model.GetWeights());
  Tensor x(DType::kF32, {4, 2}), y(DType::kF32, {4, 1});
  std::ranges::fill(x.mutable_values<float>(), 1e30f);
  std::ranges::fill(y.mutable_values<float>(), 1.0f);
  ASSERT_OK(model.TrainOnBatch(x, y));
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> after, model.GetWeights());
  for (size_t i = 0; i < before.size(); ++i)
    EXPECT_TRUE(std::ranges::equal(before[i].values<float>(), after[i].values<float>()));
  TempFolder folder;
  ASSERT_OK(model.Save(folder / "model.keras"));
  ASSERT_OK_AND_ASSIGN(const KerasFile file, ReadKeras(folder / "model.keras"));
  // Steps, -, since the scale changed, scale, finite steps, learning rate; average, momentum and velocity of two
  // variables.
  ASSERT_EQ(file.optimizer_vars.size(), 12u);
  EXPECT_EQ(file.optimizer_vars[0].values<int64_t>()[0], 1);
  EXPECT_EQ(file.optimizer_vars[2].values<int64_t>()[0], 0);
  EXPECT_EQ(file.optimizer_vars[3].values<float>()[0], 16384);
  EXPECT_EQ(file.optimizer_vars[4].values<int64_t>()[0], 0);
  for (size_t i = 6; i < 12; ++i) {
    for (const float v : file.optimizer_vars[i].values<float>()) EXPECT_EQ(v, 0) << i;
  }
  // A loaded file continues where this model is.
  ASSERT_OK_AND_ASSIGN(Model opened, LoadModel(folder / "model.keras"));
  std::ranges::fill(x.mutable_values<float>(), 0.5f);
  for (Model* each : {static_cast<Model*>(&model), &opened}) ASSERT_OK(each->TrainOnBatch(x, y));
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> ours, model.GetWeights());
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> theirs, opened.GetWeights());
  for (size_t i = 0; i < ours.size(); ++i) {
    EXPECT_TRUE(std::ranges::equal(ours[i].values<float>(), theirs[i].values<float>())) << i;
    EXPECT_FALSE(std::ranges::equal(ours[i].values<float>(), before[i].values<float>())) << i;
  }
}

TEST(Muon, RefusesWhatIsNoExpression) {
  Sequential model({Dense(3, {.input_shape = {2}})});
  EXPECT_THAT(
      model.Compile({.optimizer = ItemSpec{"muon", {{"exclude_layers", "dense;("}}}, .loss = "mse"}),
      StatusHasMessage(::testing::HasSubstr("exclude_layers: expected regular expressions separated by ';', got '('")));
}

// Not in Keras: compared with the definition in the paper. 100 steps, the first 30 rising.
TEST(OneCycle, RisesAndFallsOnce) {
  const std::vector<double> rates = Rates({"one_cycle", {{"max_lr", 0.5}, {"total_steps", int64_t{100}}}}, 120);
  EXPECT_NEAR(rates[0], 0.5 / 25, 1e-6);
  EXPECT_NEAR(rates[29], 0.5, 1e-6);
  EXPECT_NEAR(rates[64], (0.5 + 0.02 / 1e4) / 2, 1e-6);  // Half of the way down.
  EXPECT_NEAR(rates[99], 0.02 / 1e4, 1e-8);
  EXPECT_NEAR(rates[119], 0.02 / 1e4, 1e-8);
  EXPECT_TRUE(std::is_sorted(rates.begin(), rates.begin() + 30));
  EXPECT_TRUE(std::is_sorted(rates.begin() + 29, rates.end(), std::greater()));
}

std::string CompileError(const std::string& optimizer, DenseOptions options = {}) {
  options.input_shape = {3};
  options.name = "dense";
  Sequential model({Dense(2, std::move(options))});
  return std::string(model.Compile({.optimizer = optimizer, .loss = "mean_squared_error"}).message());
}

TEST(BadArguments, AreNamedInOneLine) {
  using ::testing::AllOf;
  using ::testing::HasSubstr;
  EXPECT_EQ(
      CompileError("adam:learning_rate='exponential_decay:initial_learning_rate=0.1,decay_steps=5,decay_rate=0.5'"),
      "");
  EXPECT_THAT(CompileError("adam:learning_rate=cosine_decay"),
              AllOf(HasSubstr("optimizer fusebox/adam@1"), HasSubstr("attribute 'learning_rate': schedule "),
                    HasSubstr("needs attribute 'initial_learning_rate', a float of at least 0")));
  EXPECT_THAT(CompileError("sgd:learning_rate='piecewise_constant_decay:boundaries=[5;3],values=[0.1;0.2;0.3]'"),
              HasSubstr("schedule fusebox/piecewise_constant_decay@1 of plugin fusebox/schedules 0.1.0: "
                        "expects increasing boundaries, got 5 before 3"));
  EXPECT_THAT(CompileError("sgd:learning_rate='piecewise_constant_decay:boundaries=3,values=0.1'"),
              HasSubstr("expects one more value than boundaries, got 1 boundaries and 1 values"));
  EXPECT_THAT(CompileError("sgd:learning_rate='piecewise_constant_decay:boundaries=a,values=0.1'"),
              HasSubstr("attribute 'boundaries' must be a list of numbers, as in [0.5;1e-3], got 'a'"));
  EXPECT_THAT(CompileError("loss_scale_optimizer"),
              HasSubstr("needs attribute 'inner_optimizer', the name of a known optimizer"));
  EXPECT_THAT(CompileError("loss_scale_optimizer:inner_optimizer=adm"),
              HasSubstr("attribute 'inner_optimizer': unknown optimizer 'adm': did you mean 'adam'"));
  EXPECT_THAT(CompileError("loss_scale_optimizer:inner_optimizer=sgd,initial_scale=0"),
              HasSubstr("attribute 'initial_scale' must be above 0, got 0"));
  EXPECT_THAT(CompileError("loss_scale_optimizer:inner_optimizer=sgd,dynamic_growth_steps=0"),
              HasSubstr("attribute 'dynamic_growth_steps' must be an int of at least 1, got 0"));
  EXPECT_THAT(CompileError("loss_scale_optimizer:inner_optimizer=sgd,clipnorm=1"),
              HasSubstr("takes no 'clipnorm': set it on the inner_optimizer, as in inner_optimizer='sgd:clipnorm=1'"));
  EXPECT_EQ(CompileError("loss_scale_optimizer:inner_optimizer='loss_scale_optimizer:inner_optimizer=sgd'"),
            "optimizer loss_scale_optimizer: its inner_optimizer is to be one that does not scale the loss, got "
            "loss_scale_optimizer");
  EXPECT_THAT(CompileError("lion:beta_1=0"), HasSubstr("attribute 'beta_1' must be above 0"));
  EXPECT_THAT(CompileError("sgd:momentum=2"), HasSubstr("attribute 'momentum' must be a float in [0, 1], got 2"));
  EXPECT_THAT(
      CompileError("sgd", {.kernel_regularizer = "l3"}),
      HasSubstr("'dense', layer fusebox/dense@1 of plugin fusebox/layers 0.1.0: attribute 'kernel_regularizer': "
                "unknown regularizer 'l3': did you mean 'l1'"));
  EXPECT_THAT(CompileError("sgd", {.kernel_regularizer = "l2:l2=-1"}),
              HasSubstr("attribute 'l2' must be a float of at least 0, got -1"));
  EXPECT_THAT(CompileError("sgd", {.bias_regularizer = "orthogonal_regularizer"}),
              HasSubstr("'losses/dense/bias', regularizer fusebox/orthogonal_regularizer@1 of plugin "
                        "fusebox/regularizers 0.1.0: expects a matrix, got f32[2]"));
  EXPECT_THAT(CompileError("sgd", {.kernel_regularizer = "orthogonal_regularizer:mode=diagonals"}),
              HasSubstr("attribute 'mode' must be rows or columns, got 'diagonals'"));
  EXPECT_THAT(CompileError("sgd", {.kernel_constraint = "max_nrm"}),
              HasSubstr("attribute 'kernel_constraint': unknown constraint 'max_nrm': did you mean 'max_norm'?"));
  EXPECT_THAT(CompileError("sgd", {.bias_constraint = "max_norm:axis=1"}),
              HasSubstr("'constraints/dense/bias', constraint fusebox/max_norm@1"));
}

}  // namespace
}  // namespace fusebox::testing
