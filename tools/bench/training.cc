// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <memory>
#include <thread>

#include "fmt/format.h"
#include "fusebox/fusebox.h"
#include "fusebox/graph/status.h"
#include "tools/bench/suite.h"

#ifdef __linux__
#include <sched.h>
#endif

namespace fusebox::tools {
namespace {

const std::vector<int64_t> kMlp = {784, 300, 100, 10};
const std::vector<int64_t> kTiny = {8, 30, 30, 1};
constexpr int64_t kMlpBatches[] = {32, 128, 512, 4096};
constexpr int64_t kPictures = 55'000, kTinyRows = 20'640,
                  kTinyBatch = 32;  // Training rows of Fashion-MNIST (without 5,000) and of California housing.

// Numbers from 0 to 1.
Tensor Noise(const std::vector<int64_t>& shape) {
  Tensor tensor(DType::kF32, shape);
  uint32_t random = 1;
  for (float& x : tensor.mutable_values<float>()) {
    random = random * 1664525U + 1013904223U;
    x = float(random >> 8) * 0x1p-24F;
  }
  return tensor;
}

Data Pictures() {
  Data data{Noise({kPictures, 784}), Tensor(DType::kI32, {kPictures})};
  int32_t count = 0;
  for (int32_t& label : data.y.mutable_values<int32_t>()) label = count++ % 10;
  return data;
}

Benchmark::Run Epoch(std::shared_ptr<Sequential> model, const Data& data, int64_t batch, int64_t threads) {
  return [=, &data] {
    return model->Fit(data.x, data.y, {.batch_size = batch, .threads = threads, .verbose = 0}).status();
  };
}

absl::StatusOr<std::shared_ptr<Sequential>> MakeMlp(const std::string& optimizer) {
  auto model = std::make_shared<Sequential>(
      std::vector<Layer>{Dense(300, "relu", {.input_shape = {784}}), Dense(100, "relu"), Dense(10, "softmax")},
      ModelOptions{.seed = 42});
  FUSEBOX_RETURN_IF_ERROR(
      model->Compile({.optimizer = optimizer, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}}));
  return model;
}

std::function<absl::StatusOr<BenchProgram>()> MlpSubject(const std::string& optimizer, int64_t batch) {
  return [=]() -> absl::StatusOr<BenchProgram> {
    FUSEBOX_ASSIGN_OR_RETURN(const std::shared_ptr<Sequential> model, MakeMlp(optimizer));
    FUSEBOX_ASSIGN_OR_RETURN(Graph program, model->Program(ProgramKind::kTraining));
    return BenchProgram{fmt::format("train mlp, batch {}", batch), std::move(program), batch};
  };
}

absl::StatusOr<Benchmark::Run> PrepareMlp(const std::string& optimizer, int64_t batch, int64_t threads) {
  static const Data data = Pictures();
  FUSEBOX_ASSIGN_OR_RETURN(std::shared_ptr<Sequential> model, MakeMlp(optimizer));
  return Epoch(std::move(model), data, batch, threads);
}

absl::StatusOr<std::shared_ptr<Sequential>> MakeTiny() {
  auto model = std::make_shared<Sequential>(
      std::vector<Layer>{Dense(30, "relu", {.input_shape = {8}}), Dense(30, "relu"), Dense(1)},
      ModelOptions{.seed = 42});
  FUSEBOX_RETURN_IF_ERROR(model->Compile({.optimizer = "sgd", .loss = "mean_squared_error"}));
  return model;
}

absl::StatusOr<BenchProgram> TinySubject() {
  FUSEBOX_ASSIGN_OR_RETURN(const std::shared_ptr<Sequential> model, MakeTiny());
  FUSEBOX_ASSIGN_OR_RETURN(Graph program, model->Program(ProgramKind::kTraining));
  return BenchProgram{"train 8 - 30 - 30 - 1", std::move(program), kTinyBatch};
}

absl::StatusOr<Benchmark::Run> PrepareTiny(int64_t threads) {
  static const Data data{Noise({kTinyRows, 8}), Noise({kTinyRows, 1})};
  FUSEBOX_ASSIGN_OR_RETURN(std::shared_ptr<Sequential> model, MakeTiny());
  return Epoch(std::move(model), data, kTinyBatch, threads);
}

// Keeps one core busy during its lifetime, as another program would: the last core that this process may use.
class BusyNeighbour {
 public:
  BusyNeighbour()
      : thread_([this] {
          Settle();
          while (!leave_.load(std::memory_order_relaxed)) continue;
        }) {}
  ~BusyNeighbour() {
    leave_ = true;
    thread_.join();
  }

 private:
  static void Settle() {
#ifdef __linux__
    cpu_set_t allowed, last;
    CPU_ZERO(&last);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    for (int cpu = CPU_SETSIZE - 1; cpu >= 0; --cpu) {
      if (!CPU_ISSET(cpu, &allowed)) continue;
      CPU_SET(cpu, &last);
      sched_setaffinity(0, sizeof last, &last);
      return;
    }
#endif
  }

  std::atomic<bool> leave_ = false;
  std::thread thread_;
};

absl::StatusOr<Benchmark::Run> PrepareBusy(int64_t threads) {
  FUSEBOX_ASSIGN_OR_RETURN(Benchmark::Run run, PrepareMlp("sgd", 32, threads));
  FUSEBOX_RETURN_IF_ERROR(run());  // Compiles before the neighbour starts.
  auto neighbour = std::make_shared<BusyNeighbour>();
  return [run, neighbour] { return run(); };
}

}  // namespace

double ForwardFlops(const std::vector<int64_t>& widths) {
  double flops = 0;
  for (size_t i = 1; i < widths.size(); ++i) flops += 2.0 * double(widths[i - 1] * widths[i]);
  return flops;
}

double TrainingFlops(const std::vector<int64_t>& widths) {
  return 3 * ForwardFlops(widths) - 2.0 * double(widths[0] * widths[1]);
}

std::vector<Benchmark> TrainingBenchmarks() {
  std::vector<Benchmark> all;
  const double flops = kPictures * TrainingFlops(kMlp);
  const auto mlp = [&](const std::string& name, const std::string& optimizer, int64_t batch) {
    all.push_back({.name = name,
                   .flops = flops,
                   .prepare = [=](int64_t n) { return PrepareMlp(optimizer, batch, n); },
                   .program = MlpSubject(optimizer, batch)});
  };
  for (const int64_t batch : kMlpBatches) mlp(fmt::format("train mlp, batch {}", batch), "sgd", batch);
  mlp("train mlp, batch 32, momentum", "sgd:momentum=0.9", 32);
  all.push_back({.name = "train mlp, batch 32, a core is busy",
                 .flops = flops,
                 .prepare = PrepareBusy,
                 .program = MlpSubject("sgd", 32)});
  all.push_back({.name = "train 8 - 30 - 30 - 1, batch 32",
                 .flops = kTinyRows * TrainingFlops(kTiny),
                 .prepare = PrepareTiny,
                 .program = TinySubject});
  return all;
}

absl::StatusOr<std::vector<BenchProgram>> TrainingPrograms() {
  std::vector<BenchProgram> all;
  for (const int64_t batch : kMlpBatches) {
    FUSEBOX_ASSIGN_OR_RETURN(all.emplace_back(), MlpSubject("sgd", batch)());
  }
  return all;
}

}  // namespace fusebox::tools
