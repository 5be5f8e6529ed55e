// SPDX-License-Identifier: Apache-2.0
// Third-party libraries that two compilers made when ABI 1.0 was settled (tests/abi): every later build loads them, trains
// with the items in them, and saves and opens the models.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <optional>
#include <span>

#include "fusebox/fusebox.h"
#include "fusebox/graph/text.h"
#include "fusebox/runtime/files/npy.h"
#include "fusebox/runtime/plugins/objects.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/runtime/files/files.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

using ::testing::AllOf;
using ::testing::ExitedWithCode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const char* const kCompilers[] = {"g++-12", "clang++-19"};

std::string KeptLibrary(const std::string& compiler, const std::string& name) {
  return FUSEBOX_SOURCE_DIR "/tests/abi/1.0/" + compiler + "/" + name + ".so";
}

// Numbers in [-1, 1], the same in every run.
Tensor Numbers(std::vector<int64_t> shape) {
  Tensor x(DType::kF32, std::move(shape));
  uint32_t state = 7;
  for (float& v : x.mutable_values<float>()) {
    state = state * 1664525 + 1013904223;
    v = float(state >> 8) / float(1 << 23) - 1;
  }
  return x;
}

// The mean of each row's numbers, f32[n, 1]: what the models learn.
Tensor RowMeans(const Tensor& x) {
  Tensor y(DType::kF32, {x.rows(), 1});
  const auto from = x.values<float>();
  const auto to = y.mutable_values<float>();
  const size_t width = from.size() / to.size();
  for (size_t i = 0; i < from.size(); ++i) to[i / width] += from[i] / float(width);
  return y;
}

std::vector<float> Predicted(Model& model, const Tensor& x) {
  const absl::StatusOr<Arrays> y = model.Predict(x);
  EXPECT_OK(y);
  if (!y.ok()) return {};
  return {(*y)[0].values<float>().begin(), (*y)[0].values<float>().end()};
}

// Leaves the trained model and its predictions in files, opens the model and trains it further.
void SaveAndOpen(Model& model, const Tensor& x, const Tensor& y, const std::string& path) {
  ASSERT_OK(model.SaveWeights(path + ".weights.h5"));
  ASSERT_OK(model.Save(path + ".keras"));
  const std::vector<float> expected = Predicted(model, x);
  ASSERT_OK(WriteNpy(path + ".npy", Tensor({int64_t(expected.size())}, std::span<const float>(expected))));
  ASSERT_OK_AND_ASSIGN(Model opened, LoadModel(path + ".keras"));
  EXPECT_EQ(Predicted(opened, x), expected);
  EXPECT_OK(opened.Fit(x, y, {.verbose = 0}));
}

void ExpectLearns(const History& history) {
  ASSERT_FALSE(history["loss"].empty());
  EXPECT_LT(history["loss"].back(), history["loss"].front() * 0.8);
}

// Runs `use` in a process of its own, which ends with 0 if no expectation fails there. A plugin path holds for a whole
// process, and the libraries of both compilers have the same ids.
void ExpectWorksWith(const std::string& library, const std::function<void()>& use) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto run = [&] {
    Registry::SetPluginPath(library);
    EXPECT_THAT(Registry::Default().refused(), IsEmpty());
    use();
    // Only stderr shows the failures of a process that ends like this.
    const ::testing::TestResult& result = *::testing::UnitTest::GetInstance()->current_test_info()->result();
    for (int i = 0; i < result.total_part_count(); ++i) std::cerr << result.GetTestPartResult(i);
    std::exit(::testing::Test::HasFailure() ? 1 : 0);
  };
  EXPECT_EXIT(run(), ExitedWithCode(0), "") << library;
}

class KeptAbi : public ::testing::Test {
 protected:
  void SetUp() override {
#ifndef __x86_64__
    GTEST_SKIP() << "the libraries in tests/abi are compiled for x86-64";
#endif
    // The process of its own begins the test anew. It leaves its files where the first process looks for them.
    if (const char* given = std::getenv(kFolder)) {
      path_ = given;
    } else {
      folder_.emplace();
      path_ = *folder_ / "";
      setenv(kFolder, path_.c_str(), 1);
    }
  }
  void TearDown() override {
    if (folder_) unsetenv(kFolder);
  }

  // Where a compiler's library leaves its files of this name.
  std::string Path(const std::string& compiler, const std::string& name) const { return path_ + compiler + "-" + name; }

  // The symbols are the same, so what was trained is the same to the bit.
  void ExpectSameFiles(const std::string& name) const {
    for (const char* ending : {".weights.h5", ".npy"}) {
      const std::string bytes = Slurp(Path(kCompilers[0], name) + ending);
      EXPECT_FALSE(bytes.empty());
      EXPECT_TRUE(bytes == Slurp(Path(kCompilers[1], name) + ending))
          << name << ending << " depends on the compiler of the library";
    }
  }

 private:
  static constexpr const char* kFolder = "FUSEBOX_ABI_TEST_FOLDER";
  std::optional<TempFolder> folder_;
  std::string path_;
};

// ---- The example plugins.

void TrainAcmeModel(Sequential model, const Tensor& x, const std::string& path) {
  const Tensor y = RowMeans(x);
  ASSERT_OK(model.Compile({.optimizer = "acme/sign_momentum:learning_rate=0.01,momentum=0.8", .loss = "mse"}));
  ASSERT_OK_AND_ASSIGN(const History history, model.Fit(x, y, {.epochs = 20, .verbose = 0}));
  ExpectLearns(history);
  SaveAndOpen(model, x, y, path);
}

const Tensor kRows = Numbers({64, 4}), kSeries = Numbers({48, 6, 3});

TEST_F(KeptAbi, ExamplesTrainAndAreSaved) {
  for (const char* compiler : kCompilers) {
    ExpectWorksWith(KeptLibrary(compiler, "acme"), [&] {
      TrainAcmeModel(
          Sequential({Layer("acme/gated_dense", {{"units", int64_t{5}}}, {.input_shape = {4}}), Dense(1)}, {.seed = 1}),
          kRows, Path(compiler, "gated"));
      TrainAcmeModel(
          Sequential({Layer("acme/simple_recurrent", {{"units", int64_t{5}}}, {.input_shape = {6, 3}}), Dense(1)},
                     {.seed = 2}),
          kSeries, Path(compiler, "recurrent"));
    });
  }
  for (const char* name : {"gated", "recurrent"}) {
    ExpectSameFiles(name);
    // This process has no such plugin: the symbols in the file stand in for it.
    ASSERT_OK_AND_ASSIGN(Model opened, LoadModel(Path(kCompilers[0], name) + ".keras"));
    ASSERT_OK_AND_ASSIGN(const Tensor expected, ReadNpy(Path(kCompilers[0], name) + ".npy"));
    const std::vector<float> predicted = Predicted(opened, std::string_view(name) == "gated" ? kRows : kSeries);
    EXPECT_TRUE(std::ranges::equal(predicted, expected.values<float>()));
  }
}

TEST_F(KeptAbi, MessagesOfTheLibraryArrive) {
  for (const char* compiler : kCompilers) {
    ExpectWorksWith(KeptLibrary(compiler, "acme"), [] {
      Sequential flat(
          {Layer("acme/simple_recurrent", {{"units", int64_t{5}}}, {.name = "memory", .input_shape = {4}})});
      EXPECT_THAT(flat.Compile({.loss = "mse"}),
                  StatusHasMessage(
                      AllOf(HasSubstr("'memory'"), HasSubstr("expects input [batch, time, features], got f32[N,4]"))));
      Sequential none({Layer("acme/gated_dense", {{"units", int64_t{0}}}, {.input_shape = {4}})});
      EXPECT_THAT(none.Compile({.loss = "mse"}),
                  StatusHasMessage(HasSubstr("attribute 'units' must be an int of at least 1, got 0")));
    });
  }
}

// ---- One item of each kind: tests/abi/1.0/every_kind.cc.

void TrainOnItsPlane(const std::string& path) {
  ASSERT_OK_AND_ASSIGN(const Data data, LoadData("kept/plane:rows=64/train"));
  ASSERT_OK_AND_ASSIGN(const Data half, LoadData("kept/plane:rows=64/test"));
  EXPECT_EQ(data.x.rows(), 64);
  EXPECT_EQ(half.x.rows(), 32);
  EXPECT_EQ(data.y.values<float>()[9], 1 + 1.0f / 8 - 1.0f / 16);

  Sequential model(
      {Layer("kept/noisy_scale",
             {{"scale_regularizer", "kept/cubes:factor=0.001"}, {"scale_constraint", "kept/at_most:limit=1.2"}},
             {.name = "scaled", .input_shape = {2}}),
       Dense(8, "kept/leaky:slope=0.3"), Dense(1, {.kernel_initializer = "kept/ramp"})},
      {.seed = 3});
  ASSERT_OK(model.Compile({.optimizer = "kept/heavy_ball:learning_rate='kept/inverse_time:initial=0.005',momentum=0.5",
                           .loss = "kept/gap",
                           .metrics = {"kept/mean_gap", "kept/worst_gap"}}));
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> first, model.GetLayerWeights("scaled"));
  EXPECT_EQ(first[0].values<float>()[0], 1);
  EXPECT_EQ(first[0].values<float>()[1], 1.25f);
  ASSERT_OK_AND_ASSIGN(
      const History history,
      model.Fit(data.x, data.y, {.epochs = 50, .callbacks = {"kept/epoch_limit:most=15"}, .verbose = 0}));
  EXPECT_THAT(history.epoch, SizeIs(15));
  EXPECT_TRUE(history.stopped);
  ExpectLearns(history);
  EXPECT_LT(history["mean_gap"].back(), history["worst_gap"].back());
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> scaled, model.GetLayerWeights("scaled"));
  for (const float weight : scaled[0].values<float>()) EXPECT_LE(weight, 1.2f);
  EXPECT_EQ(scaled[1].values<float>()[0], 15 * 2);  // How many steps of training it has seen.
  SaveAndOpen(model, data.x, data.y, path);
}

// Masks, a loop, a branch and a layer of several inputs.
void SumItsSeries() {
  const SymbolicTensor x = Input({3, 2});
  const SymbolicTensor sum = Layer("kept/sum_over_time")(Layer("kept/skip_zeros")(x));
  const SymbolicTensor blend = Layer("kept/blend")({sum, Layer("kept/sum_over_time")(x)});
  Model model({x}, {blend});
  const std::vector<float> steps = {1, 2, 0, 0, 5, 6};
  EXPECT_EQ(Predicted(model, Tensor({1, 3, 2}, std::span<const float>(steps))), (std::vector<float>{24, 32}));
}

void CallItsCallback() {
  ASSERT_OK_AND_ASSIGN(const ItemSpec spec, ParseItemSpec("kept/epoch_limit:most=2"));
  ASSERT_OK_AND_ASSIGN(CallbackObject callback, CallbackObject::Create(Registry::Default(), spec));
  CallbackEvent event = {.kind = FB_EPOCH_END, .logs = {{"loss", 0.5}}};
  ASSERT_OK(callback.OnEvent(event));
  EXPECT_FALSE(event.stop);
  ASSERT_OK_AND_ASSIGN(const std::string state, callback.SaveState());
  EXPECT_EQ(state, "1");
  ASSERT_OK_AND_ASSIGN(CallbackObject resumed, CallbackObject::Create(Registry::Default(), spec));
  ASSERT_OK(resumed.LoadState(state));
  ASSERT_OK(resumed.OnEvent(event));
  EXPECT_TRUE(event.stop);
  event.logs.clear();
  EXPECT_THAT(resumed.OnEvent(event), StatusHasMessage(HasSubstr("has no logs")));
}

// Its loss looks for the logits behind a sigmoid, which the host finds or does not.
void TrainOnLogits() {
  const Tensor x = Numbers({32, 4});
  Sequential model({Dense(1, "sigmoid", {.input_shape = {4}})}, {.seed = 4});
  ASSERT_OK(model.Compile({.optimizer = "sgd", .loss = "kept/gap"}));
  ASSERT_OK_AND_ASSIGN(const Graph program, model.Program(ProgramKind::kTraining));
  EXPECT_THAT(Print(program), HasSubstr("0.0001"));
  EXPECT_OK(model.Fit(x, RowMeans(x), {.verbose = 0}));
}

TEST_F(KeptAbi, EveryKindWorks) {
  for (const char* compiler : kCompilers) {
    ExpectWorksWith(KeptLibrary(compiler, "every_kind"), [&] {
      TrainOnItsPlane(Path(compiler, "plane"));
      SumItsSeries();
      CallItsCallback();
      TrainOnLogits();
    });
  }
  ExpectSameFiles("plane");
}

}  // namespace
}  // namespace fusebox::testing
