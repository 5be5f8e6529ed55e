// SPDX-License-Identifier: Apache-2.0
// Branches and loops as symbols: how they are written, which nodes move into regions, their text, and their values in
// the evaluator.
#include "fusebox/graph/control.h"

#include "fusebox/graph/builder.h"
#include "fusebox/graph/evaluate.h"
#include "fusebox/graph/ops.h"
#include "fusebox/graph/regions.h"
#include "fusebox/graph/text.h"
#include "fusebox/graph/verify.h"
#include "gtest/gtest.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox {
namespace {

using testing::Canonical;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::StatusHasMessage;

const Type kNumber = {DType::kF32, {}};

std::vector<float> Floats(const Literal& literal) {
  const auto values = literal.values<float>();
  return {values.begin(), values.end()};
}

Bindings Given(std::map<std::string, Literal> inputs) {
  Bindings bindings;
  bindings.inputs = std::move(inputs);
  return bindings;
}

// The values that the graph returns. Also checks that its text parses back to the same graph.
Evaluation ValuesOf(GraphBuilder& builder, const Bindings& bindings) {
  EXPECT_OK(builder.status());
  const Graph graph = std::move(builder).Take();
  EXPECT_OK(Verify(graph, Stage::kDeclared));
  const absl::StatusOr<Graph> again = Parse(Print(graph));
  EXPECT_OK(again) << Print(graph);
  if (again.ok()) {
    EXPECT_EQ(Print(*again), Print(graph));
  }
  absl::StatusOr<Evaluation> values = Evaluate(graph, bindings);
  EXPECT_OK(values);
  return values.ok() ? *values : Evaluation();
}

TEST(Control, ScanCarriesOnAndKeeps) {
  GraphBuilder b;
  const Value xs = b.Input("xs", {DType::kF32, {4}}), first = b.Input("first", kNumber);
  const auto [carry, y] = Scan(
      [](const Values& c, const Values& x) -> Scanned {
        const Value sum = c[0] + x[0];
        return {{sum}, {sum * 10.0, x[0]}};
      },
      {first}, {xs});
  ASSERT_EQ(carry.size(), 1U);
  ASSERT_EQ(y.size(), 2U);
  b.Output("last", carry[0]);
  b.Output("sums", y[0]);
  b.Output("xs", y[1]);
  const Evaluation got =
      ValuesOf(b, Given({{"xs", Literal::Of<float>({4}, {1, 2, 3, 4})}, {"first", Literal::Scalar<float>(100)}}));
  EXPECT_THAT(Floats(got.outputs.at("last")), ElementsAre(110));
  EXPECT_THAT(Floats(got.outputs.at("sums")), ElementsAre(1010, 1030, 1060, 1100));
  EXPECT_THAT(Floats(got.outputs.at("xs")), ElementsAre(1, 2, 3, 4));
}

TEST(Control, ScanFromTheLastEntryOn) {
  GraphBuilder b;
  const Value xs = b.Input("xs", {DType::kF32, {3}}), first = b.Input("first", kNumber);
  const auto [carry, y] = Scan(
      [](const Values& c, const Values& x) -> Scanned {
        const Value next = c[0] * 10.0 + x[0];
        return {{next}, {next}};
      },
      {first}, {xs}, {.reverse = true});
  b.Output("last", carry[0]);
  b.Output("all", y[0]);
  const Evaluation got =
      ValuesOf(b, Given({{"xs", Literal::Of<float>({3}, {1, 2, 3})}, {"first", Literal::Scalar<float>(0)}}));
  EXPECT_THAT(Floats(got.outputs.at("last")), ElementsAre(321));
  EXPECT_THAT(Floats(got.outputs.at("all")), ElementsAre(321, 32, 3));
}

TEST(Control, ScanOverTheBatchAndOverNothing) {
  for (const int64_t n : {0, 1, 5}) {
    GraphBuilder b;
    const Value xs = b.Input("xs", {DType::kF32, {kBatch}}), first = b.Input("first", kNumber);
    const auto [carry, y] =
        Scan([](const Values& c, const Values& x) -> Scanned { return {{c[0] + x[0]}, {c[0]}}; }, {first}, {xs});
    b.Output("last", carry[0]);
    b.Output("before", y[0]);
    Bindings bindings = Given(
        {{"xs", Literal::Of<float>({n}, std::vector<float>(size_t(n), 2.0F))}, {"first", Literal::Scalar<float>(7)}});
    bindings.batch = n;
    const Evaluation got = ValuesOf(b, bindings);
    EXPECT_THAT(Floats(got.outputs.at("last")), ElementsAre(7 + 2 * float(n)));
    EXPECT_EQ(got.outputs.at("before").size(), n);
  }
}

TEST(Control, ScanOfALengthAlone) {
  GraphBuilder b;
  const auto [carry, y] = Scan([](const Values& c, const Values&) -> Scanned { return {{c[0] * 2.0}, {}}; },
                               {b.Input("x", kNumber)}, {}, {.length = 10});
  b.Output("y", carry[0]);
  EXPECT_THAT(Floats(ValuesOf(b, Given({{"x", Literal::Scalar<float>(3)}})).outputs.at("y")), ElementsAre(3072));
}

TEST(Control, CondTakesOneBranch) {
  for (const float x : {2.0F, -2.0F}) {
    GraphBuilder b;
    const Value v = b.Input("x", kNumber);
    const Values both = Cond(Greater(v, 0), [&] { return Values{Log(v), v + 1.0}; }, [&] { return Values{v * v, v}; });
    b.Output("a", both[0]);
    b.Output("b", both[1]);
    b.Output("one", Cond(Greater(v, 0), [&] { return v * 2.0; }, [&] { return v * 3.0; }));
    const Evaluation got = ValuesOf(b, Given({{"x", Literal::Scalar<float>(x)}}));
    EXPECT_FLOAT_EQ(Floats(got.outputs.at("a"))[0], x > 0 ? std::log(x) : x * x);
    EXPECT_FLOAT_EQ(Floats(got.outputs.at("b"))[0], x > 0 ? x + 1 : x);
    EXPECT_FLOAT_EQ(Floats(got.outputs.at("one"))[0], x > 0 ? x * 2 : x * 3);
  }
}

TEST(Control, WhileRunsAsLongAsItsConditionHolds) {
  for (const int64_t limit : {0, 3}) {
    GraphBuilder b;
    const Value x = b.Input("x", kNumber), most = b.Input("most", kNumber);
    const Values last = While([&](const Values& v) { return Less(v[0], most); },
                              [](const Values& v) { return Values{v[0] * 2.0, v[1] + 1.0}; }, {x, x * 0.0},
                              {.maximum_iterations = limit});
    b.Output("x", last[0]);
    b.Output("times", last[1]);
    const Evaluation got =
        ValuesOf(b, Given({{"x", Literal::Scalar<float>(1)}, {"most", Literal::Scalar<float>(100)}}));
    EXPECT_THAT(Floats(got.outputs.at("x")), ElementsAre(limit == 0 ? 128 : 8));
    EXPECT_THAT(Floats(got.outputs.at("times")), ElementsAre(limit == 0 ? 7 : 3));
  }
}

TEST(Control, WhatABodyMakesWithoutItsParametersStaysOutside) {
  GraphBuilder b;
  const Value xs = b.Input("xs", {DType::kF32, {4}}), w = b.Input("w", kNumber);
  const Scanned made =
      Scan([&](const Values&, const Values& x) -> Scanned { return {{}, {x[0] * Exp(w) + 0.5}}; }, {}, {xs});
  b.Output("y", made.y[0]);
  const Graph graph = std::move(b).Take();
  EXPECT_EQ(Print(graph), Canonical(R"(
    %xs = input                         : f32[4]
    %w = input                          : f32[]
    %0 = exp %w                         : f32[]
    %1 = scan %xs, %0 {carries = 0, length = 4, reverse = false, sequences = 1} : f32[4] {
      %arg0 = input {name = "0"}        : f32[]
      %arg1 = input {name = "1"}        : f32[]
      %0 = multiply %arg0, %arg1        : f32[]
      %1 = constant 0.5                 : f32[]
      %2 = add %0, %1                   : f32[]
      return 0 = %2
    }
    return y = %1)"));
}

TEST(Control, ABranchesWorkIsAllInTheBranch) {
  GraphBuilder b;
  const Value p = b.Input("p", {DType::kBool, {}}), x = b.Input("x", kNumber);
  b.Output("y", Cond(p, [&] { return Exp(x); }, [&] { return x; }));
  const Graph graph = std::move(b).Take();
  EXPECT_EQ(Print(graph), Canonical(R"(
    %p = input                          : bool[]
    %x = input                          : f32[]
    %0 = cond %p, %x                    : f32[] {
      %arg1 = input {name = "1"}        : f32[]
      %0 = exp %arg1                    : f32[]
      return 0 = %0
    } {
      %arg1 = input {name = "1"}        : f32[]
      return 0 = %arg1
    }
    return y = %0)"));
}

// ---- Errors and their messages.

std::string ErrorOf(const std::function<void(GraphBuilder&)>& write) {
  GraphBuilder b;
  write(b);
  return std::string(b.status().message());
}

TEST(Control, BodiesThatDoNotFit) {
  const Type vector{DType::kF32, {4}}, matrix{DType::kF32, {3, 2}};
  EXPECT_THAT(ErrorOf([&](GraphBuilder& b) {
                Scan([](const Values&, const Values& x) -> Scanned { return {{x[0]}, {}}; },
                     {b.Input("c", {DType::kI32, {}})}, {b.Input("x", vector)});
              }),
              HasSubstr("scan: carry 0 is i32[] at first, and f32[] when the body returns it"));
  EXPECT_THAT(ErrorOf([&](GraphBuilder& b) {
                Scan([](const Values&, const Values& x) -> Scanned { return {{x[0]}, {}}; }, {},
                     {b.Input("x", vector)});
              }),
              HasSubstr("scan: expects 0 carries of its body, got 1"));
  EXPECT_THAT(ErrorOf([&](GraphBuilder& b) {
                Scan([](const Values&, const Values& x) -> Scanned { return {{}, {x[0]}}; }, {},
                     {b.Input("x", vector), b.Input("y", matrix)});
              }),
              HasSubstr("scan: expects sequences [length, ...] of the same length, got f32[3,2]"));
  EXPECT_THAT(ErrorOf([&](GraphBuilder& b) {
                Scan([](const Values&, const Values&) -> Scanned { return {}; }, {}, {b.Input("x", vector)});
              }),
              HasSubstr("scan: expects a body that returns something"));
  EXPECT_THAT(ErrorOf([&](GraphBuilder& b) {
                const Value x = b.Input("x", vector);
                Cond(x, [&] { return x; }, [&] { return x; });
              }),
              HasSubstr("cond: expects a predicate bool[], got f32[4]"));
  EXPECT_THAT(ErrorOf([&](GraphBuilder& b) {
                const Value p = b.Input("p", {DType::kBool, {}}), x = b.Input("x", vector), y = b.Input("y", matrix);
                Cond(p, [&] { return x; }, [&] { return y; });
              }),
              HasSubstr("cond: expects branches of the same types, result 0 is f32[4] in the one and f32[3,2] in the "
                        "other"));
  EXPECT_THAT(ErrorOf([&](GraphBuilder& b) {
                While([](const Values& v) { return v[0]; }, [](const Values& v) { return v; }, {b.Input("x", kNumber)});
              }),
              HasSubstr("while: expects a condition bool[], got f32[]"));
  EXPECT_THAT(ErrorOf([&](GraphBuilder& b) {
                While([](const Values& v) { return Less(v[0], 1); }, [](const Values&) { return Values{}; },
                      {b.Input("x", kNumber)});
              }),
              HasSubstr("while: expects 1 carries of its body, got 0 values"));
}

Value FromWithinAScan(GraphBuilder& b) {
  Value kept;
  Scan(
      [&](const Values&, const Values& x) -> Scanned {
        kept = x[0] * 2.0;
        return {{}, {kept}};
      },
      {}, {b.Input("x", {DType::kF32, {4}})});
  return kept;
}

TEST(Control, WhatIsMadeInsideIsKnownThereOnly) {
  EXPECT_THAT(ErrorOf([&](GraphBuilder& b) { b.Output("y", FromWithinAScan(b) + 1.0); }),
              HasSubstr("add: an operand was made within a loop or branch, and is known only there"));
  EXPECT_THAT(ErrorOf([&](GraphBuilder& b) {
                Value kept;
                While(
                    [&](const Values& v) {
                      kept = v[0];
                      return Less(v[0], 1);
                    },
                    [&](const Values& v) { return Values{v[0] + kept}; }, {b.Input("x", kNumber)});
              }),
              HasSubstr("while: an operand was made within a loop or branch, and is known only there"));
}

TEST(Control, NoResultMayBeMadeInside) {
  EXPECT_THAT(ErrorOf([&](GraphBuilder& b) { b.Output("y", FromWithinAScan(b)); }),
              HasSubstr("output 'y' was made within a loop or branch, and is known only there"));
  EXPECT_THAT(ErrorOf([&](GraphBuilder& b) {
                const Value p = b.Input("p", {DType::kBool, {}}), w = b.State("w", FB_WEIGHT, kNumber, "zeros", true);
                Value kept;
                const auto branch = [&] { return kept = w * 2.0; };
                Cond(p, branch, branch);
                b.Assign(w, kept);
              }),
              HasSubstr("assigns to 'w' what was made within a loop or branch, and is known only there"));
}

TEST(Control, OperandsOfOneGraphAtLeast) {
  EXPECT_THAT(ErrorOf([&](GraphBuilder& b) {
                const Value x = b.Input("x", kNumber);
                const auto step = [&](const Values&, const Values&) -> Scanned { return {{}, {x, x * 2.0}}; };
                const Scanned made = Scan(step, {}, {}, {.length = 3});
                EXPECT_FALSE(made.y[1].ok());
              }),
              HasSubstr("scan: expects a carry or a sequence"));
  GraphBuilder other;
  const Value foreign = other.Input("x", kNumber);
  EXPECT_THAT(ErrorOf([&](GraphBuilder& b) {
                const Value p = b.Input("p", {DType::kBool, {}});
                Cond(p, [&] { return foreign; }, [&] { return foreign; });
              }),
              HasSubstr("a loop or branch returns a value of another graph"));
  EXPECT_THAT(ErrorOf([&](GraphBuilder& b) {
                While([](const Values& v) { return Less(v[0], 1); }, [](const Values& v) { return v; },
                      {b.Input("x", kNumber), foreign});
              }),
              HasSubstr("while: operands of two graphs"));
}

TEST(Control, NothingThatLastsIsChangedInside) {
  EXPECT_THAT(ErrorOf([&](GraphBuilder& b) {
                const Value p = b.Input("p", {DType::kBool, {}});
                const Value w = b.State("w", FB_WEIGHT, kNumber, "zeros", true);
                const auto change = [&] {
                  b.Assign(w, w + 1.0);
                  return w;
                };
                Cond(p, change, [&] { return w; });
              }),
              HasSubstr("changes a state within a loop or branch, which can only return values"));
}

TEST(Control, TextsThatDoNotFitAreRefused) {
  const auto refuse = [](const std::string& text) { return Parse(text).status(); };
  EXPECT_THAT(refuse("%x = input : f32[]\n%0 = exp %x : f32[]\n%1 = result %0 {index = 1} : f32[]\nreturn %1"),
              StatusHasMessage(HasSubstr("expected the result of a cond, scan or while, found exp")));
  const std::string scan =
      "%x = input : f32[3]\n%0 = scan %x {carries = 0, length = 3, sequences = 1} : f32[3] {\n"
      "%arg0 = input {name = \"0\"} : f32[]\n return 0 = %arg0\n}\n";
  EXPECT_OK(refuse(scan + "return %0"));
  EXPECT_THAT(refuse(scan + "%1 = result %0 {index = 1} : f32[]\nreturn %1"),
              StatusHasMessage(HasSubstr("expected a result of 1, found number 1")));
  std::string longer = scan;
  longer.replace(longer.find("length = 3"), 10, "length = 4");
  EXPECT_THAT(refuse(longer + "return %0"), StatusHasMessage(HasSubstr("expects sequences of length 4, got f32[3]")));
}

}  // namespace
}  // namespace fusebox
