// SPDX-License-Identifier: Apache-2.0
// Each op's gradient, and those of random graphs, against central differences in f64.
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "fmt/format.h"
#include "fusebox/compiler/passes/differentiate.h"
#include "fusebox/graph/evaluate.h"
#include "fusebox/graph/text.h"
#include "fusebox/graph/verify.h"
#include "gtest/gtest.h"
#include "tests/support/elementwise.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

// `%y = node`, in operands %a, %b, ... of these types; loss = sum(%y * random numbers).
struct Case {
  std::vector<std::string> operands;
  std::string node;
  Domain domain = Domain::kReal;  // Of the last operand.
};

const Case kCases[] = {
    {{"f64[3]"}, "multiply %a, %a : f64[3]"},
    {{"f64[2,3]"}, "sum %a {axes = [0, 1]} : f64[]"},
    {{"f64[N,3]"}, "sum %a {axes = [0]} : f64[3]"},
    {{"f64[2,3,4]"}, "sum %a {axes = [0, 2]} : f64[3]"},
    {{"f64[2,3,4]"}, "sum %a {axes = [1], keepdims = true} : f64[2,1,4]"},
    {{"f64[3]"}, "sum %a {axes = []} : f64[3]"},
    {{"f64[1,3]"}, "sum %a {axes = [0]} : f64[3]"},
    {{"f64[N,7]"}, "reduce_max %a {axes = [1]} : f64[N]"},
    {{"f64[2,3,4]"}, "reduce_max %a {axes = [0, 2], keepdims = true} : f64[1,3,1]"},
    {{"f64[5]"}, "reduce_max %a {axes = [0]} : f64[]"},
    {{"f64[2,3]", "f64[3,4]"}, "matmul %a, %b : f64[2,4]"},
    {{"f64[3,N]", "f64[3,4]"}, "matmul %a, %b {transpose_a = true} : f64[N,4]"},
    {{"f64[N,3]", "f64[4,3]"}, "matmul %a, %b {transpose_b = true} : f64[N,4]"},
    {{"f64[3,2]", "f64[4,3]"}, "matmul %a, %b {transpose_a = true, transpose_b = true} : f64[2,4]"},
    {{"f64[N,3]", "f64[N,2]"}, "matmul %a, %b {transpose_a = true} : f64[3,2]"},
    {{"f64[3,3]"}, "matmul %a, %a : f64[3,3]"},
    {{"f64[N,2,3]"}, "reshape %a : f64[N,6]"},
    {{"f64[N,2,3]"}, "reshape %a : f64[6*N]"},
    {{"f64[]"}, "reshape %a : f64[1,1]"},
    {{"f64[3]"}, "broadcast %a : f64[N,3]"},
    {{"f64[2,1]"}, "broadcast %a : f64[4,2,3]"},
    {{"f64[]"}, "broadcast %a : f64[2,N]"},
    {{"f64[2,3,4]"}, "transpose %a {permutation = [2, 0, 1]} : f64[4,2,3]"},
    {{"f64[N,3]"}, "transpose %a {permutation = [1, 0]} : f64[3,N]"},
    {{"f64[N,5]"}, "slice %a {axis = 1, begin = 1, end = 4} : f64[N,3]"},
    {{"f64[5]"}, "slice %a {axis = 0, begin = 2, end = 2} : f64[0]"},
    {{"f64[N,5]"}, "pad %a {after = 3, axis = 1, before = 2} : f64[N,10]"},
    {{"f64[2]"}, "pad %a {after = 0, axis = 0, before = 1} : f64[3]"},
    {{"f64[N,2]", "f64[N,3]", "f64[N,1]"}, "concatenate %a, %b, %c {axis = 1} : f64[N,6]"},
    {{"f64[2]"}, "concatenate %a, %a {axis = 0} : f64[4]"},
    {{"f64[4,2]", "i32[N]"}, "gather %a, %b : f64[N,2]"},
    {{"f64[3]", "i32[5]"}, "gather %a, %b : f64[5]"},
    {{"i32[N]", "f64[N,2]"}, "scatter_add %a, %b {rows = 4} : f64[4,2]"},
    {{"i32[5]", "f64[5]"}, "scatter_add %a, %b {rows = 3} : f64[3]"},
};

// Operands' shapes for elementwise ops of one, two and three.
const std::vector<std::vector<std::string>> kElementwiseShapes[] = {
    {},
    {{"17"}, {"N,3"}, {""}},
    {{"2,3", "2,3"},
     {"N,3", "3"},
     {"", "N,1"},
     {"2,3", "2,1"},
     {"1", "N"},
     {"4,1,2", "3,1"},
     {"17", "17"},
     {"5,1", "N"}},
    {{"N,3", "N,3", "3"}, {"", "", "2,1"}, {"17", "17", "17"}},
};

// The cases above, and each elementwise op that makes an f64 of f64s and bools.
std::vector<Case> AllCases() {
  std::vector<Case> cases(std::begin(kCases), std::end(kCases));
  for (const OpInfo* op : ElementwiseOps()) {
    for (const Signature& signature : SignaturesOf(*op)) {
      const auto fits = [](DType dtype) { return dtype == DType::kF64 || dtype == DType::kBool; };
      const bool smooth = std::ranges::count(signature.operands, DType::kF64) > 0;
      if (signature.result != DType::kF64 || !smooth || !std::ranges::all_of(signature.operands, fits)) continue;
      for (const std::vector<std::string>& texts : kElementwiseShapes[op->arity]) {
        Case one{.operands = {}, .node = {}, .domain = op->domain};
        std::vector<Shape> shapes;
        for (const std::string& text : texts) {
          shapes.push_back(ShapeFromText(text));
          one.operands.push_back(ToString(Type{signature.operands[shapes.size() - 1], shapes.back()}));
        }
        one.node = NodeText(*op, signature, shapes);
        cases.push_back(std::move(one));
      }
    }
  }
  return cases;
}

constexpr int64_t kBatch = 4;
constexpr double kStep = 1e-5;

// An operand within the domain, of one in +-[0.1, 2].
Literal Into(Domain domain, const Literal& x) {
  if (!IsFloat(x.dtype())) return x;
  std::vector<double> v = x.ToDoubles();
  for (double& e : v) e = domain == Domain::kPositive ? std::abs(e) : domain == Domain::kInsideOne ? e * 0.45 : e;
  return Literal::FromDoubles(x.dtype(), x.shape(), v);
}

std::string Axes(size_t rank) {
  std::string text;
  for (size_t i = 0; i < rank; ++i) text += fmt::format("{}{}", i > 0 ? ", " : "", i);
  return text;
}

double Loss(const Graph& graph, const Bindings& bindings) {
  const absl::StatusOr<Evaluation> result = Evaluate(graph, bindings);
  EXPECT_OK(result);
  return result.ok() ? result->outputs.at("loss").ToDoubles()[0] : std::nan("");
}

Literal Moved(const Literal& x, size_t i, double by) {
  Literal moved = x;
  moved.mutable_values<double>()[i] += by;
  return moved;
}

void ExpectGradients(const Graph& differentiated, Bindings bindings, const std::string& what) {
  const absl::StatusOr<Evaluation> result = Evaluate(differentiated, bindings);
  ASSERT_OK(result) << what;
  for (const auto& [name, gradient] : result->outputs) {
    if (name == "loss") continue;
    const Literal x = bindings.inputs.at(name);
    ASSERT_EQ(TypeText(gradient), TypeText(x)) << what;
    for (size_t i = 0; i < size_t(x.size()); ++i) {
      bindings.inputs[name] = Moved(x, i, kStep);
      const double above = Loss(differentiated, bindings);
      bindings.inputs[name] = Moved(x, i, -kStep);
      const double below = Loss(differentiated, bindings);
      const double expected = (above - below) / (2 * kStep), got = gradient.values<double>()[i];
      // stop_gradient is the only op whose gradient is not its derivative.
      const double wanted = what.starts_with("stop_gradient") ? 0 : expected;
      ASSERT_NEAR(got, wanted, 1e-7 * std::max(1.0, std::abs(wanted)))
          << what << ": d loss / d " << name << ", element " << i;
    }
    bindings.inputs[name] = x;
  }
}

TEST(GradientSweep, EveryCaseMatchesFiniteDifferences) {
  for (const Case& c : AllCases()) {
    std::string text, gradients, outputs;
    for (size_t i = 0; i < c.operands.size(); ++i) {
      const char name = char('a' + i);
      text += fmt::format("%{} = input : {}\n", name, c.operands[i]);
      if (!c.operands[i].starts_with("f64")) continue;
      gradients += fmt::format("%g{} = gradient %loss, %{} : {}\n", name, name, c.operands[i]);
      outputs += fmt::format(", {} = %g{}", name, name);
    }
    const std::string &node = c.node, type = node.substr(node.rfind(' ') + 1);
    const size_t rank = type.ends_with("[]") ? 0 : size_t(std::ranges::count(type, ',')) + 1;
    text += fmt::format(
        "%r = input : {}\n%y = {}\n%p = multiply %y, %r : {}\n%loss = sum %p {{axes = [{}]}} : f64[]\n{}return loss = "
        "%loss{}",
        type, node, type, Axes(rank), gradients, outputs);
    const absl::StatusOr<Graph> graph = Parse(text);
    ASSERT_OK(graph) << text;
    const absl::StatusOr<Graph> differentiated = Differentiate(*graph);
    ASSERT_OK(differentiated) << text;
    ASSERT_OK(Verify(*differentiated, Stage::kDifferentiated)) << text;
    for (uint64_t seed = 0; seed < 3; ++seed) {
      Bindings bindings = RandomBindings(*graph, seed, kBatch);
      Literal& last = bindings.inputs[std::string(1, char('a' + c.operands.size() - 1))];
      last = Into(c.domain, last);
      ExpectGradients(*differentiated, bindings, node);
    }
  }
}

TEST(GradientSweep, NoOpWithAGradientIsLeftOut) {
  std::set<std::string> covered;
  for (const Case& c : AllCases()) covered.insert(c.node.substr(0, c.node.find(' ')));
  for (const OpInfo& info : AllOps()) {
    EXPECT_TRUE(info.vjp == nullptr || covered.contains(info.name)) << "no gradient is checked of op " << info.name;
  }
}

// f64 -> f32 -> f64 passes the gradient on, although the rounding would hide it from finite differences.
TEST(GradientSweep, CastsBetweenFloatsCarryTheGradientAndOthersStopIt) {
  const Graph graph = ParseGraph(R"(
    %x = input : f64[3]
    %narrow = cast %x : f32[3]
    %back = cast %narrow : f64[3]
    %whole = cast %x : i32[3]
    %real = cast %whole : f64[3]
    %y = multiply %back, 3 : f64[3]
    %z = add %y, %real : f64[3]
    %loss = sum %z {axes = [0]} : f64[]
    %g = gradient %loss, %x : f64[3]
    return g = %g)");
  ASSERT_OK_AND_ASSIGN(const Graph differentiated, Differentiate(graph));
  ASSERT_OK_AND_ASSIGN(const Evaluation result, Evaluate(differentiated, RandomBindings(graph, 1, 1)));
  EXPECT_EQ(result.outputs.at("g"), Literal::Of<double>({3}, {3, 3, 3}));
}

TEST(GradientSweep, TiesGoWhereTheTableSays) {
  const Graph graph = ParseGraph(R"(
    %a = input : f64[2]
    %b = input : f64[2]
    %max = max %a, %b : f64[2]
    %min = min %a, %b : f64[2]
    %top = reduce_max %a {axes = [0]} : f64[]
    %smax = sum %max {axes = [0]} : f64[]
    %smin = sum %min {axes = [0]} : f64[]
    %0 = gradient %smax, %a : f64[2]
    %1 = gradient %smax, %b : f64[2]
    %2 = gradient %smin, %a : f64[2]
    %3 = gradient %smin, %b : f64[2]
    %4 = gradient %top, %a : f64[2]
    return max_a = %0, max_b = %1, min_a = %2, min_b = %3, top = %4)");
  ASSERT_OK_AND_ASSIGN(const Graph differentiated, Differentiate(graph));
  Bindings bindings;
  bindings.inputs["a"] = Literal::Of<double>({2}, {1, 1});
  bindings.inputs["b"] = Literal::Of<double>({2}, {1, 1});
  ASSERT_OK_AND_ASSIGN(const Evaluation result, Evaluate(differentiated, bindings));
  const Literal none = Literal::Of<double>({2}, {0, 0}), all = Literal::Of<double>({2}, {1, 1}),
                half = Literal::Of<double>({2}, {0.5, 0.5});
  EXPECT_EQ(result.outputs.at("max_a"), none);
  EXPECT_EQ(result.outputs.at("max_b"), all);
  EXPECT_EQ(result.outputs.at("min_a"), none);
  EXPECT_EQ(result.outputs.at("min_b"), all);
  EXPECT_EQ(result.outputs.at("top"), half);
}

// <gather(t, i), u> = <t, scatter_add(i, u)>, so each is the other's gradient, wherever the indices point.
TEST(GradientSweep, GatherAndScatterAreAdjointForIndicesOutsideToo) {
  const std::string values = R"(
    %t = input : f64[3,2]
    %u = input : f64[7,2]
    %i = input : i32[7]
    %rows = gather %t, %i : f64[7,2]
    %sums = scatter_add %i, %u {rows = 3} : f64[3,2]
    %p = multiply %rows, %u : f64[7,2]
    %q = multiply %t, %sums : f64[3,2]
    )";
  constexpr int32_t kLeast = std::numeric_limits<int32_t>::min(), kGreatest = std::numeric_limits<int32_t>::max();
  std::vector<double> losses;
  for (const char* side : {"p", "q"}) {
    const Graph graph = ParseGraph(values + fmt::format(R"(%loss = sum %{} {{axes = [0, 1]}} : f64[]
    %gt = gradient %loss, %t : f64[3,2]
    %gu = gradient %loss, %u : f64[7,2]
    return loss = %loss, t = %gt, u = %gu)",
                                                        side));
    ASSERT_OK_AND_ASSIGN(const Graph differentiated, Differentiate(graph));
    Bindings bindings = RandomBindings(graph, 1, 1);
    bindings.inputs["i"] = Literal::Of<int32_t>({7}, {2, -1, 0, 3, 2, kLeast, kGreatest});
    ExpectGradients(differentiated, bindings, std::string("sum of ") + side);
    losses.push_back(Loss(differentiated, bindings));
  }
  EXPECT_NEAR(losses[0], losses[1], 1e-14);
}

// Gradients of whole random programs along a random direction in all inputs and states at once. Points where the left
// and right differences disagree are kinks and are skipped.
TEST(GradientSweep, RandomGraphsMatchFiniteDifferences) {
  int compared = 0, kinks = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const Graph graph = RandomGraph(seed, {.max_nodes = 25, .train = true, .smooth = true, .real = DType::kF64});
    const absl::StatusOr<Graph> differentiated = Differentiate(graph);
    ASSERT_OK(differentiated) << "seed " << seed << "\n" << Print(graph);
    ASSERT_OK(Verify(*differentiated, Stage::kDifferentiated)) << "seed " << seed << "\n" << Print(*differentiated);
    const Bindings at = RandomBindings(graph, seed, 3);
    const absl::StatusOr<Evaluation> result = Evaluate(*differentiated, at);
    ASSERT_OK(result) << "seed " << seed;

    Bindings above = at, below = at;
    double slope = 0;
    const auto move = [&](const std::string& name, Literal& up, Literal& down, const std::vector<double>& gradient) {
      const Literal direction = RandomLiteral(DType::kF64, up.shape(), seed + name.size());
      for (size_t i = 0; i < gradient.size(); ++i) {
        const double d = direction.values<double>()[i];
        slope += d * gradient[i];
        up.mutable_values<double>()[i] += kStep * d;
        down.mutable_values<double>()[i] -= kStep * d;
      }
    };
    for (const auto& [name, value] : result->outputs) {
      if (name.starts_with("d_"))
        move(name, above.inputs[name.substr(2)], below.inputs[name.substr(2)], value.ToDoubles());
    }
    for (const auto& [name, value] : result->states) {  // w' = w - 0.1 g
      std::vector<double> gradient = value.ToDoubles();
      for (size_t i = 0; i < gradient.size(); ++i)
        gradient[i] = (at.states.at(name).values<double>()[i] - gradient[i]) / 0.1;
      move(name, above.states[name], below.states[name], gradient);
    }
    const double here = Loss(*differentiated, at), up = Loss(*differentiated, above),
                 down = Loss(*differentiated, below);
    const double right = (up - here) / kStep, left = (here - down) / kStep, central = (up - down) / (2 * kStep);
    ASSERT_TRUE(std::isfinite(slope)) << "seed " << seed << "\n" << Print(graph);
    if (std::abs(right - left) > 1e-2 * std::max(1.0, std::abs(central))) {
      ++kinks;
      continue;
    }
    ++compared;
    EXPECT_NEAR(slope, central, 1e-4 * std::max(1.0, std::abs(central))) << "seed " << seed << "\n" << Print(graph);
  }
  EXPECT_GE(compared, 270) << kinks << " kinks";
}

}  // namespace
}  // namespace fusebox::testing
