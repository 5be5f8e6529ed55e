// SPDX-License-Identifier: Apache-2.0
// Which programs share native code: counted in compilations, not in time.
#include "fusebox/runtime/execute/program_cache.h"

#include <cstdlib>
#include <limits>
#include <thread>
#include <vector>

#include "fusebox/compiler/program_key.h"
#include "fusebox/graph/text.h"
#include "fusebox/runtime/sequential.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

using ::testing::HasSubstr;

Graph Plain(const std::string& factor = "2.0", const std::string& name = "x") {
  return *Parse("%" + name + " = input : f32[N,4]\n%0 = multiply %" + name + ", " + factor +
                " : f32[N,4]\nreturn y = %0");
}

Graph WithState(const std::string& attributes) {
  return *Parse("%x = input : f32[N,4]\n%b = state {" + attributes +
                "} : f32[4]\n%0 = broadcast %b : f32[N,4]\n%1 = add %x, %0 : f32[N,4]\nreturn y = %1");
}

TEST(ProgramKey, LeavesOutWhatIsAnInputOfTheProgram) {
  EXPECT_EQ(*ProgramKey(WithState(R"(kind = "weight", initializer = "zeros")"), {}),
            *ProgramKey(WithState(R"(kind = "weight", initializer = "ones")"), {}));
  Graph named = Plain();
  named.metadata["optimizer"] = "sgd";
  named.mutable_node(1).source = "main.cc:3";
  EXPECT_EQ(*ProgramKey(named, {}), *ProgramKey(Plain(), {}));
}

TEST(ProgramKey, HasWhatTheCodeDependsOn) {
  const std::string plain = *ProgramKey(Plain(), {});
  EXPECT_EQ(*ProgramKey(Plain(), {}), plain);
  for (const char* factor : {"3.0", "2.0000000000000004", "-2.0", "0.0", "-0.0", "nan", "inf"}) {
    EXPECT_NE(*ProgramKey(Plain(factor), {}), plain) << factor;
  }
  EXPECT_NE(*ProgramKey(Plain("0.0"), {}), *ProgramKey(Plain("-0.0"), {}));
  EXPECT_NE(*ProgramKey(Plain("2.0", "z"), {}), plain);  // Arrays are bound by the ports' names.
  Graph scoped = Plain();
  scoped.mutable_node(2).scope = "dense";
  EXPECT_NE(*ProgramKey(scoped, {}), plain);  // Kernels are named after layers.
  EXPECT_NE(*ProgramKey(Plain(), {.row_capacity = 64}), plain);
  EXPECT_NE(*ProgramKey(Plain(), {.pack_from_bytes = 1}), plain);
  EXPECT_NE(*ProgramKey(Plain(), {.guard_bytes = 4096}), plain);
  EXPECT_NE(*ProgramKey(Plain(), {.skip = {"cse"}}), plain);
}

TEST(ProgramKey, TellsNansApart) {
  const auto with = [](double nan) {
    Graph graph = Plain();
    for (NodeId id = 1; id < graph.size(); ++id) {
      if (graph[id].op == Op::kConstant) graph.mutable_node(id).attributes.Set("value", nan);
    }
    return *ProgramKey(graph, {});
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(with(nan), with(nan));
  EXPECT_NE(with(nan), with(-nan));
}

TEST(ProgramKey, LooksIntoRegions) {
  const auto with = [](const std::string& factor) {
    return *ProgramKey(
        *Parse("%x = input : f32[N,4]\n%0 = call %x : f32[N,4] {\n%arg0 = input {name = \"0\"} : f32[N,4]\n"
               "%0 = multiply %arg0, " +
               factor + " : f32[N,4]\nreturn %0\n}\nreturn y = %0"),
        {});
  };
  EXPECT_EQ(with("2.0"), with("2.0"));
  EXPECT_NE(with("2.0"), with("3.0"));
}

TEST(ProgramKey, IsTheTargetsThatTheEnvironmentNames) {
  const char* const before = std::getenv("FUSEBOX_TARGET_CPU");
  const std::string kept = before != nullptr ? before : "";
  setenv("FUSEBOX_TARGET_CPU", "x86-64", 1);
  const std::optional<std::string> lowest = ProgramKey(Plain(), {});
  setenv("FUSEBOX_TARGET_CPU", "", 1);
  const std::optional<std::string> native = ProgramKey(Plain(), {});
  setenv("FUSEBOX_TARGET_CPU", kept.c_str(), 1);
  ASSERT_TRUE(native);
  EXPECT_NE(lowest, native);
  EXPECT_EQ(ProgramKey(Plain(), {.target_cpu = "native"}), native);
  if (lowest) EXPECT_EQ(ProgramKey(Plain(), {.target_cpu = "x86-64"}), lowest);
  EXPECT_EQ(ProgramKey(Plain(), {.target_cpu = "z80"}), std::nullopt);
}

TEST(ProgramKey, IsNoneOfAProgramOfOnesOwn) {
  EXPECT_EQ(ProgramKey(Plain(), {.link = false}), std::nullopt);
  EXPECT_EQ(ProgramKey(Plain(), {.cache = false}), std::nullopt);
  EXPECT_EQ(ProgramKey(Plain(), {.profile = true}), std::nullopt);
  EXPECT_EQ(ProgramKey(Plain(), {.dump = [](std::string_view, const std::string&) {}}), std::nullopt);
  EXPECT_EQ(ProgramKey(Plain(), {.schedule = [](const ProductShape&) { return std::nullopt; }}), std::nullopt);
}

TEST(ProgramCache, CompilesEqualProgramsOnce) {
  ProgramCache cache({});
  ASSERT_OK_AND_ASSIGN(const Executable first, cache.Get(Plain(), {}));
  ASSERT_OK_AND_ASSIGN(const Executable second, cache.Get(Plain(), {}));
  EXPECT_EQ(&first.report(), &second.report());
  ASSERT_OK(cache.Get(Plain("3.0"), {}));
  ASSERT_OK(cache.Get(Plain(), {.row_capacity = 7}));
  const ProgramCache::Statistics statistics = cache.statistics();
  EXPECT_EQ(statistics.compiled, 3);
  EXPECT_EQ(statistics.shared, 1);
  EXPECT_EQ(statistics.programs, 3U);
}

TEST(ProgramCache, KeepsThoseUsedLast) {
  ProgramCache cache({.programs = 2});
  ASSERT_OK_AND_ASSIGN(const Executable dropped, cache.Get(Plain("1.5"), {}));
  ASSERT_OK(cache.Get(Plain("2.5"), {}));
  ASSERT_OK(cache.Get(Plain("3.5"), {}));
  EXPECT_EQ(cache.statistics().programs, 2U);
  ASSERT_OK(cache.Get(Plain("2.5"), {}));
  EXPECT_EQ(cache.statistics().compiled, 3);
  ASSERT_OK(cache.Get(Plain("1.5"), {}));  // In place of 3.5.
  EXPECT_EQ(cache.statistics().compiled, 4);
  ASSERT_OK(cache.Get(Plain("2.5"), {}));
  EXPECT_EQ(cache.statistics().compiled, 4);
  EXPECT_EQ(dropped.ports().size(), 2U);  // What was dropped lives on with its users.
}

TEST(ProgramCache, IsBoundedInBytes) {
  ProgramCache cache({.key_bytes = 10});
  ASSERT_OK(cache.Get(Plain(), {}));
  EXPECT_EQ(cache.statistics().programs, 0U);
}

TEST(ProgramCache, KeepsNoError) {
  ProgramCache cache({});
  const CompileOptions wrong = {.row_capacity = 0};
  EXPECT_THAT(cache.Get(Plain(), wrong), StatusHasMessage(HasSubstr("row_capacity must be at least 1")));
  EXPECT_THAT(cache.Get(Plain(), {.target_cpu = "z80"}), StatusHasMessage(HasSubstr("target cpu 'z80'")));
  EXPECT_THAT(cache.Get(Plain(), wrong), StatusHasMessage(HasSubstr("row_capacity must be at least 1")));
  EXPECT_EQ(cache.statistics().programs, 0U);
  EXPECT_EQ(cache.statistics().compiled, 3);
}

TEST(ProgramCache, CompilesOnceForThreadsThatAskTogether) {
  ProgramCache cache({});
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&cache, i] { EXPECT_OK(cache.Get(Plain(i % 2 == 0 ? "4.5" : "5.5"), {})); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(cache.statistics().compiled, 2);
  EXPECT_EQ(cache.statistics().shared, 6);
}

// Models and the process's cache.
class SharedPrograms : public ::testing::Test {
 protected:
  SharedPrograms() : x_(DType::kF32, {40, 5}), y_(DType::kF32, {40, 3}) {
    ProgramCache::Global().Clear();
    for (size_t i = 0; i < 200; ++i) x_.mutable_values<float>()[i] = float(i * 7 % 13) / 13 - 0.5F;
    for (size_t i = 0; i < 120; ++i) y_.mutable_values<float>()[i] = float(i * 5 % 11) / 11;
  }

  static Sequential Regressor(const char* optimizer, int64_t units = 4, const char* layer = "hidden") {
    Sequential model({Dense(units, "tanh", {.name = layer, .input_shape = {5}}), Dense(3)}, {.seed = 1});
    EXPECT_OK(model.Compile({.optimizer = optimizer, .loss = "mean_squared_error"}));
    return model;
  }
  void Fit(Model& model, int64_t batch_size = 16) {
    EXPECT_OK(model.Fit(x_, y_, {.epochs = 2, .batch_size = batch_size, .validation_split = 0.2, .verbose = 0}));
  }
  // How many programs were compiled meanwhile.
  template <class Work>
  static int64_t Compiled(Work work) {
    const int64_t before = ProgramCache::Global().statistics().compiled;
    work();
    return ProgramCache::Global().statistics().compiled - before;
  }
  static std::vector<float> Weights(Model& model) {
    std::vector<float> all;
    const auto weights = *model.GetWeights();
    for (const Tensor& w : weights) all.insert(all.end(), w.values<float>().begin(), w.values<float>().end());
    return all;
  }

  Tensor x_, y_;
};

TEST_F(SharedPrograms, AnotherLearningRateCompilesNothing) {
  Sequential model = Regressor("adam:learning_rate=0.1");
  EXPECT_EQ(Compiled([&] { Fit(model); }), 2);  // Training and evaluation.
  const std::vector<Tensor> weights = *model.GetWeights();
  EXPECT_EQ(Compiled([&] {
              EXPECT_OK(model.Compile({.optimizer = "adam:learning_rate=0.3", .loss = "mean_squared_error"}));
              Fit(model);
            }),
            0);
  const std::vector<float> shared = Weights(model);
  // The shared program does what one of its own does.
  ProgramCache::Global().Clear();
  Sequential alone = Regressor("adam:learning_rate=0.3");
  ASSERT_OK(alone.SetWeights(weights));
  EXPECT_EQ(Compiled([&] { Fit(alone); }), 2);
  EXPECT_EQ(shared, Weights(alone));
}

TEST_F(SharedPrograms, AModelOfTheSameShapeCompilesNothing) {
  Sequential first = Regressor("sgd:learning_rate=0.1"), second = Regressor("sgd:learning_rate=0.2");
  Fit(first);
  EXPECT_EQ(Compiled([&] { Fit(second); }), 0);
  EXPECT_NE(Weights(first), Weights(second));
  // Both go on with the same code, each with its own arrays.
  const std::vector<float> before = Weights(second);
  EXPECT_EQ(Compiled([&] { Fit(first); }), 0);
  EXPECT_EQ(Weights(second), before);
}

TEST_F(SharedPrograms, WhatIsAnotherProgramIsCompiled) {
  Sequential model = Regressor("sgd");
  Fit(model);
  EXPECT_EQ(Compiled([&] { Fit(model, 8); }), 2);  // For another batch.
  Sequential wider = Regressor("sgd", 6), renamed = Regressor("sgd", 4, "other"), other = Regressor("rmsprop");
  EXPECT_EQ(Compiled([&] { Fit(wider); }), 2);
  EXPECT_EQ(Compiled([&] { Fit(renamed); }), 2);
  EXPECT_EQ(Compiled([&] { Fit(other); }), 1);  // The evaluation knows nothing of the optimizer.
}

TEST_F(SharedPrograms, ABatchUsesTheProgramOfFit) {
  Sequential model = Regressor("sgd"), second = Regressor("sgd");
  Fit(model);
  const Tensor x = x_.Rows(0, 16), y = y_.Rows(0, 16);
  EXPECT_EQ(Compiled([&] {
              EXPECT_OK(model.TrainOnBatch(x, y));
              EXPECT_OK(model.TestOnBatch(x, y));
              EXPECT_OK(second.TrainOnBatch(x, y));
              EXPECT_OK(second.Evaluate(x_, y_, {.batch_size = 16}));
            }),
            0);
}

TEST_F(SharedPrograms, ModelsAtTheSameTimeShareOneProgram) {
  std::vector<std::vector<float>> weights(4);
  EXPECT_EQ(Compiled([&] {
              std::vector<std::thread> users;
              for (size_t user = 0; user < weights.size(); ++user) {
                users.emplace_back([this, &weights, user] {
                  Sequential model = Regressor("sgd:learning_rate=0.1");
                  Fit(model);
                  weights[user] = Weights(model);
                });
              }
              for (std::thread& user : users) user.join();
            }),
            2);
  for (const std::vector<float>& one : weights) EXPECT_EQ(one, weights[0]);
}

}  // namespace
}  // namespace fusebox::testing
