// SPDX-License-Identifier: Apache-2.0
// One call of the native function runs many steps: the rows of each step, the partial last batch, states from step to
// step, the yield word, and independence of the arena's previous content.
#include <cstring>
#include <deque>
#include <map>
#include <thread>

#include "fmt/format.h"
#include "fusebox/compiler/passes/differentiate.h"
#include "gtest/gtest.h"
#include "tests/compiler/run_jit.h"
#include "tests/support/compare.h"
#include "tests/support/guarded_buffer.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

// Descent on |x w|^2 over shuffled rows of a data set, and a step count. `y` has a row for each row of the whole run.
constexpr const char* kTraining = R"(
    %order = input                                : i32[N]
    %x = rows %order                              : f32[N,5]
    %bias = input                                 : f32[N,1]
    %rate = input                                 : f32[]
    %w = state {kind = "weight"}                  : f32[5,3]
    %count = state {kind = "counter"}             : i64[]
    %0 = matmul %x, %w                            : f32[N,3]
    %1 = add %0, %bias                            : f32[N,3]
    %2 = multiply %1, %1                          : f32[N,3]
    %3 = sum %2 {axes = [0, 1]}                   : f32[]
    %4 = gradient %3, %w                          : f32[5,3]
    %5 = multiply %4, %rate                       : f32[5,3]
    %6 = subtract %w, %5                          : f32[5,3]
    %7 = add %count, 1                            : i64[]
    update %w = %6
    update %count = %7
    return loss = %3, y = %1)";

// The arrays of a run, which may consist of several calls.
class Session {
 public:
  Session(const Executable& program, const Bindings& bindings, int64_t batch, std::byte arena_filling = std::byte{0xFF})
      : program_(program), rows_(bindings.batch), arena_(size_t(std::max<int64_t>(program.arena_bytes(), 64))) {
    for (const Port& port : program.ports()) {
      if (port.kind == Port::Kind::kOutput) {
        buffers_.emplace_back(size_t(NumElements(port.type.shape, rows_) * SizeOf(port.type.dtype)));
      } else {
        const auto& from = port.kind == Port::Kind::kState ? bindings.states : bindings.inputs;
        const Literal& value = from.at(port.name);
        buffers_.emplace_back(value.bytes().size());
        buffers_.back().Fill(value.bytes());
      }
      arrays_.push_back(buffers_.back().data());
    }
    std::memset(arena_.data(), int(arena_filling), arena_.size());
    context.ports = arrays_.data();
    context.arena = arena_.data();
    context.batch = batch;
    context.rows = rows_;
  }

  // Makes one call on each thread. Returns the number of steps done.
  int64_t Enter(int64_t first_step, int64_t steps, int threads = 1) {
    context.first_step = first_step;
    context.steps = steps;
    context.threads = threads;
    std::vector<std::thread> workers;
    for (int t = 1; t < threads; ++t) workers.emplace_back([this, t] { program_.Enter(context, t); });
    program_.Enter(context, 0);
    for (std::thread& worker : workers) worker.join();
    return context.steps_done;
  }

  Literal Get(Port::Kind kind, const std::string& name) const {
    const int64_t port = program_.PortIndex(kind, name);
    const Type& type = program_.ports()[size_t(port)].type;
    Literal value(type.dtype, Resolve(type.shape, rows_));
    std::copy_n(buffers_[size_t(port)].data(), value.bytes().size(), value.mutable_bytes().begin());
    return value;
  }
  // Everything that the run has written.
  std::map<std::string, Literal> Written() const {
    std::map<std::string, Literal> all;
    for (const Port& port : program_.ports()) {
      if (port.written) all[port.name] = Get(port.kind, port.name);
    }
    return all;
  }

  RunContext context;

 private:
  const Executable& program_;
  const int64_t rows_;
  std::deque<GuardedBuffer> buffers_;
  GuardedBuffer arena_;
  std::vector<void*> arrays_;
};

constexpr int64_t kRows = 45, kBatch = 8, kSteps = 6;  // The last step has five rows.

Bindings TrainingBindings(const Graph& graph) {
  Bindings bindings = RandomBindings(graph, 5, kRows);
  bindings.inputs["rate"] = Literal::Scalar(0.001f);
  bindings.states["count"] = Literal::Scalar<int64_t>(0);
  return bindings;
}

// The data that step s of a run sees.
Bindings OfStep(const Bindings& all, int64_t step) {
  Bindings one = all;
  const int64_t first = step * kBatch;
  one.batch = std::min(kBatch, kRows - first);
  const auto order = all.inputs.at("order").values<int32_t>().subspan(size_t(first), size_t(one.batch));
  const auto bias = all.inputs.at("bias").values<float>().subspan(size_t(first), size_t(one.batch));
  one.inputs["order"] = Literal::Of({one.batch}, std::vector<int32_t>(order.begin(), order.end()));
  one.inputs["bias"] = Literal::Of({one.batch, 1}, std::vector<float>(bias.begin(), bias.end()));
  return one;
}

TEST(StepLoop, OneCallIsTheSameAsStepByStepAndAsTheEvaluator) {
  const Graph graph = ParseGraph(kTraining);
  ASSERT_OK_AND_ASSIGN(const Graph written_out, Differentiate(graph));
  ASSERT_OK_AND_ASSIGN(const Executable program, Compile(graph, {.row_capacity = kBatch}));
  const Bindings all = TrainingBindings(graph);
  Session run(program, all, kBatch);
  EXPECT_EQ(run.Enter(0, 1000), kSteps);
  Bindings now = all;
  for (int64_t step = 0; step < kSteps; ++step) {
    SCOPED_TRACE(step);
    const Bindings one = OfStep(now, step);
    ASSERT_OK_AND_ASSIGN(const Evaluation got, RunStep(program, one, 1));
    EXPECT_EQ(Compare(written_out, one, got).mismatch, "");
    for (const auto& [name, value] : got.states) now.states[name] = value;
    const size_t from = size_t(step * kBatch * 3);
    const auto y = run.Get(Port::Kind::kOutput, "y");
    const auto rows = y.values<float>().subspan(from, size_t(one.batch * 3));
    EXPECT_TRUE(got.outputs.at("y") == Literal::Of({one.batch, 3}, std::vector<float>(rows.begin(), rows.end())));
    if (step == kSteps - 1) {
      EXPECT_TRUE(got.outputs.at("loss") == run.Get(Port::Kind::kOutput, "loss"));
    }
  }
  for (const auto& [name, value] : now.states) EXPECT_TRUE(value == run.Get(Port::Kind::kState, name)) << name;
  EXPECT_EQ(now.states.at("count").values<int64_t>()[0], kSteps);
}

TEST(StepLoop, StartsAtAnyStepAndDoesNoMoreThanAsked) {
  const Graph graph = ParseGraph(kTraining);
  ASSERT_OK_AND_ASSIGN(const Executable program, Compile(graph, {.row_capacity = kBatch}));
  const Bindings all = TrainingBindings(graph);
  Session whole(program, all, kBatch), parts(program, all, kBatch);
  EXPECT_EQ(whole.Enter(0, kSteps), kSteps);
  EXPECT_EQ(parts.Enter(0, 2), 2);
  EXPECT_EQ(parts.Enter(2, 3), 3);
  EXPECT_EQ(parts.Enter(5, 100), 1);
  EXPECT_TRUE(whole.Written() == parts.Written());
  // Nothing is left to do, and nothing was requested: the count is that of this call.
  EXPECT_EQ(parts.Enter(6, 100), 0);
  EXPECT_EQ(parts.Enter(0, 0), 0);
  EXPECT_TRUE(whole.Written() == parts.Written());
}

TEST(StepLoop, ThreadsGiveTheSameBits) {
  const Graph graph = ParseGraph(kTraining);
  ASSERT_OK_AND_ASSIGN(const Executable program, Compile(graph, {.row_capacity = kBatch}));
  const Bindings all = TrainingBindings(graph);
  Session one(program, all, kBatch);
  one.Enter(0, kSteps);
  for (int threads = 2; threads <= 16; ++threads) {  // More than most machines' cores, and than there are rows.
    Session more(program, all, kBatch);
    EXPECT_EQ(more.Enter(0, kSteps, threads), kSteps);
    EXPECT_TRUE(one.Written() == more.Written()) << threads << " threads";
  }
}

TEST(StepLoop, YieldEndsTheRunAfterTheStep) {
  const Graph graph = ParseGraph(kTraining);
  ASSERT_OK_AND_ASSIGN(const Executable program, Compile(graph, {.row_capacity = kBatch}));
  const Bindings all = TrainingBindings(graph);
  Session whole(program, all, kBatch);
  whole.Enter(0, kSteps);
  for (const int threads : {1, 2, 4, 16}) {
    SCOPED_TRACE(fmt::format("{} threads", threads));
    Session run(program, all, kBatch);
    std::atomic<uint32_t> yield = 1;
    run.context.yield = &yield;
    for (int64_t step = 0; step < 3; ++step) {
      EXPECT_EQ(run.Enter(step, 100, threads), 1);
      EXPECT_EQ(run.Get(Port::Kind::kState, "count").values<int64_t>()[0], step + 1);
    }
    yield = 0;
    EXPECT_EQ(run.Enter(3, 100, threads), 3);
    EXPECT_TRUE(whole.Written() == run.Written());
  }
}

TEST(StepLoop, ALateThreadEndsOnlyRunsThatHeedLateness) {
  const Graph graph = ParseGraph(kTraining);
  ASSERT_OK_AND_ASSIGN(const Executable program, Compile(graph, {.row_capacity = kBatch}));
  for (const int threads : {1, 2}) {
    Session run(program, TrainingBindings(graph), kBatch);
    run.context.late = 1;
    EXPECT_EQ(run.Enter(0, 2, threads), 2);
    run.context.heeds_late = 1;
    EXPECT_EQ(run.Enter(2, 1000, threads), 1);
    // On a busy machine a thread may really be late, so two threads may need several runs.
    int64_t done = 3;
    for (int runs = 0; done < kSteps; ++runs) {
      ASSERT_LT(runs, threads == 1 ? 1 : kSteps);
      run.context.late = 0;
      done += run.Enter(done, 1000, threads);
    }
    EXPECT_EQ(done, kSteps);
  }
}

// Whenever the yield word is set, all threads leave after the same step: the number of steps done equals the state's
// counter.
TEST(StepLoop, YieldAtAnyTime) {
  const Graph graph = ParseGraph(R"(
    %x = input : f32[N]
    %count = state {kind = "counter"} : i64[]
    %0 = add %count, 1 : i64[]
    %1 = exp %x : f32[N]
    %2 = sum %1 {axes = [0]} : f32[]
    update %count = %0
    return y = %2)");
  ASSERT_OK_AND_ASSIGN(const Executable program, Compile(graph, {.row_capacity = 1}));
  constexpr int64_t kMany = 200'000;
  Bindings bindings = RandomBindings(graph, 1, kMany);
  bindings.states["count"] = Literal::Scalar<int64_t>(0);
  Session run(program, bindings, 1);
  int64_t done = 0;
  for (int round = 0; round < 5; ++round) {
    std::atomic<uint32_t> yield = 0;
    run.context.yield = &yield;
    std::thread host([&] {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      yield = 1;
    });
    done += run.Enter(done, kMany, 2);
    host.join();
    EXPECT_EQ(run.Get(Port::Kind::kState, "count").values<int64_t>()[0], done);
  }
}

// States that are swapped, or read by kernels that run after their update, carry the right values from step to step.
TEST(StepLoop, UpdatesReadWhatWasBefore) {
  const Graph graph = ParseGraph(R"(
    %x = input : f32[N]
    %a = state {kind = "weight"} : f32[40]
    %b = state {kind = "weight"} : f32[40]
    %c = state {kind = "weight"} : f32[40]
    %0 = sum %a {axes = [0]} : f32[]
    %1 = add %b, %0 : f32[40]
    %2 = sum %x {axes = [0]} : f32[]
    %3 = multiply %a, %2 : f32[40]
    %4 = add %c, %3 : f32[40]
    update %a = %b
    update %b = %1
    update %c = %4
    return y = %c, z = %0)");
  ASSERT_OK_AND_ASSIGN(const Executable program, Compile(graph, {.row_capacity = 4}));
  Bindings now = RandomBindings(graph, 2, 12);
  for (auto& [name, value] : now.states) {
    for (float& v : value.mutable_values<float>()) v = std::round(v * 4);
  }
  for (float& v : now.inputs["x"].mutable_values<float>()) v = 1;  // Small integers: every sum is exact.
  for (const int threads : {1, 2, 4, 16}) {
    Session run(program, now, 4);
    EXPECT_EQ(run.Enter(0, 3, threads), 3);
    Bindings step = now;
    step.batch = 4;
    step.inputs["x"] = Literal::Of<float>({4}, {1, 1, 1, 1});
    Evaluation want;
    for (int s = 0; s < 3; ++s) {
      ASSERT_OK_AND_ASSIGN(want, Evaluate(graph, step));
      for (const auto& [name, value] : want.states) step.states[name] = value;
    }
    for (const auto& [name, value] : want.states) EXPECT_TRUE(value == run.Get(Port::Kind::kState, name)) << name;
    for (const auto& [name, value] : want.outputs) EXPECT_TRUE(value == run.Get(Port::Kind::kOutput, name)) << name;
  }
}

TEST(StepLoop, NothingOfTheArenaLeaksIntoResults) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    const Graph graph = RandomGraph(seed, {.train = seed % 2 == 0});
    const int64_t batch = int64_t(seed % 7) + 1;
    ASSERT_OK_AND_ASSIGN(const Executable program, Compile(graph, {.row_capacity = batch + int64_t(seed % 3)}));
    const Bindings bindings = RandomBindings(graph, seed, batch);
    Session nan(program, bindings, batch, std::byte{0xFF}), zero(program, bindings, batch, std::byte{0}),
        huge(program, bindings, batch, std::byte{0x7E});
    for (Session* run : {&nan, &zero, &huge}) EXPECT_EQ(run->Enter(0, 1), 1);
    const auto same = [](const std::map<std::string, Literal>& a, const std::map<std::string, Literal>& b) {
      return a == b;
    };
    EXPECT_TRUE(same(nan.Written(), zero.Written()));
    EXPECT_TRUE(same(nan.Written(), huge.Written()));
  }
}

}  // namespace
}  // namespace fusebox::testing
