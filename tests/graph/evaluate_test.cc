// SPDX-License-Identifier: Apache-2.0
// The values of each op, computed by hand.
#include "fusebox/graph/evaluate.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>

#include "fmt/format.h"
#include "fusebox/graph/philox.h"
#include "fusebox/graph/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/elementwise.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr int32_t kLeast = std::numeric_limits<int32_t>::min(), kMost = std::numeric_limits<int32_t>::max();
constexpr int64_t kLeast64 = std::numeric_limits<int64_t>::min(), kMost64 = std::numeric_limits<int64_t>::max();

std::set<Op>& Covered() {
  static std::set<Op> covered;
  return covered;
}

// The value of `%y = <node>`, where the operands are %a, %b, ...
Literal Eval(const std::string& node, const std::vector<Literal>& operands, int64_t batch = 2) {
  std::string text;
  Bindings bindings;
  bindings.batch = batch;
  for (size_t i = 0; i < operands.size(); ++i) {
    const std::string name(1, char('a' + i));
    text += fmt::format("%{} = input : {}\n", name, TypeText(operands[i]));
    bindings.inputs[name] = operands[i];
  }
  const absl::StatusOr<Graph> graph = Parse(text + "%y = " + node + "\nreturn %y");
  EXPECT_OK(graph) << text << node;
  if (!graph.ok()) return {};
  Covered().insert((*graph)[graph->outputs()[0].value].op);
  const absl::StatusOr<Evaluation> result = Evaluate(*graph, bindings);
  EXPECT_OK(result) << text << node;
  return result.ok() ? result->outputs.at("") : Literal();
}

Literal F(std::vector<float> v) { return Literal::Of<float>({int64_t(v.size())}, v); }
Literal I(std::vector<int32_t> v) { return Literal::Of<int32_t>({int64_t(v.size())}, v); }
Literal L(std::vector<int64_t> v) { return Literal::Of<int64_t>({int64_t(v.size())}, v); }
Literal U(std::vector<uint8_t> v) { return Literal::Of<uint8_t>({int64_t(v.size())}, v); }
Literal B(std::vector<bool> v) { return Literal::Of<bool>({int64_t(v.size())}, v); }
Literal D(std::vector<double> v) { return Literal::Of<double>({int64_t(v.size())}, v); }
Literal Matrix(int64_t n, int64_t m, std::vector<float> v) { return Literal::Of<float>({n, m}, v); }

// Equal shapes and, element by element, equal numbers; any NaN equals NaN, and -0 differs from 0.
void ExpectSame(const Literal& got, const Literal& want) {
  ASSERT_EQ(TypeText(got), TypeText(want));
  const std::vector<double> g = got.ToDoubles(), w = want.ToDoubles();
  for (size_t i = 0; i < g.size(); ++i) {
    const bool same = g[i] == w[i] ? std::signbit(g[i]) == std::signbit(w[i]) : std::isnan(g[i]) && std::isnan(w[i]);
    EXPECT_TRUE(same) << "element " << i << " of " << ToString(got) << ", expected " << ToString(want);
  }
}

void Arithmetic() {
  ExpectSame(Eval("add %a, %b : f32[4]", {F({1, -0.0f, kInf, kNaN}), F({2, -0.0f, -kInf, 1})}),
             F({3, -0.0f, kNaN, kNaN}));
  ExpectSame(Eval("add %a, %b : f32[2]", {F({0.1f, 16777216}), F({0.2f, 1})}), F({0.1f + 0.2f, 16777216}));
  ExpectSame(Eval("add %a, %b : i32[2]", {I({kMost, 1}), I({1, 2})}), I({kLeast, 3}));
  ExpectSame(Eval("add %a, %b : u8[1]", {U({250}), U({10})}), U({4}));
  ExpectSame(Eval("add %a, %b : i64[1]", {L({kMost64}), L({1})}), L({kLeast64}));
  ExpectSame(Eval("subtract %a, %b : f32[2]", {F({1, kInf}), F({3, kInf})}), F({-2, kNaN}));
  ExpectSame(Eval("subtract %a, %b : u8[1]", {U({1}), U({2})}), U({255}));
  ExpectSame(Eval("multiply %a, %b : f32[3]", {F({3, 0, kInf}), F({-2, -1, 0})}), F({-6, -0.0f, kNaN}));
  ExpectSame(Eval("multiply %a, %b : i32[1]", {I({65536}), I({65536})}), I({0}));
  ExpectSame(Eval("divide %a, %b : f32[4]", {F({1, 1, -1, 0}), F({4, 0, 0, 0})}), F({0.25, kInf, -kInf, kNaN}));
  ExpectSame(Eval("divide %a, %b : i32[5]", {I({7, -7, 5, kLeast, 0}), I({2, 2, 0, -1, 0})}), I({3, -3, 0, kLeast, 0}));
  ExpectSame(Eval("divide %a, %b : i64[2]", {L({kLeast64, 9}), L({-1, 0})}), L({kLeast64, 0}));
  ExpectSame(Eval("divide %a, %b : u8[2]", {U({200, 7}), U({255, 0})}), U({0, 0}));
}

void EachOpOfF32IsRoundedOnce() {
  // 1/3 in f32; and a product that f64 holds exactly but f32 does not.
  ExpectSame(Eval("divide %a, %b : f32[1]", {F({1}), F({3})}), F({1.0f / 3.0f}));
  ExpectSame(Eval("multiply %a, %b : f32[1]", {F({1 + 0x1p-23f}), F({1 + 0x1p-23f})}), F({1 + 0x1p-22f}));
  ExpectSame(Eval("exp %a : f32[1]", {F({100})}), F({kInf}));
}

void GreaterAndLesser() {
  ExpectSame(Eval("max %a, %b : f32[6]", {F({1, kNaN, 1, -0.0f, 0, -kInf}), F({2, 1, kNaN, 0, -0.0f, kInf})}),
             F({2, kNaN, kNaN, 0, 0, kInf}));
  ExpectSame(Eval("min %a, %b : f32[6]", {F({1, kNaN, 1, -0.0f, 0, -kInf}), F({2, 1, kNaN, 0, -0.0f, kInf})}),
             F({1, kNaN, kNaN, -0.0f, -0.0f, -kInf}));
  ExpectSame(Eval("max %a, %b : i32[2]", {I({kLeast, 3}), I({kMost, -3})}), I({kMost, 3}));
  ExpectSame(Eval("min %a, %b : u8[2]", {U({200, 3}), U({100, 4})}), U({100, 3}));
}

void ComparisonsAndLogic() {
  ExpectSame(Eval("equal %a, %b : bool[4]", {F({1, kNaN, 0, 2}), F({1, kNaN, -0.0f, 3})}),
             B({true, false, true, false}));
  ExpectSame(Eval("less %a, %b : bool[4]", {F({1, kNaN, 0, -kInf}), F({2, 1, -0.0f, kInf})}),
             B({true, false, false, true}));
  ExpectSame(Eval("less_equal %a, %b : bool[3]", {F({1, 1, 0}), F({1, kNaN, -0.0f})}), B({true, false, true}));
  ExpectSame(Eval("less %a, %b : bool[1]", {L({kMost64 - 1}), L({kMost64})}), B({true}));
  ExpectSame(Eval("less %a, %b : bool[2]", {B({false, true}), B({true, false})}), B({true, false}));
  ExpectSame(Eval("and %a, %b : bool[4]", {B({0, 0, 1, 1}), B({0, 1, 0, 1})}), B({0, 0, 0, 1}));
  ExpectSame(Eval("or %a, %b : bool[4]", {B({0, 0, 1, 1}), B({0, 1, 0, 1})}), B({0, 1, 1, 1}));
  ExpectSame(Eval("not %a : bool[2]", {B({0, 1})}), B({1, 0}));
}

void SelectLooksAtNothingButTheChosen() {
  ExpectSame(Eval("select %a, %b, %c : f32[3]", {B({1, 0, 1}), F({1, kNaN, 3}), F({kNaN, 5, 6})}), F({1, 5, 3}));
  ExpectSame(Eval("select %a, %b, %c : i32[2]", {B({1, 0}), I({1, 2}), Literal::Scalar<int32_t>(9)}), I({1, 9}));
}

void OneOperand() {
  ExpectSame(Eval("negate %a : f32[3]", {F({1, 0, kNaN})}), F({-1, -0.0f, kNaN}));
  ExpectSame(Eval("negate %a : i32[2]", {I({5, kLeast})}), I({-5, kLeast}));
  ExpectSame(Eval("negate %a : u8[1]", {U({1})}), U({255}));
  ExpectSame(Eval("abs %a : f32[4]", {F({-1, -0.0f, -kInf, kNaN})}), F({1, 0, kInf, kNaN}));
  ExpectSame(Eval("abs %a : i32[2]", {I({-5, kLeast})}), I({5, kLeast}));
  ExpectSame(Eval("sign %a : f32[6]", {F({-3, -0.0f, 0, 2, kInf, kNaN})}), F({-1, 0, 0, 1, 1, kNaN}));
  ExpectSame(Eval("sign %a : i32[3]", {I({-3, 0, 9})}), I({-1, 0, 1}));
  ExpectSame(Eval("exp %a : f32[5]", {F({0, 1, -kInf, kInf, kNaN})}), F({1, 2.7182818284590452f, 0, kInf, kNaN}));
  ExpectSame(Eval("log %a : f32[6]", {F({1, 0, -0.0f, -1, kInf, kNaN})}), F({0, -kInf, -kInf, kNaN, kInf, kNaN}));
  ExpectSame(Eval("sqrt %a : f32[5]", {F({4, -0.0f, -1, kInf, 2})}), F({2, -0.0f, kNaN, kInf, 1.41421356237309505f}));
  ExpectSame(Eval("tanh %a : f32[5]", {F({0, kInf, -kInf, kNaN, 0.5f})}), F({0, 1, -1, kNaN, 0.46211715726000976f}));
  ExpectSame(Eval("sigmoid %a : f32[5]", {F({0, kInf, -kInf, kNaN, 1})}), F({0.5, 1, 0, kNaN, 0.73105857863000488f}));
  ExpectSame(Eval("sigmoid %a : f64[1]", {D({-700})}), D({std::exp(-700.0)}));
  ExpectSame(Eval("erf %a : f32[6]", {F({0, -0.0f, kInf, -kInf, kNaN, 0.5f})}),
             F({0, -0.0f, 1, -1, kNaN, 0.52049987781304654f}));
  ExpectSame(Eval("expm1 %a : f32[6]", {F({0, -0.0f, kInf, -kInf, kNaN, 1e-6f})}),
             F({0, -0.0f, kInf, -1, kNaN, 1.0000004999621837e-6f}));
  ExpectSame(Eval("softplus %a : f32[6]", {F({0, kInf, -kInf, kNaN, 100, -60})}),
             F({0.69314718055994531f, kInf, 0, kNaN, 100, 8.7565107626965206e-27f}));
  ExpectSame(Eval("softplus %a : f64[1]", {D({-700})}), D({std::exp(-700.0)}));
  ExpectSame(Eval("floor %a : f32[5]", {F({1.5, -1.5, -0.0f, kInf, kNaN})}), F({1, -2, -0.0f, kInf, kNaN}));
  ExpectSame(Eval("stop_gradient %a : f32[2]", {F({1, kNaN})}), F({1, kNaN}));
  ExpectSame(Eval("copy %a : f32[2]", {F({-0.0f, kNaN})}), F({-0.0f, kNaN}));
}

void ErfInvInvertsErf() {
  ExpectSame(Eval("erfinv %a : f32[6]", {F({0, -0.0f, 1, -1, 1.5, kNaN})}), F({0, -0.0f, kInf, -kInf, kNaN, kNaN}));
  for (double y = -5; y <= 5; y += 0.01) {
    const double back = Eval("erfinv %a : f64[1]", {D({std::erf(y)})}).ToDoubles()[0];
    // The error that the rounding of erf(y) alone can cause.
    const double steep = std::sqrt(std::acos(-1.0)) / 2 * std::exp(y * y) * 0x1p-53;
    EXPECT_NEAR(back, y, 2 * steep + 4e-16 * std::abs(y)) << y;
  }
  EXPECT_NEAR(Eval("erfinv %a : f64[1]", {D({0.5})}).ToDoubles()[0], 0.47693627620446987338, 1e-16);
}

void CastsSaturateFloatsAndWrapIntegers() {
  ExpectSame(Eval("cast %a : i32[7]", {F({1.9f, -1.9f, 3e9f, -3e9f, kNaN, kInf, 2147483648.0f})}),
             I({1, -1, kMost, kLeast, 0, kMost, kMost}));
  ExpectSame(Eval("cast %a : i64[3]", {D({1e300, -1e300, 9007199254740993.0})}),
             L({kMost64, kLeast64, 9007199254740992}));
  ExpectSame(Eval("cast %a : u8[5]", {F({300, -1, 255.9f, kNaN, 0.5f})}), U({255, 0, 255, 0, 0}));
  ExpectSame(Eval("cast %a : u8[3]", {I({256, -1, 511})}), U({0, 255, 255}));
  ExpectSame(Eval("cast %a : i32[2]", {L({int64_t{1} << 32, kMost64})}), I({0, -1}));
  ExpectSame(Eval("cast %a : i64[2]", {I({-1, 5})}), L({-1, 5}));
  ExpectSame(Eval("cast %a : bool[4]", {F({0, -0.0f, 0.1f, kNaN})}), B({0, 0, 1, 1}));
  ExpectSame(Eval("cast %a : bool[2]", {I({0, -7})}), B({0, 1}));
  ExpectSame(Eval("cast %a : f32[2]", {B({0, 1})}), F({0, 1}));
  ExpectSame(Eval("cast %a : f32[2]", {D({0.1, 1e300})}), F({0.1f, kInf}));
  ExpectSame(Eval("cast %a : f64[1]", {F({0.1f})}), D({double(0.1f)}));
  // Rounded once, from all 64 bits: rounding by way of f64 would give 2^60.
  ExpectSame(Eval("cast %a : f32[1]", {L({(int64_t{1} << 60) + (int64_t{1} << 36) + 1})}), F({0x1p60f + 0x1p37f}));
}

void Sums() {
  const Literal x = Matrix(2, 3, {1, 2, 3, 4, 5, 6});
  ExpectSame(Eval("sum %a {axes = [0]} : f32[3]", {x}), F({5, 7, 9}));
  ExpectSame(Eval("sum %a {axes = [1]} : f32[2]", {x}), F({6, 15}));
  ExpectSame(Eval("sum %a {axes = [0, 1]} : f32[]", {x}), Literal::Scalar<float>(21));
  ExpectSame(Eval("sum %a {axes = []} : f32[2,3]", {x}), x);
  ExpectSame(Eval("sum %a {axes = [1], keepdims = true} : f32[2,1]", {x}), Matrix(2, 1, {6, 15}));
  ExpectSame(Eval("sum %a {axes = [0, 2]} : f32[2]", {Literal::Of<float>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8})}),
             F({14, 22}));
  // Summed in f64: in f32 the ones would be lost.
  ExpectSame(Eval("sum %a {axes = [0]} : f32[]", {F({16777216, 1, 1})}), Literal::Scalar<float>(16777218));
  ExpectSame(Eval("sum %a {axes = [0]} : f32[]", {F({kInf, -kInf})}), Literal::Scalar<float>(kNaN));
  ExpectSame(Eval("sum %a {axes = [0]} : i32[]", {I({kMost, 1})}), Literal::Scalar<int32_t>(kLeast));
  ExpectSame(Eval("sum %a {axes = [0]} : u8[]", {U({200, 100})}), Literal::Scalar<uint8_t>(44));
  ExpectSame(Eval("sum %a {axes = [0]} : f32[3]", {Matrix(0, 3, {})}), F({0, 0, 0}));
  ExpectSame(Eval("sum %a {axes = [1]} : f32[0]", {Matrix(0, 3, {})}), F({}));
}

void Maxima() {
  const Literal x = Matrix(2, 3, {1, 5, 3, kNaN, 2, -0.0f});
  ExpectSame(Eval("reduce_max %a {axes = [0]} : f32[3]", {x}), F({kNaN, 5, 3}));
  ExpectSame(Eval("reduce_max %a {axes = [1], keepdims = true} : f32[2,1]", {x}), Matrix(2, 1, {5, kNaN}));
  ExpectSame(Eval("reduce_max %a {axes = [0]} : f32[]", {F({-0.0f, 0, -0.0f})}), Literal::Scalar<float>(0));
  ExpectSame(Eval("reduce_max %a {axes = [0]} : f32[]", {F({-kInf, -kInf})}), Literal::Scalar<float>(-kInf));
  ExpectSame(Eval("reduce_max %a {axes = [0]} : f32[2]", {Matrix(0, 2, {})}), F({-kInf, -kInf}));
  ExpectSame(Eval("reduce_max %a {axes = [0]} : i32[]", {I({})}), Literal::Scalar<int32_t>(kLeast));
  ExpectSame(Eval("reduce_max %a {axes = [0]} : u8[]", {U({})}), Literal::Scalar<uint8_t>(0));
  ExpectSame(Eval("reduce_max %a {axes = [0]} : i64[]", {L({-5, kLeast64})}), Literal::Scalar<int64_t>(-5));
}

void ArgMaxTakesTheFirstAndNaN() {
  ExpectSame(Eval("argmax %a {axis = 0} : i32[]", {F({1, 5, 5, 2})}), Literal::Scalar<int32_t>(1));
  ExpectSame(Eval("argmax %a {axis = 0} : i32[]", {F({1, kNaN, kInf, kNaN})}), Literal::Scalar<int32_t>(1));
  ExpectSame(Eval("argmax %a {axis = 0} : i32[]", {F({-kInf, -kInf})}), Literal::Scalar<int32_t>(0));
  ExpectSame(Eval("argmax %a {axis = 0} : i32[]", {F({-0.0f, 0})}), Literal::Scalar<int32_t>(0));
  ExpectSame(Eval("argmax %a {axis = 0} : i32[3]", {Matrix(2, 3, {1, 9, 2, 3, 4, 2})}), I({1, 0, 0}));
  ExpectSame(Eval("argmax %a {axis = 1} : i32[2]", {Matrix(2, 3, {1, 9, 2, 3, 4, 2})}), I({1, 1}));
  ExpectSame(Eval("argmax %a {axis = 0} : i32[]", {I({kLeast, kMost})}), Literal::Scalar<int32_t>(1));
}

void MatrixProducts() {
  const Literal a = Matrix(2, 3, {1, 2, 3, 4, 5, 6}), b = Matrix(3, 2, {7, 8, 9, 10, 11, 12});
  const Literal at = Matrix(3, 2, {1, 4, 2, 5, 3, 6}), bt = Matrix(2, 3, {7, 9, 11, 8, 10, 12});
  const Literal y = Matrix(2, 2, {58, 64, 139, 154});
  ExpectSame(Eval("matmul %a, %b : f32[2,2]", {a, b}), y);
  ExpectSame(Eval("matmul %a, %b {transpose_a = true} : f32[2,2]", {at, b}), y);
  ExpectSame(Eval("matmul %a, %b {transpose_b = true} : f32[2,2]", {a, bt}), y);
  ExpectSame(Eval("matmul %a, %b {transpose_a = true, transpose_b = true} : f32[2,2]", {at, bt}), y);
  ExpectSame(Eval("matmul %a, %b : f32[2,2]", {Matrix(2, 0, {}), Matrix(0, 2, {})}), Matrix(2, 2, {0, 0, 0, 0}));
  ExpectSame(Eval("matmul %a, %b : f32[0,2]", {Matrix(0, 3, {}), b}), Matrix(0, 2, {}));
  ExpectSame(Eval("matmul %a, %b : f32[1,1]", {Matrix(1, 3, {16777216, 1, 1}), Matrix(3, 1, {1, 1, 1})}),
             Matrix(1, 1, {16777218}));
  ExpectSame(Eval("matmul %a, %b : f32[1,1]", {Matrix(1, 2, {0, 1}), Matrix(2, 1, {kInf, 1})}), Matrix(1, 1, {kNaN}));
}

void Movement() {
  const Literal x = Matrix(2, 3, {1, 2, 3, 4, 5, 6});
  ExpectSame(Eval("reshape %a : f32[3,2]", {x}), Matrix(3, 2, {1, 2, 3, 4, 5, 6}));
  ExpectSame(Eval("broadcast %a : f32[2,2]", {F({1, 2})}), Matrix(2, 2, {1, 2, 1, 2}));
  ExpectSame(Eval("broadcast %a : f32[2,3]", {Matrix(2, 1, {1, 2})}), Matrix(2, 3, {1, 1, 1, 2, 2, 2}));
  ExpectSame(Eval("broadcast %a : f32[0,3]", {Matrix(1, 3, {1, 2, 3})}), Matrix(0, 3, {}));
  ExpectSame(Eval("transpose %a {permutation = [1, 0]} : f32[3,2]", {x}), Matrix(3, 2, {1, 4, 2, 5, 3, 6}));
  ExpectSame(Eval("transpose %a {permutation = [2, 0, 1]} : i32[2,1,3]",
                  {Literal::Of<int32_t>({1, 3, 2}, {1, 2, 3, 4, 5, 6})}),
             Literal::Of<int32_t>({2, 1, 3}, {1, 3, 5, 2, 4, 6}));
  ExpectSame(Eval("slice %a {axis = 1, begin = 1, end = 3} : f32[2,2]", {x}), Matrix(2, 2, {2, 3, 5, 6}));
  ExpectSame(Eval("slice %a {axis = 0, begin = 1, end = 1} : f32[0,3]", {x}), Matrix(0, 3, {}));
  ExpectSame(Eval("pad %a {axis = 1, before = 1, after = 2} : f32[2,4]", {Matrix(2, 1, {1, 2})}),
             Matrix(2, 4, {0, 1, 0, 0, 0, 2, 0, 0}));
  ExpectSame(Eval("pad %a {axis = 0, before = 2, after = 0} : bool[3]", {B({true})}), B({0, 0, 1}));
  ExpectSame(Eval("concatenate %a, %b, %c {axis = 1} : f32[2,4]", {Matrix(2, 1, {1, 2}), Matrix(2, 0, {}), x}),
             Matrix(2, 4, {1, 1, 2, 3, 2, 4, 5, 6}));
  ExpectSame(Eval("concatenate %a, %a {axis = 0} : f32[4]", {F({1, 2})}), F({1, 2, 1, 2}));
}

void BroadcastingOperands() {
  ExpectSame(Eval("add %a, %b : f32[2,3]", {Matrix(2, 1, {10, 20}), F({1, 2, 3})}),
             Matrix(2, 3, {11, 12, 13, 21, 22, 23}));
  ExpectSame(Eval("subtract %a, %b : f32[0]", {F({}), F({1})}), F({}));
  ExpectSame(Eval("less %a, %b : bool[2,2]", {F({1, 3}), Matrix(2, 1, {2, 0})}),
             Literal::Of<bool>({2, 2}, {true, false, false, false}));
}

void GatherGivesZerosAndScatterDropsWhatLiesOutside() {
  const Literal table = Matrix(3, 2, {1, 2, 3, 4, 5, 6});
  ExpectSame(Eval("gather %a, %b : f32[4,2]", {table, I({2, 0, -1, 3})}), Matrix(4, 2, {5, 6, 1, 2, 0, 0, 0, 0}));
  ExpectSame(Eval("gather %a, %b : f32[2]", {F({kNaN, 1}), I({kLeast, kMost})}), F({0, 0}));
  ExpectSame(Eval("gather %a, %b : f32[2,2]", {Matrix(0, 2, {}), I({0, 1})}), Matrix(2, 2, {0, 0, 0, 0}));
  ExpectSame(Eval("gather %a, %b : f32[0,2]", {table, I({})}), Matrix(0, 2, {}));
  ExpectSame(Eval("gather %a, %b : bool[2]", {B({0, 1}), I({1, 0})}), B({1, 0}));
  ExpectSame(Eval("scatter_add %a, %b {rows = 2} : f32[2,2]", {I({1, 1, 7}), table}), Matrix(2, 2, {0, 0, 4, 6}));
  ExpectSame(Eval("scatter_add %a, %b {rows = 3} : u8[3]", {I({0, 0, -1}), U({200, 100, 1})}), U({44, 0, 0}));
  ExpectSame(Eval("scatter_add %a, %b {rows = 0} : f32[0,2]", {I({1, 1, 7}), table}), Matrix(0, 2, {}));
}

void Sources() {
  ExpectSame(Eval("constant 0.1 : f32[]", {}), Literal::Scalar<float>(0.1f));
  ExpectSame(Eval("constant 300 : u8[]", {}), Literal::Scalar<uint8_t>(255));
  ExpectSame(Eval("constant nan : f64[]", {}), Literal::Scalar<double>(std::nan("")));
  ExpectSame(Eval("constant 2 : bool[]", {}), Literal::Scalar<bool>(true));
  ExpectSame(Eval("extent %a {axes = [0, 1]} : f32[]", {Matrix(2, 3, {1, 2, 3, 4, 5, 6})}), Literal::Scalar<float>(6));
  ExpectSame(Eval("extent %a {axes = []} : i32[]", {I({4, 4})}), Literal::Scalar<int32_t>(1));
  ExpectSame(Eval("iota %a {axis = 0} : i32[2,3]", {Matrix(2, 3, {1, 2, 3, 4, 5, 6})}),
             Literal::Of<int32_t>({2, 3}, {0, 0, 0, 1, 1, 1}));
  ExpectSame(Eval("iota %a {axis = 1} : i32[2,3]", {Matrix(2, 3, {1, 2, 3, 4, 5, 6})}),
             Literal::Of<int32_t>({2, 3}, {0, 1, 2, 0, 1, 2}));
}

void RandomNumbersDependOnSeedStepStreamAndPlaceAlone() {
  const Literal seed = Literal::Scalar<int64_t>(0x0123456789abcdef), step = Literal::Scalar<int64_t>(42);
  const Literal x = Eval("random_uniform %a, %b {stream = 3} : f32[2,3]", {seed, step});
  for (size_t i = 0; i < 6; ++i) {
    const PhiloxCounter words = Philox4x32({uint32_t(i), 0, 42, 3}, {0x89abcdef, 0x01234567});
    EXPECT_EQ(x.values<float>()[i], float(words[0] >> 8) / 16777216.0f);
  }
  const Literal y = Eval("random_uniform %a, %b {stream = 3} : f64[6]", {seed, step});
  for (size_t i = 0; i < 6; ++i) {
    const PhiloxCounter words = Philox4x32({uint32_t(i), 0, 42, 3}, {0x89abcdef, 0x01234567});
    EXPECT_EQ(y.values<double>()[i], (double(words[0] >> 5) * 67108864.0 + (words[1] >> 6)) / 9007199254740992.0);
  }
  EXPECT_NE(Eval("random_uniform %a, %b {stream = 4} : f32[2,3]", {seed, step}), x);
  EXPECT_NE(Eval("random_uniform %a, %b {stream = 3} : f32[2,3]", {step, seed}), x);
}

std::vector<double> Numbers(const std::string& text) {
  std::vector<double> numbers;
  for (const char* at = text.c_str(); *at != 0;) {
    char* end = nullptr;
    numbers.push_back(std::strtod(at, &end));
    EXPECT_NE(end, at) << "no number: " << text;
    at = end == at ? text.c_str() + text.size() : end;
    while (*at == ',' || *at == ' ') ++at;
  }
  return numbers;
}

// One example of an entry: "2, 3 -> 5", of f64s and bools.
void ExpectExample(const OpInfo& op, const std::string& example) {
  SCOPED_TRACE(fmt::format("{}: {}", op.name, example));
  const size_t arrow = example.find("->");
  ASSERT_NE(arrow, std::string::npos);
  const std::vector<double> operands = Numbers(example.substr(0, arrow)), value = Numbers(example.substr(arrow + 2));
  ASSERT_EQ(operands.size(), size_t(op.arity));
  ASSERT_EQ(value.size(), 1u);
  int compared = 0;
  for (const Signature& signature : SignaturesOf(op)) {
    const auto fits = [](DType dtype) { return dtype == DType::kF64 || dtype == DType::kBool; };
    if (!std::ranges::all_of(signature.operands, fits) || !fits(signature.result)) continue;
    std::vector<Literal> literals;
    bool exact = true;  // A bool holds 0 and 1 alone.
    for (size_t i = 0; i < operands.size(); ++i) {
      literals.push_back(Literal::FromDoubles(signature.operands[i], {}, {&operands[i], 1}));
      exact &=
          literals.back().ToDoubles()[0] == operands[i] || (std::isnan(operands[i]) && IsFloat(signature.operands[i]));
    }
    if (!exact) continue;
    ++compared;
    const std::vector<Shape> scalars(operands.size());
    const double got = Eval(NodeText(op, signature, scalars), literals).ToDoubles()[0], want = value[0];
    const bool same = got == want ? std::signbit(got) == std::signbit(want) : std::isnan(got) && std::isnan(want);
    EXPECT_TRUE(same || (op.accuracy == Accuracy::kApproximated && std::abs(got - want) <= 4e-16 * std::abs(want)))
        << "got " << got;
  }
  EXPECT_GT(compared, 0) << "the op takes no such operands";
}

void ExamplesOfTheEntries() {
  for (const OpInfo* op : ElementwiseOps()) {
    const std::string examples = op->examples;
    if (op->attributes[0].name == nullptr) {
      EXPECT_NE(examples, "") << op->name << " has no example";
    }
    for (size_t at = 0; at < examples.size();) {
      const size_t end = std::min(examples.find(';', at), examples.size());
      ExpectExample(*op, examples.substr(at, end - at));
      at = end + 1;
    }
  }
}

void CallsRunTheirRegion() {
  ExpectSame(Eval(R"(call %a, %b : f32[2] {
      %x = input {name = "0"} : f32[2]
      %y = input {name = "1"} : f32[2]
      %0 = subtract %y, %x : f32[2]
      return %0 })",
                  {F({1, 2}), F({5, 5})}),
             F({4, 3}));
}

TEST(Evaluate, Arithmetic) { Arithmetic(); }
TEST(Evaluate, EachOpOfF32IsRoundedOnce) { EachOpOfF32IsRoundedOnce(); }
TEST(Evaluate, GreaterAndLesser) { GreaterAndLesser(); }
TEST(Evaluate, ComparisonsAndLogic) { ComparisonsAndLogic(); }
TEST(Evaluate, SelectLooksAtNothingButTheChosen) { SelectLooksAtNothingButTheChosen(); }
TEST(Evaluate, OneOperand) { OneOperand(); }
TEST(Evaluate, ErfInvInvertsErf) { ErfInvInvertsErf(); }
TEST(Evaluate, CastsSaturateFloatsAndWrapIntegers) { CastsSaturateFloatsAndWrapIntegers(); }
TEST(Evaluate, Sums) { Sums(); }
TEST(Evaluate, Maxima) { Maxima(); }
TEST(Evaluate, ArgMaxTakesTheFirstAndNaN) { ArgMaxTakesTheFirstAndNaN(); }
TEST(Evaluate, MatrixProducts) { MatrixProducts(); }
TEST(Evaluate, Movement) { Movement(); }
TEST(Evaluate, BroadcastingOperands) { BroadcastingOperands(); }
TEST(Evaluate, GatherGivesZerosAndScatterDropsWhatLiesOutside) { GatherGivesZerosAndScatterDropsWhatLiesOutside(); }
TEST(Evaluate, Sources) { Sources(); }
TEST(Evaluate, RandomNumbersDependOnSeedStepStreamAndPlaceAlone) { RandomNumbersDependOnSeedStepStreamAndPlaceAlone(); }
TEST(Evaluate, ExamplesOfTheEntries) { ExamplesOfTheEntries(); }
TEST(Evaluate, CallsRunTheirRegion) { CallsRunTheirRegion(); }

TEST(Evaluate, NoOpIsLeftOut) {
  for (const auto run :
       {Arithmetic, EachOpOfF32IsRoundedOnce, GreaterAndLesser, ComparisonsAndLogic, SelectLooksAtNothingButTheChosen,
        OneOperand, ErfInvInvertsErf, CastsSaturateFloatsAndWrapIntegers, Sums, Maxima, ArgMaxTakesTheFirstAndNaN,
        MatrixProducts, Movement, BroadcastingOperands, GatherGivesZerosAndScatterDropsWhatLiesOutside, Sources,
        RandomNumbersDependOnSeedStepStreamAndPlaceAlone, ExamplesOfTheEntries, CallsRunTheirRegion})
    run();
  for (const OpInfo& op : AllOps()) {
    if (op.binding != Binding::kNone || op.kind == OpKind::kDerivative) continue;  // Below.
    if (op.kind == OpKind::kControl && op.op != Op::kCall) continue;               // control_test.cc has those.
    EXPECT_TRUE(Covered().contains(op.op)) << "no value is checked of op " << op.name;
  }
}

TEST(Evaluate, OneStepOfATrainingProgram) {
  const Graph graph = ParseGraph(R"(
    %order = input : i32[N]
    %x = rows %order : f32[N,2]
    %w = state {kind = "weight"} : f32[2,1]
    %steps = state {kind = "counter"} : i64[]
    %0 = matmul %x, %w : f32[N,1]
    %1 = add %steps, 1 : i64[]
    %2 = multiply %w, 2 : f32[2,1]
    update %w = %2
    update %steps = %1
    return y = %0, before = %w)");
  Bindings bindings;
  bindings.batch = 2;
  bindings.inputs["order"] = I({3, 0});
  bindings.inputs["x"] = Matrix(4, 2, {1, 2, 3, 4, 5, 6, 7, 8});
  bindings.states["w"] = Matrix(2, 1, {10, 1});
  bindings.states["steps"] = Literal::Scalar<int64_t>(41);
  ASSERT_OK_AND_ASSIGN(const Evaluation result, Evaluate(graph, bindings));
  ExpectSame(result.outputs.at("y"), Matrix(2, 1, {78, 12}));
  ExpectSame(result.outputs.at("before"), Matrix(2, 1, {10, 1}));
  ExpectSame(result.states.at("w"), Matrix(2, 1, {20, 2}));
  ExpectSame(result.states.at("steps"), Literal::Scalar<int64_t>(42));

  // A batch may have no rows.
  bindings.batch = 0;
  bindings.inputs["order"] = I({});
  ASSERT_OK_AND_ASSIGN(const Evaluation none, Evaluate(graph, bindings));
  ExpectSame(none.outputs.at("y"), Matrix(0, 1, {}));
}

TEST(Evaluate, WhatNothingNeedsIsNotLookedAt) {
  const Graph graph = ParseGraph("%x = input : f32[] %unused = input : f32[3] %0 = exp %unused : f32[3] return %x");
  Bindings bindings;
  bindings.inputs["x"] = Literal::Scalar<float>(1);
  bindings.inputs["more"] = Literal::Scalar<float>(1);
  EXPECT_OK(Evaluate(graph, bindings));
  ASSERT_OK_AND_ASSIGN(const std::vector<Literal> all, EvaluateNodes(graph, bindings));
  EXPECT_EQ(all[1].dtype(), DType::kF32);
  EXPECT_EQ(all[3].dtype(), DType::kError);
}

TEST(Evaluate, WrongBindingsAreNamed) {
  const Graph graph = ParseGraph(R"(
    %order = input : i32[N]
    %x = rows %order : f32[N,2]
    %w = state {kind = "weight"} : f32[2]
    %0 = add %x, %w : f32[N,2]
    return %0)");
  Bindings good;
  good.batch = 2;
  good.inputs["order"] = I({0, 1});
  good.inputs["x"] = Matrix(2, 2, {1, 2, 3, 4});
  good.states["w"] = F({1, 2});
  ASSERT_OK(Evaluate(graph, good));

  const auto expect = [&](auto change, const std::string& message) {
    Bindings bad = good;
    change(bad);
    EXPECT_THAT(Evaluate(graph, bad), StatusHasMessage(message));
  };
  expect([](Bindings& b) { b.states.clear(); },
         "%w = state {kind = \"weight\"} : f32[2]: state 'w' (f32[2]) is not given");
  expect([](Bindings& b) { b.inputs.erase("x"); }, "%x = rows %order : f32[N,2]: data set 'x' (f32[N,2]) is not given");
  expect([](Bindings& b) { b.inputs["order"] = I({0, 1, 2}); },
         "%order = input : i32[N]: input 'order': expected i32[N] with N = 2, got i32[3]");
  expect([](Bindings& b) { b.inputs["order"] = L({0, 1}); },
         "%order = input : i32[N]: input 'order': expected i32[N] with N = 2, got i64[2]");
  expect([](Bindings& b) { b.inputs["order"] = I({0, 2}); },
         "%x = rows %order : f32[N,2]: data set 'x': order[1] is 2, which is not a row of f32[2,2]");
  expect([](Bindings& b) { b.inputs["order"] = I({-1, 0}); },
         "%x = rows %order : f32[N,2]: data set 'x': order[0] is -1, which is not a row of f32[2,2]");
  expect([](Bindings& b) { b.inputs["x"] = Matrix(2, 3, {1, 2, 3, 4, 5, 6}); },
         "%x = rows %order : f32[N,2]: data set 'x': expected rows as in f32[N,2], got f32[2,3]");
  expect([](Bindings& b) { b.inputs["x"] = Literal::Scalar<float>(1); },
         "%x = rows %order : f32[N,2]: data set 'x': expected rows as in f32[N,2], got f32[]");
  expect([](Bindings& b) { b.batch = -1; }, "expected a batch size of 0 or more, got -1");
}

TEST(Evaluate, WhatCannotBeEvaluatedIsAnError) {
  Bindings bindings;
  bindings.inputs["x"] = Literal::Scalar<float>(1);
  EXPECT_THAT(
      Evaluate(ParseGraph("%x = input : f32[] %0 = gradient %x, %x : f32[] return %0"), bindings),
      StatusHasMessage("%0 = gradient %x, %x : f32[]: a derivative has to be written out before it can be evaluated"));
  EXPECT_THAT(
      Evaluate(ParseGraph("%x = input : f32[] %0 = broadcast %x : f32[1000000,1000000] return %0"), bindings),
      StatusHasMessage("%0 = broadcast %x : f32[1000000,1000000]: f32[1000000,1000000] is too large for N = 1"));
  const Graph sources = ParseGraph(R"(
    %x = input : f32[]
    %yes = input : bool[]
    %two = cond %yes, %x : f32[] {
      %a = input {name = "1"} : f32[]
      return a = %a, b = %a
    } {
      %a = input {name = "1"} : f32[]
      return a = %a, b = %a
    }
    %y = result %two {index = 1} : f32[]
    return %y)");
  EXPECT_THAT(EvaluateNode(sources[1], {}, 1), StatusHasMessage("input: has no value without its binding"));
  EXPECT_THAT(EvaluateNode(sources[4], {}, 1), StatusHasMessage("a result is one of another node"));
  Graph broken = ParseGraph("%x = input : f32[] %0 = exp %x : f32[] return %0");
  broken.mutable_node(2).inputs = {2};
  EXPECT_THAT(Evaluate(broken, bindings), StatusHasMessage("%0 = exp %0 : f32[]: input 2 does not come before it"));
}

TEST(Literal, SaysWhatItHolds) {
  EXPECT_EQ(ToString(F({1, 2.5f, kNaN})), "f32[3] {1, 2.5, nan}");
  EXPECT_EQ(ToString(I({1, 2, 3, 4}), 2), "i32[4] {1, 2, ...}");
  EXPECT_EQ(ToString(B({true, false})), "bool[2] {true, false}");
  EXPECT_EQ(ToString(Literal::Scalar<uint8_t>(7)), "u8[] {7}");
  EXPECT_EQ(Literal(DType::kF64, {2, 0, 3}).size(), 0);
}

}  // namespace
}  // namespace fusebox::testing
