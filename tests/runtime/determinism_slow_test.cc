// SPDX-License-Identifier: Apache-2.0
// The same seed gives the same bytes, for any number of threads and in every run.
#include <cstdint>
#include <string>
#include <vector>

#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"
#include "tests/runtime/files/files.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

// Ten noisy patterns with as many pixels as Fashion-MNIST. The last batch is small.
Data Pictures(int64_t rows) {
  Data data{Tensor(DType::kF32, {rows, 28, 28}), Tensor(DType::kI32, {rows})};
  uint64_t state = 1;  // Source: Knuth's MMIX generator.
  const std::span<float> x = data.x.mutable_values<float>();
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t label = i * 7 % 10;
    data.y.mutable_values<int32_t>()[size_t(i)] = int32_t(label);
    for (int64_t j = 0; j < 784; ++j) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      x[size_t(i * 784 + j)] = 0.7f * float(state >> 40) / float(1 << 24) + (j / 28 % 10 == label ? 0.3f : 0.0f);
    }
  }
  return data;
}

// The bytes of the .keras file after an epoch: model.weights.h5, including the optimizer's state, and the settings.
std::string FileAfterAnEpoch(const Data& data, const std::string& optimizer, int64_t threads, int64_t seed = 42) {
  Sequential model({Flatten({.input_shape = {28, 28}}), Dense(300, "relu"), Dense(100, "relu"), Dense(10, "softmax")},
                   {.seed = seed});
  EXPECT_OK(
      model.Compile({.optimizer = optimizer, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}}));
  EXPECT_OK(model.Fit(data.x, data.y, {.threads = threads, .verbose = 0}));
  const TempFolder folder;
  EXPECT_OK(model.Save(folder / "model.keras"));
  return Slurp(folder / "model.keras");
}

TEST(Determinism, SameSeedGivesTheSameBytesForAnyThreads) {
  const Data data = Pictures(5005);
  for (const std::string optimizer : {"sgd", "sgd:momentum=0.9"}) {
    const std::string first = FileAfterAnEpoch(data, optimizer, 1);
    ASSERT_GT(first.size(), 266'610u * 4);
    // Threads interleave differently each time, so a single run proves little.
    for (const int64_t threads : {1, 2, 4, 3, 2, 4, 2, 4, 1}) {
      // EXPECT_EQ would print a megabyte.
      EXPECT_TRUE(FileAfterAnEpoch(data, optimizer, threads) == first) << optimizer << ", " << threads << " threads";
    }
    EXPECT_FALSE(FileAfterAnEpoch(data, optimizer, 2, 43) == first);
  }
}

}  // namespace
}  // namespace fusebox::testing
