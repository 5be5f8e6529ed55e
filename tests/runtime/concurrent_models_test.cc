// SPDX-License-Identifier: Apache-2.0
// Several models at once, each used by its own thread: they compile, train and predict as each does alone.
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

}  // namespace
}  // namespace fusebox::testing
