// SPDX-License-Identifier: Apache-2.0
// The jobs that benchmarks time; peers/ times them, too:
//   Model       784 - 300 - 100 - 10 with relu and softmax, sparse categorical cross-entropy, accuracy, 55,000 samples;
//               in batches of 32 the last one has 24
//   TinyModel   8 - 30 - 30 - 1 with relu, mean squared error, 20,640 samples
//   RandomMlps  networks of any depth and width with relu, mean squared error, from mlps.txt
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "fusebox/fusebox.h"
#include "tests/benchmarks/numbers.h"

namespace fusebox::benchmarks {

inline constexpr int64_t kSamples = 55'000;

// Benchmarks neither read nor change the user's cache of compiled code, unless a folder is named.
inline const int kNoCache = setenv("FUSEBOX_CACHE_DIR", "", /*overwrite=*/0);

// Benchmarks have no caller to report an error to.
template <class T>
T OrDie(absl::StatusOr<T> value) {
  if (!value.ok()) {
    std::fprintf(stderr, "%s\n", std::string(value.status().message()).c_str());
    std::exit(1);
  }
  return *std::move(value);
}

inline void OrDie(const absl::Status& status) {
  if (!status.ok()) OrDie(absl::StatusOr<int>(status));
}

// One thread, and one thread per core that this process may use.
inline std::vector<int64_t> ThreadCounts() {
  const int64_t cores = std::thread::hardware_concurrency();
  return cores > 1 ? std::vector<int64_t>{1, cores} : std::vector<int64_t>{1};
}

// Fashion-MNIST, or noise of the same shape if it is not installed: the time does not depend on it.
inline Data Pictures() {
  absl::StatusOr<Data> real = LoadData("fashion_mnist:train[5000:]");
  if (real.ok()) return *std::move(real);
  Data data{Tensor(DType::kF32, {kSamples, 28, 28}), Tensor(DType::kI32, {kSamples})};
  uint32_t state = 1;
  const auto next = [&state] { return state = state * 1664525u + 1013904223u; };
  for (float& pixel : data.x.mutable_values<float>()) pixel = float(next() >> 8) / float(1 << 24);
  for (int32_t& label : data.y.mutable_values<int32_t>()) label = int32_t((next() >> 16) % 10);
  return data;
}

// The grey levels of the images, u8.
inline Data Bytes() {
  Data data = Pictures();
  Tensor bytes(DType::kU8, data.x.shape());
  std::ranges::transform(data.x.values<float>(), bytes.mutable_values<uint8_t>().begin(),
                         [](float x) { return uint8_t(255 * x + 0.5F); });
  return {bytes, data.y};
}

inline Sequential Compiled(Sequential model, const char* optimizer) {
  OrDie(model.Compile({.optimizer = optimizer, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}}));
  return model;
}

// Optional parts of a model.
struct Extra {
  std::function<Layer()> layer = {};  // After each activation between layers.
  const char* kernel_regularizer = "";
};

inline Sequential Model(const char* optimizer = "sgd:learning_rate=0.01", const char* activation = "relu",
                        const Extra& extra = {}) {
  Sequential model({Flatten({.input_shape = {28, 28}})}, {.seed = 42});
  for (const int64_t units : {300, 100}) {
    model.Add(Dense(units, activation, {.kernel_regularizer = extra.kernel_regularizer}));
    if (extra.layer) model.Add(extra.layer());
  }
  model.Add(Dense(10, "softmax", {.kernel_regularizer = extra.kernel_regularizer}));
  return Compiled(std::move(model), optimizer);
}

// The same model for images of u8, which it rescales.
inline Sequential ModelOfBytes(const char* optimizer = "sgd:learning_rate=0.01") {
  return Compiled(Sequential({Rescaling(1.0 / 255, {.input_shape = {28, 28}}), Flatten(), Dense(300, "relu"),
                              Dense(100, "relu"), Dense(10, "softmax")},
                             {.seed = 42}),
                  optimizer);
}

// Dense layers of these widths with relu between, on synthetic data.
struct Mlp {
  int64_t batch = 32, rows = 0;
  std::vector<int64_t> widths;  // The input's, then the layers'.

  Data MakeData() const {
    Data data{Tensor(DType::kF32, {rows, widths.front()}), Tensor(DType::kF32, {rows, widths.back()})};
    Spread(data.x.mutable_values<float>(), 0, 1);
    Spread(data.y.mutable_values<float>(), 1, 1);
    return data;
  }
  Sequential MakeModel() const {
    Sequential model(ModelOptions{.seed = 42});
    for (size_t i = 1; i < widths.size(); ++i) {
      DenseOptions options{.activation = i + 1 < widths.size() ? "relu" : "linear"};
      if (i == 1) options.input_shape = {widths[0]};
      model.Add(Dense(widths[i], options));
    }
    OrDie(model.Compile({.optimizer = "sgd:learning_rate=0.01", .loss = "mean_squared_error"}));
    return model;
  }
};

inline const Mlp kTiny = {.batch = 32, .rows = 20'640, .widths = {8, 30, 30, 1}};
inline Sequential TinyModel() { return kTiny.MakeModel(); }

inline std::vector<Mlp> RandomMlps() {
  std::vector<Mlp> mlps;
  std::ifstream file(FUSEBOX_SOURCE_DIR "/tests/benchmarks/mlps.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    Mlp& mlp = mlps.emplace_back();
    std::istringstream words(line);
    words >> mlp.batch >> mlp.rows;
    for (int64_t width = 0; words >> width;) mlp.widths.push_back(width);
  }
  return mlps;
}

}  // namespace fusebox::benchmarks
