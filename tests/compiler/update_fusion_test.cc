// SPDX-License-Identifier: Apache-2.0
// Whole training steps: the gradient of each weight, the work of the optimizer and the penalties on it, and their
// states form one kernel, the product of the gradient. Operations after a forward product are in that product's kernel.
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "fusebox/compiler/fuse/fuse.h"
#include "fusebox/compiler/passes/differentiate.h"
#include "fusebox/compiler/passes/pipeline.h"
#include "fusebox/compiler/plan/plan.h"
#include "gtest/gtest.h"
#include "tests/compiler/fuse_all.h"
#include "tests/compiler/run_jit.h"
#include "tests/support/compare.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

// Writes a program line by line.
class Text {
 public:
  template <class... Args>
  std::string Node(fmt::format_string<Args...> node, Args&&... args) {
    const std::string name = fmt::format("%{}", next_++);
    nodes_ += fmt::format("{} = {}\n", name, fmt::format(node, std::forward<Args>(args)...));
    return name;
  }
  std::string State(const std::string& name, const char* kind, const std::string& type) {
    nodes_ += fmt::format("%{} = state {{kind = \"{}\"}} : {}\n", name, kind, type);
    return "%" + name;
  }
  std::string Input(const std::string& name, const std::string& type) {
    nodes_ += fmt::format("%{} = input : {}\n", name, type);
    return "%" + name;
  }
  void Update(const std::string& state, const std::string& value) {
    results_ += fmt::format("update {} = {}\n", state, value);
  }
  void Return(const std::string& value) { results_ += fmt::format("return {} = {}\n", value.substr(1), value); }
  Graph Build(const std::string& loss) const { return ParseGraph(nodes_ + results_ + "return loss = " + loss + "\n"); }

 private:
  std::string nodes_, results_;
  int next_ = 0;
};

// A variable's update: writes the update of `w`, and returns nothing.
using Rule = void (*)(Text& t, const std::string& w, const std::string& type, std::string g);

void Descent(Text& t, const std::string& w, const std::string& type, std::string g) {
  t.Update(w, t.Node("subtract {}, {} : {}", w, t.Node("multiply %rate, {} : {}", g, type), type));
}

void Momentum(Text& t, const std::string& w, const std::string& type, std::string g) {
  const std::string m = t.State(w.substr(1) + "_velocity", "slot", type);
  const std::string step = t.Node("multiply %rate, {} : {}", g, type);
  const std::string next = t.Node("subtract {}, {} : {}", t.Node("multiply %momentum, {} : {}", m, type), step, type);
  t.Update(m, next);
  t.Update(w, t.Node("add {}, {} : {}", w, next, type));
}

// w + mu m' - rate g.
void Nesterov(Text& t, const std::string& w, const std::string& type, std::string g) {
  const std::string m = t.State(w.substr(1) + "_velocity", "slot", type);
  const std::string step = t.Node("multiply %rate, {} : {}", g, type);
  const std::string next = t.Node("subtract {}, {} : {}", t.Node("multiply %momentum, {} : {}", m, type), step, type);
  t.Update(m, next);
  const std::string ahead =
      t.Node("subtract {}, {} : {}", t.Node("multiply %momentum, {} : {}", next, type), step, type);
  t.Update(w, t.Node("add {}, {} : {}", w, ahead, type));
}

// Kingma and Ba (2015), Adam: the form before section 2.1, with the bias correction in the step size.
void Adam(Text& t, const std::string& w, const std::string& type, std::string g) {
  const std::string m = t.State(w.substr(1) + "_m", "slot", type), v = t.State(w.substr(1) + "_v", "slot", type);
  const auto moving = [&](const std::string& old, const std::string& now, const char* rate) {
    return t.Node("add {}, {} : {}", old,
                  t.Node("multiply {}, {} : {}", t.Node("subtract {}, {} : {}", now, old, type), rate, type), type);
  };
  const std::string new_m = moving(m, g, "0.1");
  const std::string new_v = moving(v, t.Node("multiply {0}, {0} : {1}", g, type), "0.001");
  t.Update(m, new_m);
  t.Update(v, new_v);
  const std::string steps = t.Node("cast {} : f32[]", t.Node("add %step, 1 : i64[]"));
  const auto correction = [&](const char* log_beta) {
    return t.Node("subtract %one, {} : f32[]",
                  t.Node("exp {} : f32[]", t.Node("multiply {}, {} : f32[]", steps, log_beta)));
  };
  const std::string up = t.Node("sqrt {} : f32[]", correction("-0.0010005"));
  const std::string rate =
      t.Node("multiply %rate, {} : f32[]", t.Node("divide {}, {} : f32[]", up, correction("-0.1053605")));
  // v|: random tests use negative numbers here, which Adam's slot never has.
  const std::string root = t.Node("sqrt {} : {}", t.Node("abs {} : {}", new_v, type), type);
  const std::string by = t.Node("divide {}, {} : {}", t.Node("multiply {}, {} : {}", rate, new_m, type),
                                t.Node("add {}, 1e-2 : {}", root, type), type);
  t.Update(w, t.Node("subtract {}, {} : {}", w, by, type));
}

// Decoupled: w - rate decay w first, as in Loshchilov and Hutter (2019).
void AdamW(Text& t, const std::string& w, const std::string& type, std::string g) {
  const std::string rate = t.Node("multiply %rate, 0.004 : f32[]");
  Momentum(t, w, type, t.Node("add {}, {} : {}", g, t.Node("multiply {}, {} : {}", rate, w, type), type));
}

// The gradient of a penalty of 0.01 |w|^2 and 0.02 |w|.
void Penalties(Text& t, const std::string& w, const std::string& type, std::string g) {
  g = t.Node("add {}, {} : {}", g, t.Node("multiply {}, 0.02 : {}", w, type), type);
  g = t.Node("add {}, {} : {}", g, t.Node("multiply {}, 0.02 : {}", t.Node("sign {} : {}", w, type), type), type);
  Adam(t, w, type, g);
}

// A penalty of only 0.02 |w|.
void Lasso(Text& t, const std::string& w, const std::string& type, std::string g) {
  const std::string sign = t.Node("multiply {}, 0.02 : {}", t.Node("sign {} : {}", w, type), type);
  Descent(t, w, type, t.Node("add {}, {} : {}", g, sign, type));
}

// Bounds every element of the gradient, and of the weights after the step: clip_by_value and the constraint NonNeg.
void Bounds(Text& t, const std::string& w, const std::string& type, std::string g) {
  g = t.Node("min {}, 0.5 : {}", t.Node("max {}, -0.5 : {}", g, type), type);
  const std::string next = t.Node("subtract {}, {} : {}", w, t.Node("multiply %rate, {} : {}", g, type), type);
  t.Update(w, t.Node("max {}, 0 : {}", next, type));
}

constexpr int64_t kWidths[] = {37, 64, 20};

// 37 - 64 - 20, relu between, squared error. The weights of the first layer exceed 8 KiB.
Graph Training(Rule rule) {
  Text t;
  t.Input("x", "f32[N,37]");
  t.Input("t", "f32[N,20]");
  for (const char* scalar : {"rate", "momentum", "one"}) t.State(scalar, "scalar", "f32[]");
  t.State("step", "counter", "i64[]");
  std::string h = "%x";
  std::vector<std::pair<std::string, std::string>> variables;
  for (int i = 0; i < 2; ++i) {
    const std::string w =
        t.State(fmt::format("w{}", i), "weight", fmt::format("f32[{},{}]", kWidths[i], kWidths[i + 1]));
    const std::string b = t.State(fmt::format("b{}", i), "weight", fmt::format("f32[{}]", kWidths[i + 1]));
    variables.emplace_back(w, fmt::format("f32[{},{}]", kWidths[i], kWidths[i + 1]));
    variables.emplace_back(b, fmt::format("f32[{}]", kWidths[i + 1]));
    const std::string type = fmt::format("f32[N,{}]", kWidths[i + 1]);
    h = t.Node("add {}, {} : {}", t.Node("matmul {}, {} : {}", h, w, type), b, type);
    if (i == 0) h = t.Node("max {}, 0 : {}", h, type);
  }
  const std::string e = t.Node("subtract {}, %t : f32[N,20]", h);
  const std::string square = t.Node("multiply {0}, {0} : f32[N,20]", e);
  const std::string loss = t.Node("sum {} {{axes = [0, 1]}} : f32[]", square);
  for (const auto& [variable, type] : variables) {
    rule(t, variable, type, t.Node("gradient {}, {} : {}", loss, variable, type));
  }
  t.Update("%step", t.Node("add %step, 1 : i64[]"));
  return t.Build(loss);
}

const Kernel* MakerOf(const FusedProgram& program, NodeId value) {
  for (const Kernel& kernel : program.kernels) {
    if (std::ranges::find(kernel.stored, StorageOf(program.graph, value)) != kernel.stored.end()) return &kernel;
  }
  return nullptr;
}

// Values equal the evaluator's, with equal bits for any layout of states and any number of threads.
void ExpectRight(const Graph& graph) {
  ASSERT_OK_AND_ASSIGN(const Graph reference, Differentiate(graph));
  std::map<int64_t, Evaluation> first;
  for (const int64_t pack_from_bytes : {int64_t{0}, int64_t{1} << 40}) {
    ASSERT_OK_AND_ASSIGN(
        const Executable program,
        Compile(graph, {.row_capacity = 33, .pack_from_bytes = pack_from_bytes, .guard_bytes = sysconf(_SC_PAGESIZE)}));
    for (const int64_t batch : {1, 7, 33}) {
      const Bindings bindings = RandomBindings(graph, uint64_t(batch), batch);
      for (const int threads : {1, 3}) {
        SCOPED_TRACE(fmt::format("batch {}, packed from {}, {} threads", batch, pack_from_bytes, threads));
        ASSERT_OK_AND_ASSIGN(const Evaluation got, RunStep(program, bindings, threads));
        EXPECT_EQ(Compare(reference, bindings, got).mismatch, "");
        const Evaluation& expected = first.emplace(batch, got).first->second;
        EXPECT_TRUE(expected.states == got.states && expected.outputs == got.outputs) << "other bits";
      }
    }
  }
}

struct NamedRule {
  const char* name;
  Rule write;
};

class UpdateFusion : public ::testing::TestWithParam<NamedRule> {};

TEST_P(UpdateFusion, AWeightAndItsSlotsAreUpdatedWhereItsGradientIsMade) {
  const Graph graph = Training(GetParam().write);
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(graph));
  const Graph& g = program.graph;
  for (const auto& [state, value] : g.updates()) {
    const std::string& name = g[state].attributes.String("name");
    if (g[state].type.rank() == 0) continue;
    SCOPED_TRACE(name);
    const Kernel* kernel = MakerOf(program, value);
    ASSERT_NE(kernel, nullptr);
    EXPECT_EQ(kernel->kind, name[0] == 'w' ? KernelKind::kMatMul : KernelKind::kColumns) << Print(program);
    for (const NodeId id : kernel->stored) {
      // Only new values of states are stored; the gradient in particular is not.
      const bool is_update =
          std::ranges::any_of(g.updates(), [&](const auto& u) { return StorageOf(g, u.value) == id; });
      EXPECT_TRUE(is_update) << "%" << id << "\n" << Print(program);
    }
    // A weight and its slots share one kernel.
    for (const auto& other : g.updates()) {
      if (g[other.state].attributes.String("name").starts_with(name.substr(0, 2) + "_")) {
        EXPECT_EQ(MakerOf(program, other.value), kernel);
      }
    }
  }
  for (const int64_t pack_from_bytes : {0, 1 << 30}) {
    const Plan plan = MakePlan(program, {.row_capacity = 33, .pack_from_bytes = pack_from_bytes});
    EXPECT_TRUE(plan.copies.empty()) << PrintMemory(program, plan);
  }
  ExpectRight(graph);
}

INSTANTIATE_TEST_SUITE_P(Rules, UpdateFusion,
                         ::testing::Values(NamedRule{"Descent", Descent}, NamedRule{"Momentum", Momentum},
                                           NamedRule{"Nesterov", Nesterov}, NamedRule{"Adam", Adam},
                                           NamedRule{"AdamW", AdamW}, NamedRule{"Penalties", Penalties},
                                           NamedRule{"Lasso", Lasso}, NamedRule{"Bounds", Bounds}),
                         [](const auto& one) { return std::string(one.param.name); });

// Slots have the layout of their weight.
TEST(FusedUpdates, SlotsArePackedWithTheirWeight) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(Training(Adam)));
  const Plan plan = MakePlan(program, {.row_capacity = 33, .pack_from_bytes = 8 * 1024});
  std::set<std::string> packed;
  for (const auto& p : plan.packed) packed.insert(program.graph[p.state].attributes.String("name"));
  EXPECT_EQ(packed, (std::set<std::string>{"w0", "w0_m", "w0_v"}));
}

// x + dropout(relu(x w + b)): one kernel forward, and the mask is not stored.
TEST(FusedUpdates, ResidualsAndDropoutJoinTheForwardProduct) {
  const Graph graph = ParseGraph(R"(
    %x = input : f32[N,40]
    %w = state {kind = "weight"} : f32[40,40]
    %b = state {kind = "weight"} : f32[40]
    %seed = state {kind = "scalar"} : i64[]
    %step = state {kind = "counter"} : i64[]
    %0 = matmul %x, %w : f32[N,40]
    %1 = add %0, %b : f32[N,40]
    %2 = max %1, 0 : f32[N,40]
    %3 = random_uniform %seed, %step {stream = 1} : f32[N,40]
    %4 = less 0.25, %3 : bool[N,40]
    %5 = multiply %2, 1.25 : f32[N,40]
    %6 = constant 0 : f32[]
    %7 = select %4, %5, %6 : f32[N,40]
    %8 = add %x, %7 : f32[N,40]
    %9 = matmul %8, %w : f32[N,40]
    %10 = multiply %9, %9 : f32[N,40]
    %11 = sum %10 {axes = [0, 1]} : f32[]
    %12 = gradient %11, %w : f32[40,40]
    %13 = gradient %11, %b : f32[40]
    %14 = multiply %12, 0.001 : f32[40,40]
    %15 = subtract %w, %14 : f32[40,40]
    %16 = multiply %13, 0.001 : f32[40]
    %17 = subtract %b, %16 : f32[40]
    update %w = %15
    update %b = %17
    return loss = %11)");
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(graph));
  const auto forward = std::ranges::find_if(program.kernels, [&](const Kernel& kernel) {
    return std::ranges::any_of(kernel.members, [&](NodeId id) { return program.graph[id].op == Op::kRandomUniform; });
  });
  ASSERT_NE(forward, program.kernels.end());
  EXPECT_EQ(forward->kind, KernelKind::kMatMul) << Print(program);
  for (const Kernel& kernel : program.kernels) {
    for (const NodeId id : kernel.stored) {
      EXPECT_NE(program.graph[id].op, Op::kRandomUniform) << Print(program);
      EXPECT_NE(program.graph[id].type.dtype, DType::kBool) << Print(program);
    }
  }
  ExpectRight(graph);
}

}  // namespace
}  // namespace fusebox::testing
