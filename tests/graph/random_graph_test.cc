// SPDX-License-Identifier: Apache-2.0
// Tests the generator itself: its graphs are valid, well-conditioned, the same every time, and reach every op.
#include "tests/support/random_graph.h"

#include <cmath>

#include "fusebox/graph/text.h"
#include "fusebox/graph/verify.h"
#include "gtest/gtest.h"
#include "tests/support/compare.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

constexpr uint64_t kGraphs = 500;

TEST(RandomGraph, IsValidAndPrintsAndParsesBack) {
  for (uint64_t seed = 0; seed < kGraphs; ++seed) {
    const Graph graph = RandomGraph(seed, {.train = seed % 2 == 1});
    ASSERT_OK(Verify(graph, Stage::kDeclared)) << "seed " << seed;
    const std::string text = Print(graph);
    const absl::StatusOr<Graph> back = Parse(text);
    ASSERT_OK(back) << "seed " << seed << "\n" << text;
    ASSERT_EQ(Print(*back), text) << "seed " << seed;
  }
}

TEST(RandomGraph, IsTheSameForTheSameSeed) {
  for (uint64_t seed = 0; seed < 20; ++seed) EXPECT_EQ(Print(RandomGraph(seed)), Print(RandomGraph(seed)));
  EXPECT_NE(Print(RandomGraph(1)), Print(RandomGraph(2)));
}

TEST(RandomGraph, ReachesEveryOpOften) {
  std::map<Op, int64_t> counts;
  for (uint64_t seed = 0; seed < kGraphs; ++seed) CountOps(RandomGraph(seed), counts);
  for (const OpInfo& info : AllOps()) {
    if (info.kind == OpKind::kControl || info.kind == OpKind::kDerivative) continue;
    EXPECT_GE(counts[info.op], 20) << info.name;
  }
}

TEST(RandomGraph, HasFiniteValuesThatAreBoundedWell) {
  int64_t elements = 0, unbounded = 0, loose = 0;
  for (uint64_t seed = 0; seed < kGraphs; ++seed) {
    const Graph graph = RandomGraph(seed);
    const Bindings bindings = RandomBindings(graph, seed, int64_t(1 + seed % 17));
    const absl::StatusOr<std::vector<Bounded>> values = EvaluateWithBounds(graph, bindings);
    ASSERT_OK(values) << "seed " << seed << "\n" << Print(graph);
    for (const auto& output : graph.outputs()) {
      const std::vector<double> v = (*values)[output.value].value.ToDoubles();
      for (size_t i = 0; i < v.size(); ++i) {
        const double e = (*values)[output.value].error[i];
        ASSERT_TRUE(std::isfinite(v[i])) << "seed " << seed << ", output " << output.name << "\n" << Print(graph);
        ++elements;
        unbounded += std::isinf(e);
        loose += e > 1e-3 * std::max(1.0, std::abs(v[i]));
      }
    }
  }
  // Results of step functions (floor, comparisons) near a step can be anything. They must be rare, or the comparison
  // shows nothing.
  EXPECT_LT(unbounded * 50, elements);
  EXPECT_LT(loose * 25, elements);
  std::printf("%lld elements, %lld without a bound, %lld with a loose one\n", (long long)elements, (long long)unbounded,
              (long long)loose);
}

// One random change in a valid graph: it is either refused with a message, or still means something.
TEST(RandomGraph, AMutantIsRefusedOrCanBeEvaluated) {
  int refused = 0, evaluated = 0;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    uint64_t state = seed;
    const auto draw = [&state](uint64_t n) {
      state = state * 6364136223846793005 + 1442695040888963407;
      return (state >> 33) % n;
    };
    Graph graph = RandomGraph(seed % 100);
    Node& node = graph.mutable_node(NodeId(1 + draw(graph.size() - 1)));
    switch (draw(6)) {
      case 0:
        node.op = Op(draw(AllOps().size() + 3));
        break;
      case 1:
        node.type.dtype = DType(draw(8));
        break;
      case 2:
        node.type.shape.push_back(int64_t(draw(7)) - 3);
        break;
      case 3:
        node.inputs.push_back(NodeId(draw(graph.size() + 1)));
        break;
      case 4:
        if (!node.inputs.empty()) node.inputs[draw(node.inputs.size())] = NodeId(draw(graph.size() + 1));
        break;
      default:
        if (node.attributes.begin() == node.attributes.end()) break;
        const std::string name = node.attributes.begin()->first;
        const AttributeValue values[] = {true, int64_t(draw(9)) - 4, -1.5, std::string("x"),
                                         Ints{int64_t(draw(5)) - 2, 1}};
        node.attributes.Set(name, values[draw(5)]);
    }
    const absl::Status status = Verify(graph, Stage::kDifferentiated);
    if (!status.ok()) {
      ++refused;
      EXPECT_FALSE(status.message().empty());
      continue;
    }
    ++evaluated;
    ASSERT_OK(Evaluate(graph, RandomBindings(graph, seed, 3))) << "seed " << seed << "\n" << Print(graph);
    const absl::StatusOr<Graph> back = Parse(Print(graph));
    ASSERT_OK(back) << Print(graph);
    ASSERT_EQ(Print(*back), Print(graph));
  }
  EXPECT_GE(refused, 500);
  EXPECT_GE(evaluated, 100);
}

TEST(RandomBindings, GiveArraysOfEveryInputsType) {
  const absl::StatusOr<Graph> graph = Parse(R"(
    %x = input : f32[N,3]
    %order = input : i32[N]
    %data = rows %order : u8[N,2]
    %w = state {kind = "weight"} : f64[4]
    %mask = input : bool[5]
    return x = %x, data = %data, w = %w, mask = %mask)");
  ASSERT_OK(graph);
  const Bindings bindings = RandomBindings(*graph, 7, 4);
  EXPECT_EQ(bindings.batch, 4);
  EXPECT_EQ(TypeText(bindings.inputs.at("x")), "f32[4,3]");
  EXPECT_EQ(TypeText(bindings.inputs.at("data")), "u8[11,2]");
  EXPECT_EQ(TypeText(bindings.states.at("w")), "f64[4]");
  EXPECT_EQ(TypeText(bindings.inputs.at("mask")), "bool[5]");
  for (const double v : bindings.inputs.at("order").ToDoubles()) EXPECT_TRUE(v >= 0 && v < 11) << v;
  ASSERT_OK(Evaluate(*graph, bindings));
}

}  // namespace
}  // namespace fusebox::testing
