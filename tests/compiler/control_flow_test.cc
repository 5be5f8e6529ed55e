// SPDX-License-Identifier: Apache-2.0
// Compiled branches and loops: values equal to the evaluator's, equal bits for any number of threads, gradients equal
// to finite differences, and loops compiled as loops.
#include <cmath>
#include <functional>

#include "fusebox/compiler/passes/differentiate.h"
#include "fusebox/graph/builder.h"
#include "fusebox/graph/control.h"
#include "fusebox/graph/ops.h"
#include "fusebox/graph/text.h"
#include "gtest/gtest.h"
#include "tests/compiler/run_jit.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

using ::testing::HasSubstr;

struct Case {
  const char* name;
  std::function<void(GraphBuilder& b, DType real)> write;  // Writes a scalar output "loss", and anything else.
  bool differentiable = true;
};

Type Of(DType dtype, const Shape& shape) { return {dtype, shape}; }

Value Weight(GraphBuilder& b, const char* name, DType real, Shape shape) {
  return b.State(name, FB_WEIGHT, Of(real, std::move(shape)), "zeros", true);
}

void OutputLoss(GraphBuilder& b, Value y) {
  Dims axes(size_t(y.rank()));
  for (size_t i = 0; i < axes.size(); ++i) axes[i] = int64_t(i);
  b.Output("loss", axes.empty() ? y : Sum(y * y, axes));
}

// A recurrent layer: h = tanh(x W + h U + b) over `length` steps of [length, N, 5].
void WriteRecurrent(GraphBuilder& b, DType real, int64_t length, bool reverse) {
  const Value xs = b.Input("xs", Of(real, {length, kBatch, 5})), h0 = b.Input("h0", Of(real, {kBatch, 20}));
  const Value w = Weight(b, "w", real, {5, 20}), u = Weight(b, "u", real, {20, 20}), bias = Weight(b, "b", real, {20});
  const auto [carry, y] = Scan(
      [&](const Values& c, const Values& x) -> Scanned {
        const Value h = Tanh((MatMul(x[0], w) + MatMul(c[0], u) + bias) * 0.2);
        return {{h}, {h}};
      },
      {h0}, {xs}, {.reverse = reverse});
  b.Output("last", carry[0]);
  b.Output("all", y[0]);
  OutputLoss(b, Concatenate(y[0], Reshape(carry[0], {1, kBatch, 20}), 0));
}

std::vector<Case> Cases() {
  return {
      {"recurrent", [](GraphBuilder& b, DType real) { WriteRecurrent(b, real, 4, false); }},
      {"recurrent_odd", [](GraphBuilder& b, DType real) { WriteRecurrent(b, real, 5, false); }},
      {"recurrent_once", [](GraphBuilder& b, DType real) { WriteRecurrent(b, real, 1, false); }},
      {"recurrent_reverse", [](GraphBuilder& b, DType real) { WriteRecurrent(b, real, 3, true); }},
      {"over_the_batch",
       [](GraphBuilder& b, DType real) {
         const Value xs = b.Input("xs", Of(real, {kBatch, 7})), w = Weight(b, "w", real, {7});
         const auto [carry, y] = Scan(
             [&](const Values& c, const Values& x) -> Scanned {
               const Value next = c[0] * 0.5 + x[0] * w;
               return {{next}, {Sum(next, {0})}};
             },
             {w}, {xs});
         b.Output("last", carry[0]);
         OutputLoss(b, y[0]);
       }},
      // The carry is not read, nor is one of the two kept values.
      {"carry_is_private",
       [](GraphBuilder& b, DType real) {
         const Value xs = b.Input("xs", Of(real, {6, 3}));
         const auto [carry, y] = Scan(
             [&](const Values& c, const Values& x) -> Scanned {
               const Value sum = c[0] + x[0];
               return {{sum}, {Exp(sum * 0.1), sum}};
             },
             {Slice(xs, 0, 0, 1) * 0.0 + 1.0}, {Reshape(xs, {6, 1, 3})});
         OutputLoss(b, y[0]);
       }},
      // The first carry passes unchanged, the others swap places: no value has memory of its own in the body.
      {"carries_change_places",
       [](GraphBuilder& b, DType real) {
         const Value x = b.Input("x", Of(real, {kBatch, 3})), w = Weight(b, "w", real, {3});
         const auto [carry, y] =
             Scan([&](const Values& c, const Values&) -> Scanned { return {{c[0], c[2], c[1]}, {c[1]}}; },
                  {x, x * w, x + w}, {}, {.length = 5});
         b.Output("first", carry[0]);
         OutputLoss(b, carry[1] * 2.0 + carry[2] * carry[0]);
         b.Output("kept", y[0]);
       }},
      {"integers_carried",
       [](GraphBuilder& b, DType real) {
         const Value x = b.Input("x", Of(real, {kBatch})), k = b.Input("k", Of(DType::kI32, {}));
         const auto [carry, y] = Scan(
             [&](const Values& c, const Values&) -> Scanned {
               return {{c[0] + 1.0, c[1] * Cast(c[0], uint32_t(real)) * 0.3}, {c[0]}};
             },
             {k, x}, {}, {.length = 3});
         b.Output("k", carry[0]);
         b.Output("ks", y[0]);
         OutputLoss(b, carry[1]);
       }},
      {"cond_true",
       [](GraphBuilder& b, DType real) {
         const Value x = b.Input("x", Of(real, {kBatch, 4})), w = Weight(b, "w", real, {4, 4});
         const Value size = Sum(x * x, {0, 1});
         const Values y =
             Cond(Greater(size, 0), [&] { return Values{Tanh(MatMul(x, w)), x}; }, [&] { return Values{x * 3.0, x}; });
         OutputLoss(b, y[0] + y[1]);
       }},
      {"cond_false",
       [](GraphBuilder& b, DType real) {
         const Value x = b.Input("x", Of(real, {kBatch, 4})), w = Weight(b, "w", real, {4, 4});
         const Value size = Sum(x * x, {0, 1});
         OutputLoss(b, Cond(Less(size, 0), [&] { return MatMul(x, w); }, [&] { return x * 3.0; }));
       }},
      {"cond_in_scan",
       [](GraphBuilder& b, DType real) {
         const Value xs = b.Input("xs", Of(real, {6, kBatch})), w = Weight(b, "w", real, {});
         const auto [carry, y] = Scan(
             [&](const Values& c, const Values& x) -> Scanned {
               const Value big = Greater(Sum(Abs(c[0]), {0}), 3);
               const Value next = Cond(big, [&] { return c[0] * 0.3 * w; }, [&] { return c[0] + x[0]; });
               return {{next}, {}};
             },
             {Reshape(Slice(xs, 0, 0, 1), {kBatch})}, {xs});
         OutputLoss(b, carry[0]);
       }},
      {"scan_in_scan",
       [](GraphBuilder& b, DType real) {
         const Value xs = b.Input("xs", Of(real, {3, 4, kBatch})), w = Weight(b, "w", real, {});
         const auto [carry, y] = Scan(
             [&](const Values& c, const Values& x) -> Scanned {
               const Scanned inner = Scan(
                   [&](const Values& d, const Values& z) -> Scanned {
                     const Value next = Tanh(d[0] * w + z[0] * 0.5);
                     return {{next}, {next * c[0]}};
                   },
                   {c[0]}, {x[0]});
               return {{inner.carry[0]}, {Sum(inner.y[0], {0})}};
             },
             {Reshape(Slice(Reshape(xs, {12, kBatch}), 0, 0, 1), {kBatch})}, {xs});
         OutputLoss(b, y[0]);
       }},
      {"while",
       [](GraphBuilder& b, DType real) {
         const Value x = b.Input("x", Of(real, {kBatch, 33})), t = b.Input("t", Of(real, {}));
         const Values last = While([&](const Values& v) { return Less(v[1], Abs(t) * 0.0 + 4.0); },
                                   [&](const Values& v) { return Values{v[0] * 1.5 + 1.0, v[1] + 1.0}; }, {x, t * 0.0});
         b.Output("times", last[1]);
         OutputLoss(b, last[0]);
       },
       false},
      {"while_never",
       [](GraphBuilder& b, DType real) {
         const Value x = b.Input("x", Of(real, {kBatch, 3}));
         const Values last = While([&](const Values& v) { return Less(Sum(v[0] * v[0], {0, 1}), 0); },
                                   [&](const Values& v) { return Values{v[0] * 1.5}; }, {x});
         OutputLoss(b, last[0]);
       },
       false},
      {"while_with_a_limit",
       [](GraphBuilder& b, DType real) {
         const Value x = b.Input("x", Of(real, {kBatch, 3}));
         const Values last = While([&](const Values& v) { return LessEqual(Sum(v[0], {0, 1}) * 0.0, 0); },
                                   [&](const Values& v) { return Values{v[0] + 1.0}; }, {x}, {.maximum_iterations = 3});
         OutputLoss(b, last[0]);
       },
       false},
  };
}

Graph Write(const Case& c, DType real) {
  GraphBuilder b;
  c.write(b, real);
  EXPECT_OK(b.status()) << c.name;
  return std::move(b).Take();
}

// Adds gradients of the loss by all float inputs and states, as outputs "d x".
Graph WithGradients(const Graph& graph) {
  GraphBuilder b(graph);
  const auto loss = std::ranges::find(graph.outputs(), "loss", &Graph::Output::name)->value;
  const std::vector<bool> needed = Reachable(graph);
  for (NodeId id = 1; id < graph.size(); ++id) {
    const Node& node = graph[id];
    if (!needed[id] || !IsFloat(node.type.dtype) || (node.op != Op::kInput && node.op != Op::kState)) continue;
    b.Output("d " + node.attributes.String("name"), Gradient(b.Wrap(loss), b.Wrap(id)));
  }
  EXPECT_OK(b.status());
  return std::move(b).Take();
}

void ExpectNear(const Evaluation& expected, const Evaluation& got, double tolerance, const std::string& what) {
  ASSERT_EQ(expected.outputs.size(), got.outputs.size());
  for (const auto& [name, value] : expected.outputs) {
    const std::vector<double> want = value.ToDoubles(), have = got.outputs.at(name).ToDoubles();
    ASSERT_EQ(want.size(), have.size());
    for (size_t i = 0; i < want.size(); ++i) {
      ASSERT_NEAR(want[i], have[i], tolerance * (1 + std::abs(want[i]))) << what << ": " << name << "[" << i << "]";
    }
  }
}

TEST(ControlFlow, CompiledAsTheEvaluatorSaysForAnyNumberOfThreads) {
  int64_t guard_bytes = 0;
  for (const Case& c : Cases()) {
    const Graph declared = Write(c, DType::kF32);
    const Graph graph = c.differentiable ? WithGradients(declared) : declared;
    ASSERT_OK_AND_ASSIGN(const Graph plain, Differentiate(graph));
    guard_bytes = guard_bytes == 0 ? 4096 : 0;
    ASSERT_OK_AND_ASSIGN(const Executable program, Compile(graph, {.row_capacity = 20, .guard_bytes = guard_bytes}));
    for (const int64_t batch : {1, 3, 17}) {
      SCOPED_TRACE(fmt::format("{}, {} rows", c.name, batch));
      const Bindings bindings = RandomBindings(graph, uint64_t(batch), batch);
      ASSERT_OK_AND_ASSIGN(const Evaluation expected, Evaluate(plain, bindings));
      ASSERT_OK_AND_ASSIGN(const Evaluation one, RunStep(program, bindings, 1));
      ExpectNear(expected, one, 2e-5, Print(plain));
      for (const int threads : {2, 4, 16}) {
        ASSERT_OK_AND_ASSIGN(const Evaluation more, RunStep(program, bindings, threads));
        EXPECT_TRUE(one.outputs == more.outputs) << threads << " threads";
      }
    }
  }
}

TEST(ControlFlow, GradientsAreThoseOfFiniteDifferences) {
  constexpr double kStep = 1e-6;
  for (const Case& c : Cases()) {
    if (!c.differentiable) continue;
    const Graph declared = Write(c, DType::kF64);
    ASSERT_OK_AND_ASSIGN(const Graph graph, Differentiate(WithGradients(declared)));
    const Bindings bindings = RandomBindings(graph, 3, 2);
    ASSERT_OK_AND_ASSIGN(const Evaluation analytic, Evaluate(graph, bindings));
    const auto loss = [&](const Bindings& moved) {
      const absl::StatusOr<Evaluation> values = Evaluate(declared, moved);
      EXPECT_OK(values);
      return values->outputs.at("loss").values<double>()[0];
    };
    for (const auto& [name, value] : analytic.outputs) {
      if (name.substr(0, 2) != "d ") continue;
      const std::string of = name.substr(2);
      const bool is_input = bindings.inputs.contains(of);
      for (int64_t i = 0; i < value.size(); i += std::max<int64_t>(value.size() / 7, 1)) {
        Bindings more = bindings, less = bindings;
        (is_input ? more.inputs : more.states).at(of).mutable_values<double>()[size_t(i)] += kStep;
        (is_input ? less.inputs : less.states).at(of).mutable_values<double>()[size_t(i)] -= kStep;
        const double numeric = (loss(more) - loss(less)) / (2 * kStep), got = value.values<double>()[size_t(i)];
        ASSERT_NEAR(got, numeric, 1e-5 * (1 + std::abs(numeric))) << c.name << ": " << name << "[" << i << "]";
      }
    }
  }
}

// A loop is compiled once, however often it runs.
TEST(ControlFlow, ALoopIsALoop) {
  const auto report = [](int64_t length) {
    GraphBuilder b;
    WriteRecurrent(b, DType::kF32, length, false);
    const absl::StatusOr<Executable> program = Compile(WithGradients(std::move(b).Take()), {.row_capacity = 4});
    EXPECT_OK(program);
    return program->report();
  };
  const CompileReport some = report(3), many = report(300);
  EXPECT_EQ(some.ir_instructions, many.ir_instructions);
  EXPECT_EQ(some.kernels.size(), many.kernels.size());
  EXPECT_GT(many.barriers, some.barriers * 50);
}

TEST(ControlFlow, AWhileHasNoGradient) {
  GraphBuilder b;
  const Value x = b.Input("x", Of(DType::kF32, {}));
  const GraphBuilder::Scope scope(b, "newton");
  const Values last =
      While([](const Values& v) { return Less(v[0], 9); }, [](const Values& v) { return Values{v[0] * 2.0}; }, {x});
  b.Output("d", Gradient(last[0], x));
  EXPECT_THAT(Compile(std::move(b).Take()),
              StatusHasMessage(HasSubstr("differentiate: a while in newton is on the way to the loss, and has no "
                                         "gradient, as the number of its iterations is unknown; a scan has one")));
}

// Steps of a training loop, in which a scan's weights are changed in place.
TEST(ControlFlow, AStateThatALoopReadsIsUpdatedAfterIt) {
  GraphBuilder b;
  const Value x = b.Input("x", Of(DType::kF32, {3, kBatch, 2})), w = Weight(b, "w", DType::kF32, {2, 2});
  const auto [carry, y] =
      Scan([&](const Values& c, const Values& z) -> Scanned { return {{c[0] + MatMul(z[0], w)}, {}}; },
           {Reshape(Slice(x, 0, 0, 1), {kBatch, 2})}, {x});
  const Value loss = Sum(carry[0] * carry[0], {0, 1});
  b.Assign(w, w - Gradient(loss, w) * 0.01);
  b.Output("loss", loss);
  ASSERT_OK(b.status());
  const Graph graph = std::move(b).Take();
  const Bindings bindings = RandomBindings(graph, 5, 3);
  ASSERT_OK_AND_ASSIGN(const Graph plain, Differentiate(graph));
  ASSERT_OK_AND_ASSIGN(const Evaluation expected, Evaluate(plain, bindings));
  ASSERT_OK_AND_ASSIGN(const Evaluation got, RunJit(graph, bindings, {.threads = 2}));
  const std::vector<double> want = expected.states.at("w").ToDoubles(), have = got.states.at("w").ToDoubles();
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(want[i], have[i], 1e-5);
}

}  // namespace
}  // namespace fusebox::testing
