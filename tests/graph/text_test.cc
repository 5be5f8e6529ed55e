// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/text.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "fmt/format.h"
#include "fusebox/graph/builder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/elementwise.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

using ::testing::HasSubstr;

// The text is in the form that Print writes.
void ExpectStays(std::string_view text) {
  const absl::StatusOr<Graph> graph = Parse(text);
  ASSERT_OK(graph) << text;
  EXPECT_EQ(Print(*graph), Dedent(text));
}

TEST(Text, PrintsAWholeTrainingProgramAndParsesItBack) {
  ExpectStays(R"(
    program {loss = "mean_squared_error", optimizer = "sgd:learning_rate=0.01", plugin.fusebox/layers = "0.1.0"}
    %x = input                        : f32[N,784]
    %dense/kernel = state {initializer = "glorot_uniform", kind = "weight", trainable = true}   : f32[784,300]  @dense
    %0 = matmul %x, %dense/kernel     : f32[N,300]  @dense
    %1 = constant 0                   : f32[]
    %2 = max %0, %1                   : f32[N,300]
    %3 = sum %2 {axes = [0, 1]}       : f32[]
    %4 = gradient %3, %dense/kernel   : f32[784,300]
    %5 = subtract %dense/kernel, %4   : f32[784,300]
    update %dense/kernel = %5
    return loss = %3, y = %2
  )");
}

TEST(Text, LeavesOutWhatFollowsFromTheRest) {
  ExpectStays(R"(
    %x = input          : f32[12]
    %0 = reshape %x     : f32[2,6]
    %1 = broadcast %0   : f32[3,2,6]
    %2 = cast %1        : i64[3,2,6]
    return %2
  )");
  const Graph graph = ParseGraph("%x = input : f32[12] %0 = reshape %x : f32[2,6] return %0");
  EXPECT_EQ(graph[1].attributes.String("name"), "x");
  EXPECT_EQ(graph[2].attributes.List("dims"), (Ints{2, 6}));
}

TEST(Text, TakesWrittenOutAttributesAndAnyNames) {
  EXPECT_EQ(Canonical(R"(
    %in = input {name = "x"} : f32[12]
    %flat_y = reshape %in {dims = [2, 6]} : f32[2,6]   # a comment, which is not kept
    return %flat_y)"),
            Dedent(R"(
    %x = input        : f32[12]
    %0 = reshape %x   : f32[2,6]
    return %0
  )"));
}

TEST(Text, NumbersAsOperandsAreConstants) {
  EXPECT_EQ(Canonical("%x = input : f64[N] %y = max %x, -0.5 : f64[N] return %y"), Dedent(R"(
    %x = input           : f64[N]
    %0 = constant -0.5   : f64[]
    %1 = max %x, %0      : f64[N]
    return %1
  )"));
}

TEST(Text, PrintsEveryKindOfAttribute) {
  ExpectStays(R"(
    %x = input                                            : f32[N,28,28]
    %0 = reshape %x                                       : f32[784*N]
    %1 = reduce_max %x {axes = [1, 2], keepdims = true}   : f32[N,1,1]
    %2 = slice %x {axis = 2, begin = 1, end = 3}          : f32[N,28,2]
    %3 = transpose %x {permutation = [2, 0, 1]}           : f32[28,N,28]
    %w = state {initializer = "a \"quoted\\\" name\n\x01 é", kind = "slot"}   : f64[3]
    return a = %0, b = %1, "output, c" = %2, d/e.f:g-h = %3, w = %w
  )");
}

TEST(Text, PrintsNumbersSoThatTheyReadBackTheSame) {
  const double kInf = std::numeric_limits<double>::infinity();
  const std::pair<double, const char*> kNumbers[] = {{0, "0"},
                                                     {-0.0, "-0"},
                                                     {1, "1"},
                                                     {0.1, "0.1"},
                                                     {1e300, "1e+300"},
                                                     {-2.5e-300, "-2.5e-300"},
                                                     {kInf, "inf"},
                                                     {-kInf, "-inf"},
                                                     {std::nan(""), "nan"},
                                                     {5e-324, "5e-324"},
                                                     {0.30000000000000004, "0.30000000000000004"},
                                                     {9007199254740993.0, "9007199254740992"}};
  for (const auto& [number, text] : kNumbers) {
    GraphBuilder builder;
    builder.Output("", builder.Constant(number, DType::kF64));
    const std::string printed = Print(builder.graph());
    EXPECT_EQ(printed, fmt::format("%0 = constant {}   : f64[]\nreturn %0\n", text));
    const absl::StatusOr<Graph> back = Parse(printed);
    ASSERT_OK(back) << printed;
    const double read = (*back)[1].attributes.Float("value");
    EXPECT_TRUE(read == number ? std::signbit(read) == std::signbit(number) : std::isnan(number)) << text;
  }
}

TEST(Text, NamesAreReadableAndUnique) {
  GraphBuilder builder;
  const Value a = builder.Input("batch norm", {DType::kF32, {}});
  const Value b = builder.Input("batch-norm", {DType::kF32, {}});
  const Value c = builder.Input("7", {DType::kF32, {}});
  const Value d = builder.Input("arg7", {DType::kF32, {}});
  builder.Output("y", a + b + c + d);
  EXPECT_EQ(Print(builder.graph()), Dedent(R"(
    %batch_norm = input {name = "batch norm"}     : f32[]
    %batch_norm.2 = input {name = "batch-norm"}   : f32[]
    %arg7 = input {name = "7"}                    : f32[]
    %arg7.2 = input {name = "arg7"}               : f32[]
    %0 = add %batch_norm, %batch_norm.2           : f32[]
    %1 = add %0, %arg7                            : f32[]
    %2 = add %1, %arg7.2                          : f32[]
    return y = %2
  )"));
  EXPECT_EQ(Canonical(Print(builder.graph())), Print(builder.graph()));
}

TEST(Text, PrintsRegionsInsideTheirNode) {
  ExpectStays(R"(
    %x = input     : f32[N,3]
    %0 = call %x   : f32[N,3]  @block {
      %arg0 = input {name = "0"}   : f32[N,3]
      %0 = call %arg0              : f32[N,3] {
        %arg0 = input {name = "0"}   : f32[N,3]
        %0 = exp %arg0               : f32[N,3]
        return %0
      }
      return %0
    }
    return y = %0
  )");
}

TEST(Text, PrintsScopesAndOddOnesInQuotes) {
  ExpectStays(R"(
    %x = input    : f32[]  @block/dense_1
    %0 = exp %x   : f32[]  @"my layer"
    return %0
  )");
}

TEST(Text, AnEmptyGraphIsAnEmptyText) {
  EXPECT_EQ(Print(Graph()), "");
  ASSERT_OK(Parse(""));
  ASSERT_OK(Parse("  # nothing but a comment\n\n"));
}

// One line for each op of the table, printed and parsed back. An op without a case fails.
TEST(Text, EveryOpPrintsAndParsesBack) {
  constexpr const char* kLines[] = {
      "%y = input : f32[3]",
      "%y = rows %order : f32[N,3]",
      "%y = state {kind = \"weight\"} : f32[3]",
      "%y = constant 3 : i32[]",
      "%y = extent %x {axes = [0]} : f32[]",
      "%y = iota %x {axis = 1} : i32[N,3]",
      "%y = add %x, %x : f32[N,3]",
      "%y = subtract %x, %x : f32[N,3]",
      "%y = multiply %x, %x : f32[N,3]",
      "%y = divide %x, %x : f32[N,3]",
      "%y = max %x, %x : f32[N,3]",
      "%y = min %x, %x : f32[N,3]",
      "%y = equal %x, %x : bool[N,3]",
      "%y = less %x, %x : bool[N,3]",
      "%y = less_equal %x, %x : bool[N,3]",
      "%y = and %b, %b : bool[3]",
      "%y = or %b, %b : bool[3]",
      "%y = not %b : bool[3]",
      "%y = select %b, %x, %x : f32[N,3]",
      "%y = negate %x : f32[N,3]",
      "%y = abs %x : f32[N,3]",
      "%y = sign %x : f32[N,3]",
      "%y = exp %x : f32[N,3]",
      "%y = log %x : f32[N,3]",
      "%y = sqrt %x : f32[N,3]",
      "%y = tanh %x : f32[N,3]",
      "%y = sigmoid %x : f32[N,3]",
      "%y = floor %x : f32[N,3]",
      "%y = erf %x : f32[N,3]",
      "%y = erfinv %x : f32[N,3]",
      "%y = expm1 %x : f32[N,3]",
      "%y = softplus %x : f32[N,3]",
      "%y = cast %x : u8[N,3]",
      "%y = stop_gradient %x : f32[N,3]",
      "%y = sum %x {axes = [0, 1]} : f32[]",
      "%y = reduce_max %x {axes = [1], keepdims = true} : f32[N,1]",
      "%y = argmax %x {axis = 1} : i32[N]",
      "%y = matmul %x, %x {transpose_a = true} : f32[3,3]",
      "%y = reshape %x : f32[3*N]",
      "%y = broadcast %x : f32[2,N,3]",
      "%y = transpose %x {permutation = [1, 0]} : f32[3,N]",
      "%y = slice %x {axis = 1, begin = 0, end = 2} : f32[N,2]",
      "%y = pad %x {after = 1, axis = 1, before = 2} : f32[N,6]",
      "%y = concatenate %x, %x, %x {axis = 1} : f32[N,9]",
      "%y = gather %x, %order : f32[N,3]",
      "%y = scatter_add %order, %x {rows = 5} : f32[5,3]",
      "%y = random_uniform %seed, %seed {stream = 2} : f64[N,3]",
      "%y = call %x : f32[N,3] { %a = input {name = \"0\"} : f32[N,3] return %a }",
      "%y = cond %yes, %x : f32[N,3] { %a = input {name = \"1\"} : f32[N,3] return %a } { %a = "
      "input {name = \"1\"} : f32[N,3] return %a }",
      "%y = scan %order {carries = 0, length = -1, sequences = 1} : i32[N] { %a = input "
      "{name = \"0\"} : i32[] return %a }",
      "%y = while %x {carries = 1} : f32[N,3] { %a = constant 0 : bool[] return %a } { %a "
      "= input {name = \"0\"} : f32[N,3] return %a }",
      "%y = result %two {index = 1} : f32[]",
      "%y = gradient %loss, %x : f32[N,3]"};
  std::vector<std::string> lines(std::begin(kLines), std::end(kLines));
  for (const OpInfo* op : ElementwiseOps()) {
    for (const Signature& signature : SignaturesOf(*op)) {
      const auto given = [](DType dtype) { return dtype == DType::kF32 || dtype == DType::kBool; };
      if (!std::ranges::all_of(signature.operands, given)) continue;
      std::vector<Shape> shapes;
      for (const DType dtype : signature.operands) shapes.push_back(dtype == DType::kF32 ? Shape{-1, 3} : Shape{3});
      std::string line = "%y = " + NodeText(*op, signature, shapes);
      for (size_t i = 0; i < shapes.size(); ++i) {
        const std::string name = fmt::format("%{}", char('a' + int(i)));
        line.replace(line.find(name), 2, signature.operands[i] == DType::kF32 ? "%X" : "%B");
      }
      for (char& c : line) c = c == 'X' ? 'x' : c == 'B' ? 'b' : c;
      lines.push_back(line);
    }
  }
  std::set<Op> seen;
  for (const std::string& line : lines) {
    const absl::StatusOr<Graph> graph = Parse(fmt::format(R"(
      %x = input : f32[N,3]
      %b = input : bool[3]
      %order = input : i32[N]
      %loss = input : f32[]
      %seed = state {{kind = "scalar"}} : i64[]
      %yes = input : bool[]
      %two = cond %yes, %loss : f32[] {{
        %a = input {{name = "1"}} : f32[]
        return a = %a, b = %a
      }} {{
        %a = input {{name = "1"}} : f32[]
        return a = %a, b = %a
      }}
      {}
      return y = %y)",
                                                          line));
    ASSERT_OK(graph) << line;
    seen.insert((*graph)[8].op);
    const std::string text = Print(*graph);
    EXPECT_EQ(Canonical(text), text) << line;
  }
  for (const OpInfo& op : AllOps()) EXPECT_TRUE(seen.contains(op.op)) << "no case for op " << op.name;
}

struct Mistake {
  const char *text, *message;
};

TEST(Text, AMistakeNamesItsLineAndWhatWasExpectedAndFound) {
  const Mistake kMistakes[] = {
      {"%x = input : f32[N", "line 1: expected ']', found the end of the text"},
      {"%x input", "line 1: expected '=', found 'input'"},
      {"%x = input : f33[3]", "line 1: expected a type like f32[N,784], found 'f33'"},
      {"%x = input f32[3]", "line 1: expected an operand, found 'f32'"},
      {"%x = input : f32[-3]", "line 1: expected a dimension like 28, N or 28*N, found '-'"},
      {"%x = input : f32[3*M]", "line 1: expected a dimension like 28, N or 28*N, found '3'"},
      {"%x = input : f32[0*N]", "line 1: expected a dimension like 28, N or 28*N, found '0'"},
      {"%x = input : f32[99999999999999999999]",
       "line 1: expected a dimension like 28, N or 28*N, found '99999999999999999999'"},
      {"%x = input : f32[1,1,1,1,1,1,1,1,1]", "line 1: expected at most 8 dimensions, found 9"},
      {"%x = inputs : f32[3]", "line 1: expected the name of an op, found 'inputs'"},
      {"\n\n%y = exp %x : f32[3]", "line 3: no value %x comes before this line"},
      {"%x = input : f32[3]\n%x = input : f32[3]", "line 2: %x is defined twice"},
      {"%x = input {nam = \"x\"} : f32[3]", "line 1: 'input' has no attribute 'nam'"},
      {"%x = input {name = \"x\", name = \"y\"} : f32[3]", "line 1: attribute 'name' is given twice"},
      {"%x = input {name = \"x : f32[3]", "line 1: expected '\"' at the end of a string, found the end of the line"},
      {"%x = input {name = \"\\q\"} : f32[3]", "line 1: expected \\\", \\\\, \\n, \\t or \\x.. in a string"},
      {"%x = input {name = \"\\x4\"} : f32[3]", "line 1: expected two hexadecimal digits after \\x, found '4'"},
      {"%x = input {name = 3} : f32[3]", "line 1: %x = input: attribute 'name' cannot be an integer"},
      {"%x = input {name = } : f32[3]", "line 1: expected an attribute: true, 3, 0.5, \"text\" or [1, 2], found '}'"},
      {"%x = input : f32[3]\n%y = sum %x {axes = [a]} : f32[]",
       "line 2: expected an integer, N or a multiple like 28*N, found 'a'"},
      {"%x = input : f32[3]\n%y = sum %x {axes = [0}", "line 2: expected ']', found '}'"},
      {"%x = input : f32[3]\n%y = sum %x : f32[]", "line 2: %y = sum: needs attribute 'axes'"},
      {"%x = input : f32[3]\n%y = slice %x {axis = 99999999999999999999, begin = 0, end = 1} : f32[1]",
       "line 2: expected an integer of 64 bits, found '99999999999999999999'"},
      {"%x = input : f32[3]\n%y = exp %x : f32[4]", "line 2: %y = exp: expected the type f32[3], found f32[4]"},
      {"%x = input : f32[3]\n%y = exp %x,\n : f32[3]", "line 3: expected an operand, found ':'"},
      {"%x = input : f32[3]\n%y = add %x : f32[3]", "line 2: %y = add: expects 2 inputs, got 1"},
      {"%x = input : f32[3]\n%z = input : f32[4]\n%y = add %x, %z : f32[3]",
       "line 3: %y = add: shapes [3] and [4] do not broadcast together"},
      {"%x = input : f32[3]\n%y = reshape %x : f32[4]", "line 2: %y = reshape: f32[3] does not have the size of [4]"},
      {"%y = add 1, 2 : f32[]", "line 1: expected a value among the operands, found only numbers"},
      {"%x = input : f32[3] @ ", "line 1: expected a scope after '@', found the end of the text"},
      {"%x = input : f32[3]\nupdate %x = %x", "line 2: expected a state to update, found input"},
      {"%w = state {kind = \"weight\"} : f32[3]\n%y = input : f32[4]\nupdate %w = %y",
       "line 3: expected a new value of the state's type f32[3], found f32[4]"},
      {"%w = state {kind = \"weight\"} : f32[3]\nupdate %w = %w\nupdate %w = %w",
       "line 3: this state is updated twice"},
      {"%x = input : f32[3]\nreturn y", "line 2: expected '=', found the end of the text"},
      {"%x = input : f32[3]\nreturn y = %z", "line 2: no value %z comes before this line"},
      {"program {a = 3}", "line 1: expected '\"', found '3'"},
      {"module {}", "line 1: expected '%x = ...', update, return or program, found 'module'"},
      {"%x = input : f32[3]\n%y = call %x : f32[3] { %a = input {name = \"0\"} : f32[3]\nreturn %a",
       "line 3: expected '%x = ...', return or '}', found the end of the text"},
      {"%x = input : f32[3]\n%y = call %x : f32[3] { update %x = %x }",
       "line 2: expected '%x = ...', return or '}', found 'update'"},
      {"%", "line 1: expected a name after '%', found the end of the text"},
      {"%x = input : f32[3]\n%y = input {name = \"x\"} : f32[3]",
       "%x.2 = input {name = \"x\"} : f32[3]: the input name \"x\" is taken already"},
  };
  for (const Mistake& mistake : kMistakes) {
    const absl::StatusOr<Graph> graph = Parse(mistake.text);
    ASSERT_FALSE(graph.ok()) << mistake.text;
    EXPECT_EQ(std::string(graph.status().message()), mistake.message) << mistake.text;
  }
}

TEST(Text, EveryPrefixOfAProgramIsReadOrRefused) {
  const std::string text = Canonical(R"(
    program {a = "b\n"}
    %x = input : f32[N,3]
    %w = state {initializer = "zeros", kind = "weight", trainable = true} : f32[3]
    %y = call %x : f32[N,3] @s { %a = input {name = "0"} : f32[N,3] return %a }
    %z = sum %y {axes = [0], keepdims = false} : f32[3]
    %c = constant -1.5e+300 : f64[]
    update %w = %z
    return a = %z, c = %c)");
  for (size_t length = 0; length < text.size(); ++length) (void)Parse(std::string_view(text).substr(0, length));
  // Also with every character replaced by each character of a set.
  for (size_t at = 0; at < text.size(); ++at) {
    for (const char c : {'\0', '{', '}', '[', ']', '%', '"', '\\', '9', '*', ',', '=', 'N', '\n', '\xff'}) {
      std::string changed = text;
      changed[at] = c;
      const absl::StatusOr<Graph> graph = Parse(changed);
      if (!graph.ok()) continue;
      EXPECT_EQ(Canonical(Print(*graph)), Print(*graph)) << changed;
    }
  }
}

TEST(Text, DepthAndSizeAreBounded) {
  // A chain of 100,000 nodes is deep, and must not cause recursion.
  std::string text = "%x = input : f32[]\n%0 = exp %x : f32[]\n";
  for (int i = 1; i < 100'000; ++i) text += fmt::format("%{} = tanh %{} : f32[]\n", i, i - 1);
  const absl::StatusOr<Graph> deep = Parse(text + "return %99999");
  ASSERT_OK(deep);
  EXPECT_EQ(deep->size(), 100'002u);

  std::string nested;
  for (int i = 0; i < 1000; ++i) nested += "%a = input {name = \"0\"} : f32[] %b = call %a : f32[] {";
  EXPECT_THAT(Parse(nested), StatusHasMessage("line 1: expected at most 16 nested regions"));
}

}  // namespace
}  // namespace fusebox::testing
