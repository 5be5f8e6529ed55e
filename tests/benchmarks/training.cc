// SPDX-License-Identifier: Apache-2.0
// Seconds per epoch with a compiled program: gather of shuffled rows, forward, loss, metrics, backward, update.
#include "benchmark/benchmark.h"
#include "tests/benchmarks/functional.h"

namespace fusebox::benchmarks {
namespace {

// The counter `loss` is that of the first epoch if there is only one iteration.
void TimeEpochs(benchmark::State& state, fusebox::Model model, const std::vector<Tensor>& x,
                const std::vector<Tensor>& y, int64_t batch, int64_t threads) {
  const auto one_batch = [batch](std::vector<Tensor> arrays) {
    for (Tensor& array : arrays) array = array.Rows(0, batch);
    return arrays;
  };
  // Compiles.
  OrDie(model.Fit(one_batch(x), one_batch(y), {.batch_size = batch, .threads = threads, .verbose = 0}));
  int64_t epoch = 0;
  double loss = 0;
  for (auto _ : state) {
    const History history = OrDie(model.Fit(
        x, y, {.epochs = epoch + 1, .batch_size = batch, .initial_epoch = epoch, .threads = threads, .verbose = 0}));
    ++epoch;
    loss = history["loss"].back();
  }
  state.counters["loss"] = loss;
  state.SetItemsProcessed(state.iterations() * x[0].rows());
}

void TimeEpochs(benchmark::State& state, fusebox::Model model, const Data& data, int64_t batch, int64_t threads) {
  TimeEpochs(state, std::move(model), std::vector{data.x}, std::vector{data.y}, batch, threads);
}

void Epoch(benchmark::State& state, const char* optimizer, const char* activation = "relu", Extra extra = {}) {
  static const Data data = Pictures();
  TimeEpochs(state, Model(optimizer, activation, extra), data, state.range(0), state.range(1));
}

void MlpEpoch(benchmark::State& state, const Mlp& mlp) {
  TimeEpochs(state, mlp.MakeModel(), mlp.MakeData(), state.range(0), state.range(1));
}

void EpochOfBytes(benchmark::State& state) {
  static const Data data = Bytes();
  TimeEpochs(state, ModelOfBytes(), data, state.range(0), state.range(1));
}

void FunctionalEpoch(benchmark::State& state, FunctionalJob (*make)()) {
  FunctionalJob job = make();
  TimeEpochs(state, std::move(job.model), job.x, job.y, state.range(0), state.range(1));
}

// The arguments of a benchmark, and the way it is measured.
void Times(benchmark::internal::Benchmark* epoch, std::vector<int64_t> batches, benchmark::TimeUnit unit) {
  epoch->ArgNames({"batch", "threads"})->ArgsProduct({std::move(batches), ThreadCounts()});
  epoch->MeasureProcessCPUTime()->UseRealTime()->Unit(unit);
}
void Epochs(benchmark::internal::Benchmark* epoch) { Times(epoch, {32, 128, 512, 4096}, benchmark::kSecond); }

constexpr const char* kSgd = "sgd:learning_rate=0.01";

// peers/jobs/train.py has a line for each.
BENCHMARK_CAPTURE(Epoch, sgd, kSgd)->Apply(Epochs);
BENCHMARK_CAPTURE(Epoch, momentum, "sgd:learning_rate=0.01,momentum=0.9")->Apply(Epochs);
BENCHMARK(EpochOfBytes)->Apply(Epochs);
BENCHMARK_CAPTURE(Epoch, nesterov, "sgd:learning_rate=0.01,momentum=0.9,nesterov=true")->Apply(Epochs);
BENCHMARK_CAPTURE(Epoch, adam, "adam")->Apply(Epochs);
BENCHMARK_CAPTURE(Epoch, rmsprop, "rmsprop")->Apply(Epochs);
BENCHMARK_CAPTURE(Epoch, adamw, "adamw")->Apply(Epochs);
BENCHMARK_CAPTURE(Epoch, dropout, kSgd, "relu", Extra{.layer = [] { return Dropout(0.2); }})->Apply(Epochs);
BENCHMARK_CAPTURE(Epoch, batch_norm, kSgd, "relu", Extra{.layer = [] { return BatchNormalization(); }})->Apply(Epochs);
BENCHMARK_CAPTURE(Epoch, l2, kSgd, "relu", Extra{.kernel_regularizer = "l2:l2=0.0001"})->Apply(Epochs);
BENCHMARK_CAPTURE(Epoch, tanh, kSgd, "tanh")->Apply(Epochs);
BENCHMARK_CAPTURE(Epoch, sigmoid, kSgd, "sigmoid")->Apply(Epochs);
BENCHMARK_CAPTURE(Epoch, gelu, kSgd, "gelu")->Apply(Epochs);
BENCHMARK_CAPTURE(Epoch, softplus, kSgd, "softplus")->Apply(Epochs);

// TinyEpoch, the models of functional.h, and RandomMlpEpoch/0, /1, ..., one for each line of mlps.txt.
const int kMlps = [] {
  Times(benchmark::RegisterBenchmark("TinyEpoch", MlpEpoch, kTiny), {kTiny.batch}, benchmark::kMillisecond);
  Times(benchmark::RegisterBenchmark("WideAndDeepEpoch", FunctionalEpoch, WideAndDeep), {kTiny.batch},
        benchmark::kMillisecond);
  Times(benchmark::RegisterBenchmark("TwoOutputsEpoch", FunctionalEpoch, TwoOutputs), {kTiny.batch},
        benchmark::kMillisecond);
  int line = 0;
  for (const Mlp& mlp : RandomMlps()) {
    const std::string name = "RandomMlpEpoch/" + std::to_string(line++);
    Times(benchmark::RegisterBenchmark(name.c_str(), MlpEpoch, mlp), {mlp.batch}, benchmark::kMillisecond);
  }
  return line;
}();

}  // namespace
}  // namespace fusebox::benchmarks
