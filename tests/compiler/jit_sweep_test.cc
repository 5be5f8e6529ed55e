// SPDX-License-Identifier: Apache-2.0
// Compares every op that can be compiled, for every dtype that it takes and many shapes, with the reference evaluator.
// Arrays end at an inaccessible page; batches have 1, 5 and 33 rows of 33. Each case runs twice: on random numbers, and
// on NaN, infinities, both zeros, denormals, huge numbers and the limits of integers.
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "fmt/format.h"
#include "fusebox/graph/text.h"
#include "gtest/gtest.h"
#include "tests/compiler/run_jit.h"
#include "tests/support/compare.h"
#include "tests/support/elementwise.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

constexpr const char* kDTypes[] = {"f32", "f64", "i32", "i64", "u8", "bool"};
using Strings = std::vector<std::string>;

// `%y = node` of operands %a, %b, ... 'T' stands for every dtype with which the op can be; a type for itself. Elementwise
// ops are taken from their table, with the shapes below. "rows" has the data set as its name.
struct Case {
  Strings operands;
  std::string node;
  bool specials = true;
};

const Case kCases[] = {
    // Sources that a program returns unchanged.
    {{"T[N,3]"}, "input"},
    {{"T[]"}, "input"},
    {{"T[17]"}, "state"},
    {{"T[N,1]"}, "constant"},
    {{"T[N,5]"}, "extent %a {axes = [0]} : T[]"},
    {{"T[N,5]"}, "extent %a {axes = [0, 1]} : T[]"},
    {{"T[7,5]"}, "extent %a {axes = [1]} : T[]"},
    {{"T[N]"}, "iota %a {axis = 0} : i32[N]"},
    {{"T[N,17]"}, "iota %a {axis = 0} : i32[N,17]"},
    {{"T[N,17]"}, "iota %a {axis = 1} : i32[N,17]"},
    {{"T[2,3,N]"}, "iota %a {axis = 1} : i32[2,3,N]"},
    {{"T[3,0]"}, "iota %a {axis = 0} : i32[3,0]"},
    {{"i32[N]"}, "rows %a : T[N]", false},
    {{"i32[N]"}, "rows %a : T[N,3]", false},
    {{"i32[N]"}, "rows %a : T[N,64]", false},
    {{"i32[N]"}, "rows %a : T[N,5,1,17]", false},
    {{"i32[N]"}, "rows %a : T[N,0]", false},
    // Reductions along rows, columns, all axes, no axes, and of empty arrays.
    {{"T[N,17]"}, "sum %a {axes = [1]} : T[N]"},
    {{"T[N,3]"}, "sum %a {axes = [0]} : T[3]"},
    {{"T[N,64]"}, "sum %a {axes = [0]} : T[64]"},
    {{"T[N,100]"}, "sum %a {axes = [1], keepdims = true} : T[N,1]"},
    {{"T[N,3]"}, "sum %a {axes = [0, 1]} : T[]"},
    {{"T[N]"}, "sum %a {axes = [0]} : T[]"},
    {{"T[2,3,4]"}, "sum %a {axes = [0, 2]} : T[3]"},
    {{"T[3,N,17]"}, "sum %a {axes = [1]} : T[3,17]"},
    {{"T[2,5,3,7]"}, "sum %a {axes = [1, 2], keepdims = true} : T[2,1,1,7]"},
    {{"T[2,5,3,7]"}, "sum %a {axes = [2, 3]} : T[2,5]"},
    {{"T[2000]"}, "sum %a {axes = [0]} : T[]"},
    {{"T[3]"}, "sum %a {axes = []} : T[3]"},
    {{"T[]"}, "sum %a {axes = []} : T[]"},
    {{"T[N,0]"}, "sum %a {axes = [1]} : T[N]"},
    {{"T[0,5]"}, "sum %a {axes = [0]} : T[5]"},
    {{"T[0]"}, "sum %a {axes = [0]} : T[]"},
    {{"T[1,3]"}, "sum %a {axes = [0]} : T[3]"},
    {{"T[N,17]"}, "reduce_max %a {axes = [1]} : T[N]"},
    {{"T[N,1]"}, "reduce_max %a {axes = [1]} : T[N]"},
    {{"T[N,17]"}, "reduce_max %a {axes = [0]} : T[17]"},
    {{"T[N,65]"}, "reduce_max %a {axes = [1]} : T[N]"},
    {{"T[N,3]"}, "reduce_max %a {axes = [0, 1]} : T[]"},
    {{"T[2,3,4]"}, "reduce_max %a {axes = [0, 2], keepdims = true} : T[1,3,1]"},
    {{"T[N,0]"}, "reduce_max %a {axes = [1]} : T[N]"},
    {{"T[0,5]"}, "reduce_max %a {axes = [0]} : T[5]"},
    {{"T[N,17]"}, "argmax %a {axis = 1} : i32[N]"},
    {{"T[N,1]"}, "argmax %a {axis = 1} : i32[N]"},
    {{"T[N,10]"}, "argmax %a {axis = 1} : i32[N]"},
    {{"T[N,100]"}, "argmax %a {axis = 1} : i32[N]"},
    {{"T[N,17]"}, "argmax %a {axis = 0} : i32[17]"},
    {{"T[3,17,5]"}, "argmax %a {axis = 1} : i32[3,5]"},
    {{"T[N]"}, "argmax %a {axis = 0} : i32[]"},
    // Matrix products: see matmul_test.cc for more.
    {{"T[N,17]", "T[17,3]"}, "matmul %a, %b : T[N,3]", false},
    {{"T[N,5]", "T[N,16]"}, "matmul %a, %b {transpose_a = true} : T[5,16]", false},
    {{"T[3,0]", "T[0,4]"}, "matmul %a, %b : T[3,4]", false},
    // Movement.
    {{"T[N,2,3]"}, "reshape %a : T[N,6]"},
    {{"T[N,2,3]"}, "reshape %a : T[6*N]"},
    {{"T[]"}, "reshape %a : T[1,1]"},
    {{"T[0,3]"}, "reshape %a : T[5,0]"},
    {{"T[3]"}, "broadcast %a : T[N,3]"},
    {{"T[N,1]"}, "broadcast %a : T[N,17]"},
    {{"T[2,1]"}, "broadcast %a : T[4,2,3]"},
    {{"T[]"}, "broadcast %a : T[2,N]"},
    {{"T[1]"}, "broadcast %a : T[0]"},
    {{"T[3,1,5]"}, "broadcast %a : T[2,3,4,5]"},
    {{"T[N,3]"}, "transpose %a {permutation = [1, 0]} : T[3,N]"},
    {{"T[N,64]"}, "transpose %a {permutation = [1, 0]} : T[64,N]"},
    {{"T[17,33]"}, "transpose %a {permutation = [1, 0]} : T[33,17]"},
    {{"T[13,20]"}, "transpose %a {permutation = [1, 0]} : T[20,13]"},
    {{"T[N,12]"}, "transpose %a {permutation = [1, 0]} : T[12,N]"},
    {{"T[1,N]"}, "transpose %a {permutation = [1, 0]} : T[N,1]"},
    {{"T[0,4]"}, "transpose %a {permutation = [1, 0]} : T[4,0]"},
    {{"T[2,3,4]"}, "transpose %a {permutation = [2, 0, 1]} : T[4,2,3]"},
    {{"T[N,3,17]"}, "transpose %a {permutation = [0, 2, 1]} : T[N,17,3]"},
    {{"T[2,N,3,5]"}, "transpose %a {permutation = [3, 1, 0, 2]} : T[5,N,2,3]"},
    {{"T[5]"}, "transpose %a {permutation = [0]} : T[5]"},
    {{"T[N,5]"}, "slice %a {axis = 1, begin = 1, end = 4} : T[N,3]"},
    {{"T[N,64]"}, "slice %a {axis = 1, begin = 17, end = 64} : T[N,47]"},
    {{"T[5]"}, "slice %a {axis = 0, begin = 2, end = 2} : T[0]"},
    {{"T[17]"}, "slice %a {axis = 0, begin = 16, end = 17} : T[1]"},
    {{"T[5,N]"}, "slice %a {axis = 0, begin = 3, end = 5} : T[2,N]"},
    {{"T[2,5,3]"}, "slice %a {axis = 1, begin = 1, end = 3} : T[2,2,3]"},
    {{"T[N,5]"}, "pad %a {after = 3, axis = 1, before = 2} : T[N,10]"},
    {{"T[2]"}, "pad %a {after = 0, axis = 0, before = 17} : T[19]"},
    {{"T[2,0]"}, "pad %a {after = 1, axis = 1, before = 1} : T[2,2]"},
    {{"T[3,N]"}, "pad %a {after = 2, axis = 0, before = 0} : T[5,N]"},
    {{"T[N,2]", "T[N,3]", "T[N,17]"}, "concatenate %a, %b, %c {axis = 1} : T[N,22]"},
    {{"T[2]", "T[0]"}, "concatenate %a, %b {axis = 0} : T[2]"},
    {{"T[2,N]", "T[1,N]"}, "concatenate %a, %b {axis = 0} : T[3,N]"},
    {{"T[5]"}, "concatenate %a, %a {axis = 0} : T[10]"},
    // Indices include those outside: gather gives zeros, scatter_add drops them.
    {{"T[4,2]", "i32[N]"}, "gather %a, %b : T[N,2]"},
    {{"T[3]", "i32[17]"}, "gather %a, %b : T[17]"},
    {{"T[N,17]", "i32[5]"}, "gather %a, %b : T[5,17]"},
    {{"T[2,3,5]", "i32[N]"}, "gather %a, %b : T[N,3,5]"},
    {{"T[1,64]", "i32[3]"}, "gather %a, %b : T[3,64]"},
    {{"T[0,4]", "i32[0]"}, "gather %a, %b : T[0,4]"},
    {{"T[0,4]", "i32[3]"}, "gather %a, %b : T[3,4]"},
    {{"T[0]", "i32[17]"}, "gather %a, %b : T[17]"},
    {{"T[N]", "i32[64]"}, "gather %a, %b : T[64]"},
    {{"i32[N]", "T[N,2]"}, "scatter_add %a, %b {rows = 4} : T[4,2]"},
    {{"i32[17]", "T[17]"}, "scatter_add %a, %b {rows = 3} : T[3]"},
    {{"i32[N]", "T[N,3,5]"}, "scatter_add %a, %b {rows = 17} : T[17,3,5]"},
    {{"i32[0]", "T[0,3]"}, "scatter_add %a, %b {rows = 2} : T[2,3]"},
    {{"i32[5]", "T[5,3]"}, "scatter_add %a, %b {rows = 0} : T[0,3]"},
    {{"i64[]", "i64[]"}, "random_uniform %a, %b {stream = 1} : T[N,17]"},
    {{"i64[]", "i64[]"}, "random_uniform %a, %b {stream = 3} : T[]"},
    {{"i64[]", "i64[]"}, "random_uniform %a, %b {stream = 0} : T[5,3,2]"},
    {{"i64[]", "i64[]"}, "random_uniform %a, %b {stream = 7} : T[1100]"},
};

// Shapes of operands for elementwise ops of one, two and three operands.
const std::vector<Strings> kElementwiseShapes[] = {
    {},
    {{""},
     {"1"},
     {"0"},
     {"3"},
     {"16"},
     {"17"},
     {"64"},
     {"N"},
     {"N,3"},
     {"3,N"},
     {"N,17"},
     {"N,64"},
     {"3,0"},
     {"2,3,17"},
     {"N,1,3"},
     {"2,3,1,5"},
     {"1,1,1,1"},
     {"1100"}},
    {{"", ""},
     {"3", ""},
     {"", "17"},
     {"64", "64"},
     {"0", "1"},
     {"N", "1"},
     {"N,17", "17"},
     {"N,1", "N,17"},
     {"N,3", "N,3"},
     {"N,1", "1,17"},
     {"5,1", "N"},
     {"4,1,5", "3,1"},
     {"2,3,1,5", "3,4,1"},
     {"3,N,2", "3,1,1"},
     {"1100", "1100"},
     {"32,64", "64"}},
    {{"", "", ""},
     {"N,3", "N,3", "N,3"},
     {"N,1", "17", ""},
     {"17", "17", "1"},
     {"", "N", "N"},
     {"0", "0", "1"},
     {"3,1,2", "4,1", "3,4,2"}},
};

struct Program {
  std::string text, results;
  int nodes = 0, outputs = 0;
};

std::string WithDTypes(std::string text, const std::string& dtype) {
  for (size_t at; (at = text.find('T')) != std::string::npos;) text.replace(at, 1, dtype);
  return text;
}

// Adds one case to the program, with operands of its own.
void Add(Program& program, const Strings& operands, std::string node) {
  const std::string prefix = fmt::format("k{}", program.outputs++);
  std::string lines, value = "%" + prefix + "a";
  for (size_t i = 0; i < operands.size(); ++i) {
    const std::string name = prefix + char('a' + int(i));
    const char* source = node == "state" ? "state {kind = \"weight\"}" : "input";
    if (node != "constant") lines += fmt::format("%{} = {} : {}\n", name, source, operands[i]);
    for (size_t at; (at = node.find(fmt::format("%{}", char('a' + int(i))))) != std::string::npos;) {
      node.replace(at, 2, "%" + name);
    }
  }
  if (node == "constant") {
    const std::string dtype = operands[0].substr(0, operands[0].find('['));
    lines = fmt::format("%{} = constant 1 : {}[]\n", program.nodes, dtype);
    value = fmt::format("%{}", program.nodes++);
  } else if (node.starts_with("rows ")) {
    lines += fmt::format("%{}data = {}\n", prefix, node);
    value = "%" + prefix + "data";
  } else if (node != "input" && node != "state") {
    lines += fmt::format("%{} = {}\n", program.nodes, node);
    value = fmt::format("%{}", program.nodes++);
  }
  program.text += lines;
  program.results += fmt::format("{}{} = {}", program.results.empty() ? "" : ", ", prefix, value);
}

bool Takes(const Strings& operands, const std::string& node) {
  Program program;
  Add(program, operands, node);
  return Parse(program.text + "return " + program.results).ok();
}

// Special values, repeated over the length of the array.
Literal Specials(DType dtype, const Sizes& shape, uint64_t turn) {
  Literal out(dtype, shape);
  WithDType(dtype, [&](auto t) {
    using T = decltype(t);
    using Limits = std::numeric_limits<T>;
    std::vector<T> all;
    if constexpr (std::is_floating_point_v<T>) {
      const T inf = Limits::infinity(), tiny = Limits::denorm_min(), least = Limits::min(), most = Limits::max();
      all = {Limits::quiet_NaN(),
             inf,
             -inf,
             T(0),
             -T(0),
             tiny,
             -tiny,
             least / 2,
             least,
             most,
             -most,
             T(1),
             T(-1),
             T(0.5),
             T(-2.5),
             T(1e-3),
             T(88.8),
             T(-88.8),
             T(300),
             T(2147483648.0),
             T(-2147483904.0),
             T(9.3e18),
             T(255.5),
             T(-0.7)};
    } else if constexpr (std::is_same_v<T, bool>) {
      all = {true, false, false};
    } else {
      all = {T(0), T(1), T(-1),  Limits::min(), Limits::max(), T(Limits::max() - 1), T(Limits::min() + 1),
             T(2), T(3), T(100), T(7)};
    }
    // Each turn pairs the values of two arrays differently.
    for (int64_t i = 0; i < out.size(); ++i) {
      out.mutable_values<T>()[size_t(i)] =
          all[size_t(uint64_t(i) * (1 + turn) + turn + uint64_t(i) / all.size()) % all.size()];
    }
  });
  return out;
}

// Equal bit for bit, except that all NaNs are equal.
bool Same(const Literal& a, const Literal& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  return WithDType(a.dtype(), [&](auto t) {
    using T = decltype(t);
    const auto x = a.values<T>(), y = b.values<T>();
    for (size_t i = 0; i < x.size(); ++i) {
      if constexpr (std::is_floating_point_v<T>) {
        if (std::isnan(x[i]) && std::isnan(y[i])) continue;
      }
      if (std::memcmp(&x[i], &y[i], sizeof(T)) != 0) return false;
    }
    return true;
  });
}

bool IsExact(const Node& node) {
  const Accuracy accuracy = node.info().accuracy;
  return !IsFloat(node.type.dtype) || accuracy == Accuracy::kExact || accuracy == Accuracy::kRounded;
}

void CheckCases(const Program& cases, bool specials) {
  const Graph graph = ParseGraph(cases.text + "return " + cases.results);
  ASSERT_OK_AND_ASSIGN(const Executable program, Compile(graph, {.row_capacity = 33}));
  for (const int64_t batch : {1, 5, 33}) {
    for (uint64_t turn = 0; turn < (specials ? 3u : 1u); ++turn) {
      Bindings bindings = RandomBindings(graph, uint64_t(batch), batch);
      if (turn > 0) {
        uint64_t next = turn;
        for (auto& [name, value] : bindings.inputs) value = Specials(value.dtype(), value.shape(), next++ % 5);
        for (auto& [name, value] : bindings.states) value = Specials(value.dtype(), value.shape(), next++ % 5);
      }
      ASSERT_OK_AND_ASSIGN(const Evaluation got, RunStep(program, bindings, 1));
      ASSERT_OK_AND_ASSIGN(const Evaluation want, Evaluate(graph, bindings));
      for (const auto& [name, value] : graph.outputs()) {
        if (!IsExact(graph[value])) continue;
        EXPECT_TRUE(Same(want.outputs.at(name), got.outputs.at(name)))
            << PrintNode(graph, value) << "\nbatch " << batch << ", turn " << turn << "\nwant "
            << ToString(want.outputs.at(name)) << "\ngot  " << ToString(got.outputs.at(name));
      }
      EXPECT_EQ(Compare(graph, bindings, got).mismatch, "") << "batch " << batch << ", turn " << turn;
    }
  }
}

class JitSweep : public ::testing::TestWithParam<Op> {};

TEST_P(JitSweep, AgreesWithTheEvaluator) {
  const OpInfo& info = Info(GetParam());
  Program plain, special;
  int found = 0;
  const auto consider = [&](const Strings& operands, const std::string& node, bool specials) {
    bool taken = false;
    const bool generic = node.find('T') != std::string::npos || operands[0].find('T') != std::string::npos;
    for (const std::string dtype : kDTypes) {
      Strings typed;
      for (const std::string& operand : operands) typed.push_back(WithDTypes(operand, dtype));
      const std::string typed_node = WithDTypes(node, dtype);
      if (!Takes(typed, typed_node)) continue;
      Add(specials ? special : plain, typed, typed_node);
      taken = true;
      if (!generic) break;
    }
    EXPECT_TRUE(taken) << "no dtype is fine for " << node;
    ++found;
  };
  for (const Case& c : kCases) {
    const std::string op = c.node.substr(0, c.node.find(' '));
    if (op == info.name) consider(c.operands, c.node, c.specials);
  }
  if (info.kind == OpKind::kElementwise) {
    for (const Strings& texts : kElementwiseShapes[info.arity]) {
      std::vector<Shape> shapes;
      for (const std::string& text : texts) shapes.push_back(ShapeFromText(text));
      for (const Signature& signature : SignaturesOf(info)) {
        Strings operands;
        for (size_t i = 0; i < texts.size(); ++i) operands.push_back(ToString(Type{signature.operands[i], shapes[i]}));
        Add(special, operands, NodeText(info, signature, shapes));
        ++found;
      }
    }
  }
  ASSERT_GT(found, 0) << info.name << " can be compiled, but has no case here";
  if (plain.outputs > 0) CheckCases(plain, false);
  if (special.outputs > 0) CheckCases(special, true);
}

std::vector<Op> CompiledOps() {
  std::vector<Op> ops;
  for (const OpInfo& op : AllOps()) {
    if (op.kind != OpKind::kControl && op.kind != OpKind::kDerivative) ops.push_back(op.op);
  }
  return ops;
}

INSTANTIATE_TEST_SUITE_P(Ops, JitSweep, ::testing::ValuesIn(CompiledOps()),
                         [](const auto& op) { return std::string(Info(op.param).name); });

}  // namespace
}  // namespace fusebox::testing
