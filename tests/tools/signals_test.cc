// SPDX-License-Identifier: Apache-2.0
// Ctrl-C: the effect of SIGINT and SIGTERM on a command, at work or while it still reads its files.
#include <algorithm>
#include <fstream>

#include "fusebox/fusebox.h"
#include "fusebox/runtime/files/npy.h"
#include "fusebox/runtime/files/npz.h"
#include "gmock/gmock.h"
#include "tests/tools/command.h"
#include "tests/tools/running_command.h"

namespace fusebox::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Whether a process is there, and has not ended yet.
bool IsAlive(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string id, name, state;
  return file >> id >> name >> state && state != "Z";
}

class Signals : public CommandTest {
 protected:
  // Little data and a wide model: at least a minute's work for any verb, with steps of a tenth of a second.
  void SetUp() override {
    CommandTest::SetUp();
    constexpr int64_t kRows = 1'000'000, kWidth = 2048;
    Tensor x(DType::kU8, {kRows, 4}), y(DType::kU8, {kRows});
    for (int64_t i = 0; i < kRows; ++i) y.mutable_values<uint8_t>()[size_t(i)] = uint8_t(i % 10);
    ASSERT_TRUE(WriteNpz(Path("d.npz"), {{"x", x}, {"y", y}}).ok());
    ASSERT_TRUE(WriteNpy(Path("x.npy"), x).ok());
    Sequential model(
        {Dense(kWidth, {.activation = "relu", .input_shape = {4}}), Dense(kWidth, "relu"), Dense(10, "softmax")},
        {.seed = 1});
    ASSERT_TRUE(model.Compile({.optimizer = "sgd", .loss = "sparse_categorical_crossentropy"}).ok());
    const absl::Status saved = model.Save(Path("m.keras"));
    ASSERT_TRUE(saved.ok()) << saved;
  }

  std::vector<std::string> Evaluate() const {
    return {"evaluate", Path("m.keras"), "--data", Path("d.npz"), "--threads", "2"};
  }
  std::vector<std::string> Predict() const {
    return {"predict", Path("m.keras"), "--input", Path("x.npy"), "-o", Path("y.npy"), "--threads", "2"};
  }
  std::vector<std::string> Train(const std::string& batch_size) const {
    return {"train", Path("m.keras"), "--data",    Path("d.npz"), "--epochs",  "1000", "--batch-size", batch_size,
            "-o",    Path("n.keras"), "--history", Path("h.csv"), "--threads", "2",    "--verbose",    "0"};
  }

  // Both signals, each at work and as early as the command catches them: one line, the exit code of shells, no file.
  void ExpectOneLineAndNoFile(const std::vector<std::string>& words) {
    for (const int signal : {SIGINT, SIGTERM}) {
      for (const bool at_work : {false, true}) {
        RunningCommand command(words);
        command.WaitUntilItCatches(signal);
        if (at_work) command.WaitUntilItHasThreads(2);
        command.Signal(signal);
        const ProcessResult result = command.Wait();
        EXPECT_EQ(result.exit_code, 128 + signal) << "ended by signal " << result.signal;
        EXPECT_EQ(result.errors,
                  std::string("fusebox: error: interrupted by ") + (signal == SIGINT ? "SIGINT" : "SIGTERM") + "\n");
        EXPECT_THAT(result.output, IsEmpty());
        EXPECT_THAT(Files(), UnorderedElementsAre("d.npz", "m.keras", "x.npy"));
      }
    }
  }
};

TEST_F(Signals, EndEvaluation) { ExpectOneLineAndNoFile(Evaluate()); }
TEST_F(Signals, EndPrediction) { ExpectOneLineAndNoFile(Predict()); }
TEST_F(Signals, EndTraining) { ExpectOneLineAndNoFile(Train("32")); }

// A step of such a large batch takes seconds, and the first signal waits for its end. The second one does not, so there
// is no message.
TEST_F(Signals, TheSecondLeavesAtOnce) {
  std::vector<std::string> words = Train("4096");
  words.back() = "2";  // Prints a line before the first step.
  RunningCommand command(words);
  command.WaitUntilItPrints("Epoch 1/1000\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  command.Signal(SIGINT);
  command.Signal(SIGINT);
  const ProcessResult result = command.Wait();
  EXPECT_EQ(result.exit_code, 130) << "ended by signal " << result.signal;
  EXPECT_EQ(result.errors, "Epoch 1/1000\n");
  EXPECT_THAT(Files(), UnorderedElementsAre("d.npz", "m.keras", "x.npy"));
}

// While a helper program works, one signal ends both.
TEST_F(Signals, EndAHelperToo) {
  const std::string helper = Path("helper.sh"), started = Path("started");
  std::ofstream(helper) << "#!/bin/sh\necho $$ > " << started << "\nsleep 100 &\nexec sleep 100\n";
  std::filesystem::permissions(helper, std::filesystem::perms(0700));
  ::setenv("FUSEBOX_H5READ", helper.c_str(), 1);
  RunningCommand command({"summary", Path("m.keras")});
  ::unsetenv("FUSEBOX_H5READ");
  pid_t pid = 0;
  for (int i = 0; i < 10'000 && pid == 0; ++i) {
    std::ifstream(started) >> pid;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ASSERT_GT(pid, 0);
  command.Signal(SIGINT);
  const ProcessResult result = command.Wait();
  EXPECT_EQ(result.exit_code, 130) << "ended by signal " << result.signal;
  EXPECT_EQ(result.errors, "fusebox: error: interrupted by SIGINT\n");
  // Ended processes stay in the list until their new parent has waited for them.
  const auto are_gone = [&] { return ::kill(-pid, 0) != 0; };
  for (int i = 0; i < 10'000 && !are_gone(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(are_gone() || !IsAlive(pid));
}

// A shell starts jobs in the background with SIGINT ignored, and so it stays.
TEST_F(Signals, StayIgnoredIfTheParentIgnoresThem) {
  struct sigaction ignore = {}, before = {};
  ignore.sa_handler = SIG_IGN;
  ASSERT_EQ(::sigaction(SIGINT, &ignore, &before), 0);
  RunningCommand command(Evaluate());
  ASSERT_EQ(::sigaction(SIGINT, &before, nullptr), 0);
  command.WaitUntilItCatches(SIGTERM);
  command.Signal(SIGINT);
  command.WaitUntilItHasThreads(2);
  command.Signal(SIGINT);
  command.Signal(SIGTERM);
  const ProcessResult result = command.Wait();
  EXPECT_EQ(result.exit_code, 143) << "ended by signal " << result.signal;
  EXPECT_EQ(result.errors, "fusebox: error: interrupted by SIGTERM\n");
}

}  // namespace
}  // namespace fusebox::testing
