// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/verify.h"

#include "fusebox/graph/text.h"
#include "gtest/gtest.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

// %x f32[N,3], %w f32[3] (state), %0 = sum of x over axis 0, f32[3]
Graph Sound() {
  return ParseGraph(R"(
    %x = input : f32[N,3]
    %w = state {initializer = "zeros", kind = "weight", trainable = true} : f32[3]
    %0 = sum %x {axes = [0]} : f32[3]
    update %w = %0
    return y = %0)");
}
constexpr NodeId kX = 1, kW = 2, kSum = 3;

void ExpectWrong(const Graph& graph, const char* message, Stage stage = Stage::kDeclared) {
  EXPECT_THAT(Verify(graph, stage), StatusHasMessage(message));
}

TEST(Verify, ASoundGraphIsOkAtEveryStage) {
  for (const Stage stage : {Stage::kDeclared, Stage::kDifferentiated, Stage::kFlat}) EXPECT_OK(Verify(Sound(), stage));
  EXPECT_OK(Verify(Graph(), Stage::kFlat));
}

TEST(Verify, InputsHaveToComeBefore) {
  Graph graph = Sound();
  graph.mutable_node(kSum).inputs = {9};
  ExpectWrong(graph, "%0 = sum %? {axes = [0]} : f32[3]: input 9 does not come before it");
  graph.mutable_node(kSum).inputs = {kSum};
  ExpectWrong(graph, "%0 = sum %0 {axes = [0]} : f32[3]: input 3 does not come before it");
  graph.mutable_node(kSum).inputs = {0};
  ExpectWrong(graph, "%0 = sum %? {axes = [0]} : f32[3]: input 0 does not come before it");
}

TEST(Verify, TypesAreInferredAgain) {
  Graph graph = Sound();
  graph.mutable_node(kSum).type.shape = {4};
  ExpectWrong(graph, "%0 = sum %x {axes = [0]} : f32[4]: expected the type f32[3]");
  graph = Sound();
  graph.mutable_node(kSum).op = Op::kNot;
  graph.mutable_node(kSum).attributes = {};
  ExpectWrong(graph, "%0 = not %x : f32[3]: not: expects bool, got f32[N,3]");
  graph = Sound();
  graph.mutable_node(kSum).source = "model.cc:12";
  graph.mutable_node(kSum).inputs = {kX, kX};
  ExpectWrong(graph, "%0 = sum %x, %x {axes = [0]} : f32[3]: sum: expects 1 inputs, got 2 [model.cc:12]");
}

TEST(Verify, AttributesHaveToExistAndBeNormal) {
  Graph graph = Sound();
  graph.mutable_node(kSum).attributes.Set("axis", int64_t{0});
  ExpectWrong(graph, "%0 = sum %x {axes = [0], axis = 0} : f32[3]: sum: has no attribute 'axis'");
  graph = Sound();
  graph.mutable_node(kSum).attributes.Set("axes", Ints{-2});
  ExpectWrong(graph, "%0 = sum %x {axes = [2*N]} : f32[3]: expected axes of f32[N,3] in ascending order, found [-2]");
  graph = Sound();
  graph.mutable_node(kSum).attributes.Set("axes", int64_t{0});
  ExpectWrong(graph, "%0 = sum %x {axes = 0} : f32[3]: sum: attribute 'axes' cannot be an integer");
  graph = ParseGraph("%x = input : f32[2,3] %0 = sum %x {axes = [0, 1]} : f32[] return %0");
  graph.mutable_node(2).attributes.Set("axes", Ints{1, 0});
  ExpectWrong(graph, "%0 = sum %x {axes = [1, 0]} : f32[]: expected axes of f32[2,3] in ascending order, found [1, 0]");
}

TEST(Verify, UnknownOpsAndDTypesAreNamedByNumber) {
  Graph graph = Sound();
  graph.mutable_node(kSum).op = Op(200);
  ExpectWrong(graph, "value 3: no op has the number 200");
  graph = Sound();
  graph.mutable_node(kX).type.dtype = DType(77);
  ExpectWrong(graph, "value 1: has no dtype");
}

TEST(Verify, SizesHaveToBePossible) {
  Graph graph = Sound();
  graph.mutable_node(kX).type.shape = {int64_t{1} << 62};
  ExpectWrong(graph, "%x = input : f32[4611686018427387904]: no axis can have size 4611686018427387904");
  graph.mutable_node(kX).type.shape = {int64_t{1} << 40, int64_t{1} << 40};
  ExpectWrong(graph, "%x = input : f32[1099511627776,1099511627776]: is too large, or has more than one symbolic axis");
  graph.mutable_node(kX).type.shape = {-1, -1};
  ExpectWrong(graph, "%x = input : f32[N,N]: is too large, or has more than one symbolic axis");
  graph.mutable_node(kX).type.shape = Shape(9, 1);
  ExpectWrong(graph, "%x = input : f32[1,1,1,1,1,1,1,1,1]: expected at most 8 axes, found 9");
}

TEST(Verify, NamesAreThereAndUnique) {
  Graph graph = Sound();
  graph.mutable_node(kX).attributes.Set("name", std::string());
  ExpectWrong(graph, "%0 = input {name = \"\"} : f32[N,3]: expected a name that is not empty");
  graph = ParseGraph("%x = input : f32[] %y = input : f32[] return %x");
  graph.mutable_node(2).attributes.Set("name", std::string("x"));
  ExpectWrong(graph, "%x.2 = input {name = \"x\"} : f32[]: the input name \"x\" is taken already");
  graph = Sound();
  graph.AddOutput("y", kX);
  ExpectWrong(graph, "two outputs have the name \"y\"");
}

TEST(Verify, StatesHaveAKindAndFixedDimensions) {
  Graph graph = Sound();
  graph.mutable_node(kW).attributes.Set("kind", std::string("wait"));
  ExpectWrong(
      graph,
      "%w = state {initializer = \"zeros\", kind = \"wait\", trainable = true} : f32[3]: expected kind = one of "
      "[weight, slot, scalar, accumulator, counter], found \"wait\"");
  graph = Sound();
  graph.mutable_node(kW).type.shape = {-1};
  ExpectWrong(graph,
              "%w = state {initializer = \"zeros\", kind = \"weight\", trainable = true} : f32[N]: expected fixed "
              "dimensions, for a state outlives the batch");
}

TEST(Verify, OutputsAndUpdatesHaveToFit) {
  Graph graph = Sound();
  graph.AddOutput("z", 12);
  ExpectWrong(graph, "output \"z\": value 12 does not exist");
  graph = Sound();
  graph.SetUpdate(kW, kX);
  ExpectWrong(graph, "update of \"w\": expected f32[3], found %x = input : f32[N,3]");
  graph = Sound();
  graph.SetUpdate(kX, kX);
  ExpectWrong(graph, "an update of value 1, which is no state");
  graph = Sound();
  graph.SetUpdate(kW, 12);
  ExpectWrong(graph, "update of \"w\": value 12 does not exist");
}

TEST(Verify, EachStageAllowsLess) {
  const Graph derivative = ParseGraph("%x = input : f32[] %0 = gradient %x, %x : f32[] return %0");
  EXPECT_OK(Verify(derivative, Stage::kDeclared));
  ExpectWrong(derivative, "%0 = gradient %x, %x : f32[]: a derivative should have been written out by now",
              Stage::kDifferentiated);
  const Graph call =
      ParseGraph("%x = input : f32[] %0 = call %x : f32[] { %a = input {name = \"0\"} : f32[] return %a } return %0");
  EXPECT_OK(Verify(call, Stage::kDifferentiated));
  ExpectWrong(call, "%0 = call %x : f32[]: a call should have been replaced by its region", Stage::kFlat);
}

TEST(Verify, RegionsFitTheirNode) {
  const auto with_body = [](const char* body) {
    Graph graph = ParseGraph(
        "%x = input : f32[3] %0 = call %x : f32[3] { %a = input {name = \"0\"} : f32[3] return %a } return %0");
    graph.mutable_node(2).regions[0] = ParseGraph(body);
    return graph;
  };
  const std::string head = "%0 = call %x : f32[3]: ";
  ExpectWrong(with_body("%a = input {name = \"1\"} : f32[3] return %a"),
              (head + "its region's input \"1\" is none of its 1 operands").c_str());
  ExpectWrong(with_body("%a = input {name = \"0\"} : f32[4] return %a"),
              (head + "its region expects f32[4] for operand 0, found f32[3]").c_str());
  ExpectWrong(with_body("%a = input {name = \"0\"} : f32[3]"),
              (head + "expected a region with 1 output, found 0").c_str());
  ExpectWrong(with_body("%a = input {name = \"0\"} : f32[3] %b = cast %a : f64[3] return %b"),
              (head + "its region returns f64[3]").c_str());
  ExpectWrong(with_body("%w = state {kind = \"weight\"} : f32[3] return %w"),
              (head + "a region has inputs only, found %w = state {kind = \"weight\"} : f32[3]").c_str());
  Graph graph = with_body("%a = input {name = \"0\"} : f32[3] return %a");
  graph.mutable_node(2).regions[0].mutable_node(1).type.dtype = DType(0);
  ExpectWrong(graph, (head + "in its region: value 1: has no dtype").c_str());
  graph.mutable_node(2).regions.clear();
  ExpectWrong(graph, (head + "expected 1 regions, found 0").c_str());
  graph = Sound();
  graph.mutable_node(kSum).regions.emplace_back();
  ExpectWrong(graph, "%0 = sum %x {axes = [0]} : f32[3]: expected 0 regions, found 1");
}

}  // namespace
}  // namespace fusebox::testing
