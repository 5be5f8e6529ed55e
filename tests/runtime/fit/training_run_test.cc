// SPDX-License-Identifier: Apache-2.0
// A training run that is left after k steps and goes on elsewhere ends with the same bits as one that was never left.
#include "fusebox/runtime/fit/training_run.h"

#include <bit>
#include <cstring>
#include <functional>
#include <limits>
#include <map>

#include "fusebox/runtime/plugins/registry.h"
#include "fusebox/runtime/sequential.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

using ::testing::HasSubstr;
using Phase = TrainingState::Phase;

// Before any test asks for the registry.
const bool kHasRecorder = (Registry::SetPluginPath(FUSEBOX_BUILD_DIR "/tests/callbacks/recorder.so"), true);

constexpr int64_t kSamples = 52, kFeatures = 64, kClasses = 4;

// Samples and their classes.
Data Samples() {
  Data data{Tensor(DType::kF32, {kSamples, kFeatures}), Tensor(DType::kI32, {kSamples})};
  uint64_t state = 7;
  for (float& v : data.x.mutable_values<float>()) {
    state = state * 6364136223846793005U + 1442695040888963407U;  // Source: Knuth's MMIX generator.
    v = float(state >> 40) / float(1 << 24) - 0.5F;
  }
  for (size_t i = 0; i < size_t(kSamples); ++i) data.y.mutable_values<int32_t>()[i] = int32_t(i * 7 % kClasses);
  return data;
}

// What is trained, and how.
struct Case {
  const char* name;
  const char* optimizer;
  FitArgs args;
};
void PrintTo(const Case& what, std::ostream* out) { *out << what.name; }

// Its first weights are kept in panels while steps run; dropout and noise draw numbers in each step.
Sequential Classifier(const Case& what, int64_t seed) {
  Sequential model(
      {Dense(64, "relu", {.input_shape = {kFeatures}}), BatchNormalization(), Dropout(0.3), Dense(kClasses, "softmax")},
      {.seed = seed});
  EXPECT_OK(
      model.Compile({.optimizer = what.optimizer, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}}));
  return model;
}

std::vector<Case> Cases() {
  const auto with = [](FitArgs args) {
    args.verbose = 0;
    args.threads = 2;
    args.callbacks.push_back("history");
    return args;
  };
  return {
      {"Adam", "adam", with({.epochs = 3, .batch_size = 8, .validation_split = 0.25})},
      {"MomentumInOrder", "sgd:momentum=0.9", with({.epochs = 3, .batch_size = 8, .shuffle = false})},
      {"PartsOfPasses", "rmsprop",
       with({.epochs = 5, .batch_size = 8, .seed = 5, .initial_epoch = 1, .steps_per_epoch = 3})},
      {"Accumulation", "adam:gradient_accumulation_steps=2", with({.epochs = 3, .batch_size = 8})},
      {"MovingAverages", "adam:use_ema=true,ema_momentum=0.9,ema_overwrite_frequency=3",
       with({.epochs = 2, .batch_size = 8, .validation_split = 0.25, .validation_freq = 2})},
      {"ScaledLoss", "loss_scale_optimizer:inner_optimizer='sgd:momentum=0.5'", with({.epochs = 2, .batch_size = 8})},
      {"Scheduled", "adam:learning_rate='exponential_decay:initial_learning_rate=0.1,decay_steps=3,decay_rate=0.5'",
       with({.epochs = 2, .batch_size = 8})}};
}

std::string Bytes(const Tensor& tensor) { return {static_cast<const char*>(tensor.raw()), tensor.bytes()}; }

std::map<std::string, std::string> BytesByName(const std::vector<NamedTensor>& tensors) {
  std::map<std::string, std::string> all;
  for (const NamedTensor& tensor : tensors) all[tensor.name] = Bytes(tensor.value);
  return all;
}

std::map<std::string, std::string> VariablesOf(const Model& model) {
  std::map<std::string, std::string> all;
  for (const Variable& variable : Model::Impl::Of(model).variables.all()) all[variable.name] = Bytes(variable.value);
  return all;
}

// An epoch without validation has NaN there, which equals itself here.
std::map<std::string, std::vector<uint64_t>> BitsOf(const History& history) {
  std::map<std::string, std::vector<uint64_t>> all;
  for (const auto& [name, values] : history.values) {
    for (const double value : values) all[name].push_back(std::bit_cast<uint64_t>(value));
  }
  return all;
}

void ExpectSameHistory(const History& a, const History& b) {
  EXPECT_EQ(a.epoch, b.epoch);
  EXPECT_EQ(BitsOf(a), BitsOf(b));
  EXPECT_EQ(a.steps, b.steps);
  EXPECT_EQ(a.stopped, b.stopped);
}

void ExpectSameState(const TrainingState& a, const TrainingState& b) {
  EXPECT_EQ(a.phase, b.phase);
  EXPECT_EQ(a.position, b.position);
  EXPECT_EQ(a.seed, b.seed);
  EXPECT_EQ(BytesByName(a.variables), BytesByName(b.variables));
  EXPECT_EQ(BytesByName(a.accumulators), BytesByName(b.accumulators));
  EXPECT_EQ(a.logs, b.logs);
  EXPECT_EQ(a.results, b.results);
  ExpectSameHistory(a.history, b.history);
  EXPECT_EQ(a.callbacks, b.callbacks);
  EXPECT_EQ(a.stop, b.stop);
}

// Does so many steps, with all that lies between them, and nothing after the last one.
void Advance(TrainingRun& run, int64_t steps) {
  const int64_t goal = run.history().steps + steps;
  while (run.history().steps < goal) {
    if (run.phase() == Phase::kBetweenEpochs) ASSERT_OK(run.BeginEpoch());
    ASSERT_OK(run.Steps(goal - run.history().steps));
    if (run.history().steps == goal) return;
    ASSERT_TRUE(run.IsEpochDone());
    if (run.IsValidationDue()) ASSERT_OK(run.Validate());
    ASSERT_OK(run.EndEpoch());
    ASSERT_FALSE(run.IsDone());
  }
}

// Goes on to the end, which Finish would come after.
void GoOn(TrainingRun& run) {
  while (!run.IsDone()) ASSERT_OK(run.RunEpoch());
}

class Resumed : public ::testing::TestWithParam<Case> {
 protected:
  std::unique_ptr<TrainingRun> Start(Sequential& model) {
    absl::StatusOr<std::unique_ptr<TrainingRun>> run = TrainingRun::Start(model, data_.x, data_.y, GetParam().args);
    EXPECT_OK(run);
    EXPECT_OK((*run)->Begin());
    return *std::move(run);
  }
  // Leaves a run where `leave` does, and goes on in a new model, which begins with other weights and another seed.
  void ExpectTheSameEnd(const std::function<void(TrainingRun&)>& leave) {
    Sequential whole = Classifier(GetParam(), 1);
    ASSERT_OK_AND_ASSIGN(const History expected, whole.Fit(data_.x, data_.y, GetParam().args));
    TrainingState left;
    {
      Sequential model = Classifier(GetParam(), 1);
      const auto run = Start(model);
      leave(*run);
      ASSERT_OK_AND_ASSIGN(left, run->state());
    }
    Sequential other = Classifier(GetParam(), 2);
    const auto run = Start(other);
    ASSERT_OK_AND_ASSIGN(const TrainingState read, ParseTrainingState(TrainingStateBytes(left), "state"));
    ASSERT_OK(run->Restore(read));
    ASSERT_OK_AND_ASSIGN(const TrainingState restored, run->state());
    ExpectSameState(restored, left);
    GoOn(*run);
    ASSERT_OK_AND_ASSIGN(const TrainingState end, run->state());
    EXPECT_EQ(end.callbacks[0].bytes.substr(0, 6), "epoch,");
    EXPECT_EQ(size_t(std::ranges::count(end.callbacks[0].bytes, '\n')), expected.epoch.size() + 1);
    ASSERT_OK_AND_ASSIGN(const History history, run->Finish());
    ExpectSameHistory(history, expected);
    EXPECT_EQ(VariablesOf(other), VariablesOf(whole));
    EXPECT_EQ(other.GetMetricsResult(), whole.GetMetricsResult());
  }

  const Data data_ = Samples();
};

TEST_P(Resumed, EndsTheSameAfterAnyNumberOfSteps) {
  for (const int64_t steps : {0, 1, 4, 5, 7}) {
    SCOPED_TRACE(steps);
    ExpectTheSameEnd([&](TrainingRun& run) { Advance(run, steps); });
  }
}

TEST_P(Resumed, EndsTheSameFromBetweenTheSteps) {
  ExpectTheSameEnd([](TrainingRun& run) { EXPECT_OK(run.BeginEpoch()); });
  ExpectTheSameEnd([](TrainingRun& run) { EXPECT_OK(run.RunEpoch()); });
  ExpectTheSameEnd([](TrainingRun& run) {
    EXPECT_OK(run.RunEpoch());
    EXPECT_OK(run.BeginEpoch());
    EXPECT_OK(run.Steps());
    if (run.IsValidationDue()) EXPECT_OK(run.Validate());
    EXPECT_FALSE(run.IsValidationDue());
  });
}

TEST_P(Resumed, EndsTheSameWhenTheStateIsPutBack) {
  Sequential model = Classifier(GetParam(), 1);
  const auto run = Start(model);
  Advance(*run, 4);
  ASSERT_OK_AND_ASSIGN(const TrainingState left, run->state());
  const TrainingState copy = left;
  GoOn(*run);
  ASSERT_OK_AND_ASSIGN(const TrainingState first, run->state());
  ASSERT_OK(run->Restore(copy));
  ASSERT_OK_AND_ASSIGN(const TrainingState again, run->state());
  ExpectSameState(again, left);
  GoOn(*run);
  ASSERT_OK_AND_ASSIGN(const TrainingState second, run->state());
  ExpectSameState(second, first);
  EXPECT_NE(BytesByName(first.variables), BytesByName(left.variables));
}

INSTANTIATE_TEST_SUITE_P(TrainingRun, Resumed, ::testing::ValuesIn(Cases()),
                         [](const auto& info) { return info.param.name; });

class TrainingRuns : public ::testing::Test {
 protected:
  static constexpr const char* kOptimizer = "sgd";

  std::unique_ptr<TrainingRun> Start(Sequential& model, FitArgs args) {
    args.verbose = 0;
    absl::StatusOr<std::unique_ptr<TrainingRun>> run = TrainingRun::Start(model, data_.x, data_.y, std::move(args));
    EXPECT_OK(run);
    EXPECT_OK((*run)->Begin());
    return *std::move(run);
  }
  static Sequential Model(int64_t units = 5) {
    Sequential model({Dense(units, "relu", {.input_shape = {kFeatures}}), Dense(kClasses, "softmax")}, {.seed = 1});
    EXPECT_OK(model.Compile({.optimizer = kOptimizer, .loss = "sparse_categorical_crossentropy"}));
    return model;
  }

  const Data data_ = Samples();
};

TEST_F(TrainingRuns, TellCallbacksInThisOrder) {
  Sequential model = Model();
  ::testing::internal::CaptureStderr();
  const absl::StatusOr<History> history = model.Fit(
      data_.x, data_.y,
      {.epochs = 2, .batch_size = 26, .validation_split = 0.25, .callbacks = {"recorder:writes=true"}, .verbose = 0});
  const std::string told = ::testing::internal::GetCapturedStderr();
  ASSERT_OK(history);
  EXPECT_EQ(history->calls, 4);
  EXPECT_EQ(history->steps, 4);
  EXPECT_EQ(told,
            "train_begin 0/2 0/0\n"
            "epoch_begin 0/2 0/2\nbatch_begin 0/2 0/2\nbatch_end 0/2 1/2 loss\nbatch_begin 0/2 1/2\n"
            "batch_end 0/2 2/2 loss\ntest_begin 0/2 2/2\ntest_end 0/2 2/2 loss\nepoch_end 0/2 2/2 loss val_loss\n"
            "epoch_begin 1/2 0/2\nbatch_begin 1/2 0/2\nbatch_end 1/2 1/2 loss\nbatch_begin 1/2 1/2\n"
            "batch_end 1/2 2/2 loss\ntest_begin 1/2 2/2\ntest_end 1/2 2/2 loss\nepoch_end 1/2 2/2 loss val_loss\n"
            "train_end 1/2 2/2\n");
}

TEST_F(TrainingRuns, EndWhereACallbackAsksForIt) {
  Sequential model = Model();
  const auto run = Start(model, {.epochs = 3, .batch_size = 13, .callbacks = {"recorder:stop_step=2"}});
  while (!run->IsDone()) ASSERT_OK(run->RunEpoch());
  ASSERT_OK_AND_ASSIGN(const TrainingState state, run->state());
  EXPECT_EQ(state.phase, Phase::kStopped);
  EXPECT_TRUE(state.stop);
  EXPECT_EQ(state.callbacks[0].bytes,
            "train_begin 0/3 0/0\nepoch_begin 0/3 0/4\nbatch_begin 0/3 0/4\nbatch_end 0/3 1/4 loss\n"
            "batch_begin 0/3 1/4\nbatch_end 0/3 2/4 loss\nepoch_end 0/3 2/4 loss\n");
  ASSERT_OK_AND_ASSIGN(const History history, run->Finish());
  EXPECT_EQ(history.steps, 2);
  EXPECT_TRUE(history.stopped);
}

// The model drops its programs then: the validation needs a new one.
TEST_F(TrainingRuns, ValidateAfterOtherLayersAreTrained) {
  Sequential model = Model();
  const FitArgs args = {.epochs = 1, .batch_size = 13, .validation_split = 0.25, .verbose = 0};
  ASSERT_OK(model.Fit(data_.x, data_.y, args));
  ASSERT_OK(model.SetTrainable("dense", false));
  std::map<std::string, std::string> before = VariablesOf(model);
  ASSERT_OK_AND_ASSIGN(const History history, model.Fit(data_.x, data_.y, args));
  EXPECT_EQ(history["val_loss"].size(), 1U);
  std::map<std::string, std::string> after = VariablesOf(model);
  EXPECT_EQ(after["dense/kernel"], before["dense/kernel"]);
  EXPECT_NE(after["dense_1/kernel"], before["dense_1/kernel"]);
}

// A callback's bytes go along; hooks are not told again.
TEST_F(TrainingRuns, CallbacksGoOnWithWhatTheyRemember) {
  const FitArgs args = {.epochs = 1, .batch_size = 26, .callbacks = {"recorder"}};
  Sequential model = Model(), other = Model();
  const auto run = Start(model, args), resumed = Start(other, args);
  Advance(*run, 1);
  ASSERT_OK_AND_ASSIGN(const TrainingState left, run->state());
  ASSERT_OK(resumed->Restore(left));
  while (!resumed->IsDone()) ASSERT_OK(resumed->RunEpoch());
  ASSERT_OK_AND_ASSIGN(const TrainingState end, resumed->state());
  EXPECT_EQ(end.callbacks[0].bytes,
            "train_begin 0/1 0/0\nepoch_begin 0/1 0/2\nbatch_begin 0/1 0/2\nbatch_end 0/1 1/2 loss\n"
            "batch_begin 0/1 1/2\nbatch_end 0/1 2/2 loss\nepoch_end 0/1 2/2 loss\n");
}

TEST_F(TrainingRuns, CallbacksMayBeOthers) {
  Sequential model = Model(), other = Model();
  const auto run = Start(model, {.batch_size = 26, .callbacks = {"progress", "recorder"}});
  ASSERT_OK_AND_ASSIGN(const TrainingState left, run->state());
  // The progress bar remembers nothing, and the history of the other run is new.
  const auto more = Start(other, {.batch_size = 26, .callbacks = {"history", "recorder"}});
  ASSERT_OK(more->Restore(left));
  ASSERT_OK_AND_ASSIGN(const TrainingState restored, more->state());
  EXPECT_EQ(restored.callbacks[1], left.callbacks[1]);
  Sequential third = Model();
  const auto without = Start(third, {.batch_size = 26});
  EXPECT_THAT(without->Restore(left), StatusHasMessage("training state: it has a state of the callback "
                                                       "test/recorder@1, which this run lacks"));
}

TEST_F(TrainingRuns, RefuseAStateOfAnotherRun) {
  Sequential model = Model();
  const auto run = Start(model, {.epochs = 2, .batch_size = 13, .callbacks = {"recorder"}});
  Advance(*run, 1);
  ASSERT_OK_AND_ASSIGN(const TrainingState good, run->state());
  const auto error = [&](const std::function<void(TrainingState&)>& spoil) {
    TrainingState state = good;
    spoil(state);
    return run->Restore(state);
  };
  EXPECT_THAT(error([](auto& s) { s.rows = 7; }), StatusHasMessage("training state: samples: expected 52, got 7"));
  EXPECT_THAT(error([](auto& s) { s.batch_size = 7; }),
              StatusHasMessage("training state: batch_size: expected 13, got 7"));
  EXPECT_THAT(error([](auto& s) { s.steps_per_epoch = 3; }),
              StatusHasMessage("training state: steps_per_epoch: expected 4, got 3"));
  EXPECT_THAT(
      error([](auto& s) { s.position.step = 5; }),
      StatusHasMessage("training state: step 5 of an epoch that begins with step 0 is none of a pass of 4 steps"));
  EXPECT_THAT(error([](auto& s) { s.position.begin = -1; }), StatusHasMessage(HasSubstr("begins with step -1")));
  EXPECT_THAT(error([](auto& s) { s.variables[0].name = "other"; }),
              StatusHasMessage("training state: variable 'dense/kernel' is missing"));
  EXPECT_THAT(error([](auto& s) { s.variables.push_back({"other", Tensor(DType::kF32, {2})}); }),
              StatusHasMessage("training state: this run has no variable 'other'"));
  EXPECT_THAT(error([](auto& s) { s.variables[0].value = Tensor(DType::kF32, {2}); }),
              StatusHasMessage("training state: variable 'dense/kernel': expected f32[64,5], got f32[2]"));
  EXPECT_THAT(error([](auto& s) { s.accumulators.clear(); }),
              StatusHasMessage(HasSubstr("training state: accumulator 'loss/total' is missing")));
  EXPECT_THAT(error([](auto& s) { s.callbacks[0].bytes = "broken"; }),
              StatusHasMessage("callback test/recorder@1 of plugin recorder 1.0.0: its state is broken"));
  ASSERT_OK_AND_ASSIGN(const TrainingState now, run->state());
  ExpectSameState(now, good);  // Nothing has changed.
}

TEST(TrainingStateBytes, BringBackTheSameBits) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  TrainingState state = {.rows = 1, .batch_size = 2, .steps_per_epoch = 3, .phase = Phase::kValidated};
  state.position = {4, 5, 6, 7};
  state.seed = -8;
  state.variables = {{"w", Tensor(DType::kF32, {2, 3})}, {"step", Tensor(DType::kI64, {})}};
  state.variables[0].value.mutable_values<float>()[5] = -0.0F;
  state.variables[1].value.mutable_values<int64_t>()[0] = -9;
  state.accumulators = {{"none", Tensor(DType::kF64, {0, 2})}};
  state.logs = {{"loss", 0.1}, {"val_loss", nan}};
  state.results = {{"loss", -0.0}};
  state.history.epoch = {3};
  state.history.values = {{"loss", {nan}}, {"accuracy", {0.5}}};
  state.history.calls = 10, state.history.steps = 11, state.history.stopped = true;
  state.callbacks = {{"test/one@1", std::string("\0\n", 2)}, {"test/two@1", ""}};
  state.stop = state.warned = true;
  const std::string bytes = TrainingStateBytes(state);
  ASSERT_OK_AND_ASSIGN(const TrainingState read, ParseTrainingState(bytes, "state"));
  EXPECT_EQ(TrainingStateBytes(read), bytes);
  EXPECT_EQ(read.position, state.position);
  EXPECT_EQ(read.seed, -8);
  EXPECT_EQ(read.phase, Phase::kValidated);
  EXPECT_EQ(BytesByName(read.variables), BytesByName(state.variables));
  EXPECT_EQ(read.accumulators[0].value.shape(), (std::vector<int64_t>{0, 2}));
  EXPECT_EQ(read.callbacks, state.callbacks);
  EXPECT_TRUE(read.history.stopped && read.stop && read.warned);
}

TEST(TrainingStateBytes, DamageIsAnError) {
  TrainingState state;
  state.variables = {{"w", Tensor(DType::kF32, {2, 3})}};
  state.history.values = {{"loss", {1}}};
  const std::string bytes = TrainingStateBytes(state);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THAT(ParseTrainingState(bytes.substr(0, size), "state"), StatusHasMessage(HasSubstr("state: truncated")));
  }
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const char with : {char(0), char(0x7F), char(0xFF)}) {
      std::string damaged = bytes;
      damaged[i] = with;
      (void)ParseTrainingState(damaged, "state");  // An error or other numbers; never more than that.
    }
  }
  EXPECT_THAT(ParseTrainingState("x" + bytes.substr(1), "state"),
              StatusHasMessage("state: no training state, or one of another version"));
  EXPECT_THAT(ParseTrainingState(bytes + "x", "state"), StatusHasMessage(HasSubstr("state: ")));
  std::string phase = bytes;
  phase[25 + 3 * 8] = 9;
  EXPECT_THAT(ParseTrainingState(phase, "state"), StatusHasMessage("state: no phase has number 9"));
  std::string dtype = bytes;
  dtype[dtype.find("f32")] = 'g';
  EXPECT_THAT(ParseTrainingState(dtype, "state"), StatusHasMessage("state: 'g32' is no dtype"));
}

// What was taken is a value: training on does not change it, nor does a model that comes to its end.
TEST_F(TrainingRuns, StatesAreValues) {
  TrainingState taken;
  std::map<std::string, std::string> before;
  {
    Sequential model = Model();
    const auto run = Start(model, {.epochs = 2, .batch_size = 13});
    ASSERT_OK_AND_ASSIGN(taken, run->state());
    before = BytesByName(taken.variables);
    while (!run->IsDone()) ASSERT_OK(run->RunEpoch());
    EXPECT_NE(VariablesOf(model), before);
  }
  EXPECT_EQ(BytesByName(taken.variables), before);
}

}  // namespace
}  // namespace fusebox::testing
