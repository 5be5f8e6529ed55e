// SPDX-License-Identifier: Apache-2.0
// Several models at once, each used by its own thread: they compile, train and predict as each does alone.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <thread>
#include <vector>

#include "fusebox/runtime/execute/program_cache.h"
#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"
#include "tests/runtime/files/files.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

constexpr int kUsers = 6;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)  // As g++ says it.
constexpr bool kIsSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif
#else
constexpr bool kIsSanitized = false;
#endif

Tensor Numbers(int64_t rows, int64_t columns, uint64_t seed) {
  Tensor x(DType::kF32, {rows, columns});
  for (float& v : x.mutable_values<float>()) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;  // Source: Knuth's MMIX generator.
    v = float(seed >> 40) / float(1 << 24) - 0.5F;
  }
  return x;
}

// The predictions of a user's model, which differs from the others', after some training.
std::vector<float> TrainAndPredict(int user) {
  Sequential model({Dense(8 + user, "tanh", {.input_shape = {5}}), Dense(3)}, {.seed = user});
  EXPECT_OK(model.Compile({.optimizer = "sgd:momentum=0.9", .loss = "mean_squared_error"}));
  const Tensor x = Numbers(70, 5, uint64_t(user)), y = Numbers(70, 3, uint64_t(user + 100));
  const int64_t threads = user % 4 + 1;
  EXPECT_OK(model.Fit(x, y, {.epochs = 3, .batch_size = 16, .threads = threads, .verbose = 0}));
  EXPECT_OK(model.Evaluate(x, y, {.threads = threads}));
  std::vector<float> all;
  for (int i = 0; i < 5; ++i) {
    const absl::StatusOr<Tensor> predicted = model.Predict(x, {.threads = threads});
    EXPECT_OK(predicted);
    if (predicted.ok()) all.insert(all.end(), predicted->values<float>().begin(), predicted->values<float>().end());
  }
  return all;
}

std::vector<std::vector<float>> AllAtOnce() {
  std::vector<std::vector<float>> results(kUsers);
  std::vector<std::thread> users;
  for (int user = 0; user < kUsers; ++user) {
    users.emplace_back([&results, user] { results[size_t(user)] = TrainAndPredict(user); });
  }
  for (std::thread& user : users) user.join();
  return results;
}

TEST(ConcurrentModels, DoWhatTheyDoAlone) {
  const std::vector<std::vector<float>> together = AllAtOnce();
  for (int user = 0; user < kUsers; ++user) EXPECT_EQ(together[size_t(user)], TrainAndPredict(user)) << "user " << user;
}

// Compiles the same programs at the same time, with one cache.
TEST(ConcurrentModels, ShareACache) {
  const char* const before = std::getenv("FUSEBOX_CACHE_DIR");
  const std::optional<std::string> kept = before != nullptr ? std::optional<std::string>(before) : std::nullopt;
  const TempFolder folder;
  setenv("FUSEBOX_CACHE_DIR", (folder / "cache").c_str(), 1);
  ProgramCache::Global().Clear();  // So that programs are looked for on disk.
  const std::vector<std::vector<float>> first = AllAtOnce();
  ProgramCache::Global().Clear();
  const std::vector<std::vector<float>> second = AllAtOnce();
  kept ? setenv("FUSEBOX_CACHE_DIR", kept->c_str(), 1) : unsetenv("FUSEBOX_CACHE_DIR");
  EXPECT_EQ(first, second);
  EXPECT_FALSE(std::filesystem::is_empty(folder / "cache"));
}

// Links programs of one thread each, which differ from user to user and from round to round, and runs each once.
bool LinkAndRun(int user, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    Sequential model({Dense(1 + round % 7, "tanh", {.input_shape = {3 + user}}), Dense(2, "relu")}, {.seed = user});
    if (!model.Compile({.optimizer = "sgd", .loss = "mean_squared_error"}).ok()) return false;
    const Tensor x = Numbers(4, 3 + user, uint64_t(user)), y = Numbers(4, 2, uint64_t(user + 100));
    if (!model.Fit(x, y, {.epochs = 1, .threads = 1, .verbose = 0}).ok()) return false;
    if (!model.Predict(x, {.threads = 1}).ok()) return false;
    ProgramCache::Global().Clear();  // So that the next round links anew.
  }
  return true;
}

// A program runs only once all of its kernels are executable, though threads finish each other's links. Several
// processes, as each has its own chances; cold, and then with what the first ones have kept on disk.
TEST(ConcurrentModels, RunKernelsThatOthersLink) {
  const int rounds = kIsSanitized ? 3 : 21;  // Sanitizers see nothing here, and take their time.
  constexpr int kProcesses = 3, kThreads = 16;
  const TempFolder folder;
  for (int process = 0; process < kProcesses; ++process) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::setenv("FUSEBOX_CACHE_DIR", (folder / "cache").c_str(), 1);
      std::atomic<int> good = 0;
      std::vector<std::thread> users;
      for (int user = 0; user < kThreads; ++user) {
        users.emplace_back([&good, user] { good += LinkAndRun(user, rounds) ? 1 : 0; });
      }
      for (std::thread& user : users) user.join();
      ::_exit(good == kThreads ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status)) << "process " << process << " ended by signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0) << "process " << process;
  }
}

// A server that has used its model forks its workers, which train and predict on.
TEST(ConcurrentModels, GoOnInAForkedProcess) {
  Sequential model({Dense(8, "tanh", {.input_shape = {5}}), Dense(3)}, {.seed = 1});
  EXPECT_OK(model.Compile({.optimizer = "sgd", .loss = "mean_squared_error"}));
  const Tensor x = Numbers(70, 5, 1), y = Numbers(70, 3, 2);
  const auto go_on = [&] {
    std::vector<float> numbers;
    for (int i = 0; i < 2; ++i) {
      EXPECT_OK(model.Fit(x, y, {.epochs = 1, .batch_size = 16, .threads = 3, .verbose = 0}));
      const absl::StatusOr<Tensor> predicted = model.Predict(x, {.threads = 3});
      if (predicted.ok()) numbers.assign(predicted->values<float>().begin(), predicted->values<float>().end());
    }
    return numbers;
  };
  go_on();
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(100);
    const std::vector<float> numbers = go_on();
    const size_t bytes = numbers.size() * sizeof(float);
    ::_exit(::write(pipe[1], numbers.data(), bytes) == ssize_t(bytes) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  std::vector<float> of_child(70 * 3);
  EXPECT_EQ(::read(pipe[0], of_child.data(), of_child.size() * sizeof(float)),
            ssize_t(of_child.size() * sizeof(float)));
  EXPECT_EQ(of_child, go_on());
  ::close(pipe[0]);
  ::close(pipe[1]);
}

}  // namespace
}  // namespace fusebox::testing
