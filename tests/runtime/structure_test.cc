// SPDX-License-Identifier: Apache-2.0
// Structure of compiled reference programs, in numbers that do not depend on time: kernels, barriers, bytes. They are
// compared with tests/data/structure/programs.txt, so that a change which splits a kernel in two, say, or enlarges the
// arena is noticed. For an intended change, write the file anew, and explain in the commit why it is an improvement:
//
//   FUSEBOX_UPDATE_GOLDEN=1 build/release/bin/runtime_test --gtest_filter='Structure.*'
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "fusebox/compiler/compiler.h"
#include "fusebox/compiler/fuse/fuse.h"
#include "fusebox/compiler/native/machine.h"
#include "fusebox/compiler/passes/pipeline.h"
#include "fusebox/compiler/plan/plan.h"
#include "fusebox/fusebox.h"
#include "fusebox/graph/builder.h"
#include "fusebox/graph/status.h"
#include "gtest/gtest.h"
#include "tests/support/status.h"

namespace fusebox {
namespace {

constexpr int64_t kBatch32 = 32;
constexpr const char* kGolden = FUSEBOX_SOURCE_DIR "/tests/data/structure/programs.txt";
constexpr const char* kUpdate =
    "FUSEBOX_UPDATE_GOLDEN=1 " FUSEBOX_BUILD_DIR "/bin/runtime_test --gtest_filter='Structure.*'";

// ---- Models of the layer API.

// input - widths..., with `activation` between and `last` at the end.
Graph Mlp(ProgramKind kind, int64_t input, const std::vector<int64_t>& widths, const char* activation, const char* last,
          const char* loss, std::vector<ItemArg> metrics = {}, const char* optimizer = "sgd") {
  Sequential model(ModelOptions{.seed = 1});
  for (size_t i = 0; i < widths.size(); ++i) {
    DenseOptions options{.activation = i + 1 < widths.size() ? activation : last};
    if (i == 0) options.input_shape = {input};
    model.Add(Dense(widths[i], options));
  }
  EXPECT_OK(model.Compile({.optimizer = optimizer, .loss = loss, .metrics = std::move(metrics)}));
  absl::StatusOr<Graph> program = model.Program(kind);
  EXPECT_OK(program);
  return program.ok() ? *std::move(program) : Graph();
}

Graph Classifier(ProgramKind kind, const std::vector<int64_t>& widths, const char* optimizer = "sgd") {
  return Mlp(kind, 784, widths, "relu", "softmax", "sparse_categorical_crossentropy", {"accuracy"}, optimizer);
}

Graph Regression(int64_t input, const std::vector<int64_t>& widths, const char* activation) {
  return Mlp(ProgramKind::kTraining, input, widths, activation, "linear", "mean_squared_error");
}

// ---- Symbols, for programs that layers cannot express.

class Symbols {
 public:
  Value Rows(const char* name, int64_t width) { return b_.Rows(name, {DType::kF32, {kBatch, width}}, order_); }
  Value Input(const char* name, const Shape& shape) { return b_.Input(name, {DType::kF32, shape}); }
  Value Dense(const char* name, Value x, int64_t units) {
    const GraphBuilder::Scope scope(b_, name);
    const Value w = b_.State("kernel", FB_WEIGHT, {DType::kF32, {x.dim(-1), units}}, "glorot_uniform", true);
    const Value bias = b_.State("bias", FB_WEIGHT, {DType::kF32, {units}}, "zeros", true);
    weights_.insert(weights_.end(), {w, bias});
    return MatMul(x, w) + bias;
  }
  Graph Train(Value loss) {
    const Value rate = b_.State("learning_rate", FB_SCALAR, {DType::kF32, {}}, "learning_rate", false);
    for (const Value& w : weights_) b_.Assign(w, w - rate * Gradient(loss, w));
    return Return("loss", loss);
  }
  Graph Return(const char* name, Value value) {
    b_.Output(name, value);
    EXPECT_OK(b_.status());
    return std::move(b_).Take();
  }

 private:
  GraphBuilder b_;
  Value order_ = b_.Input("order", {DType::kI32, {kBatch}});
  Values weights_;
};

Value SquaredError(Value y, Value predicted) { return Mean(Square(predicted - y), {0, 1}); }

// A wide input directly connected to the output, and a deep one through two layers.
Graph WideAndDeep() {
  Symbols s;
  const Value wide = s.Rows("wide_input", 5);
  const Value deep = s.Rows("deep_input", 6);
  const Value y = s.Rows("y", 1);
  const Value hidden1 = Relu(s.Dense("hidden1", deep, 30));
  const Value hidden2 = Relu(s.Dense("hidden2", hidden1, 30));
  return s.Train(SquaredError(y, s.Dense("output", Concatenate(wide, hidden2, 1), 1)));
}

// The same with a second output after the deep part, with a loss weight of a tenth.
Graph TwoOutputs() {
  Symbols s;
  const Value wide = s.Rows("wide_input", 5);
  const Value deep = s.Rows("deep_input", 6);
  const Value y = s.Rows("y", 1);
  const Value hidden1 = Relu(s.Dense("hidden1", deep, 30));
  const Value hidden2 = Relu(s.Dense("hidden2", hidden1, 30));
  const Value main = s.Dense("main_output", Concatenate(wide, hidden2, 1), 1);
  const Value aux = s.Dense("aux_output", hidden2, 1);
  return s.Train(0.9F * SquaredError(y, main) + 0.1F * SquaredError(y, aux));
}

Graph Product() {
  Symbols s;
  const Value a = s.Input("a", {512, 768});
  return s.Return("c", MatMul(a, s.Input("b", {768, 1024})));
}

const std::vector<std::pair<const char*, std::function<Graph()>>> kPrograms = {
    {"fashion_mnist_mlp, training", [] { return Classifier(ProgramKind::kTraining, {300, 100, 10}); }},
    {"fashion_mnist_mlp, evaluation", [] { return Classifier(ProgramKind::kEvaluation, {300, 100, 10}); }},
    {"fashion_mnist_mlp, prediction", [] { return Classifier(ProgramKind::kPrediction, {300, 100, 10}); }},
    {"fashion_mnist_mlp, momentum",
     [] { return Classifier(ProgramKind::kTraining, {300, 100, 10}, "sgd:momentum=0.9"); }},
    {"softmax regression 784 - 10", [] { return Classifier(ProgramKind::kTraining, {10}); }},
    {"regression 8 - 30 - 30 - 1", [] { return Regression(8, {30, 30, 1}, "relu"); }},
    {"deep, 6 hidden layers of 64", [] { return Regression(64, {64, 64, 64, 64, 64, 64, 1}, "relu"); }},
    {"odd widths 13 - 101 - 7 - 257 - 3", [] { return Regression(13, {101, 7, 257, 3}, "relu"); }},
    {"tanh 20 - 50 - 50 - 2", [] { return Regression(20, {50, 50, 2}, "tanh"); }},
    {"sigmoid 20 - 50 - 50 - 2", [] { return Regression(20, {50, 50, 2}, "sigmoid"); }},
    {"wide and deep", WideAndDeep},
    {"wide and deep, two outputs", TwoOutputs},
    {"product [512,768] [768,1024]", Product},
};

// ---- Their structure.

struct Structure {
  FusedProgram fused;
  Plan plan;
};

// Follows compiler.cc up to code generation.
absl::StatusOr<Structure> StructureOf(const Graph& program, const Target& target) {
  const CompileOptions options{.row_capacity = kBatch32};
  std::vector<PassReport> reports;
  FUSEBOX_ASSIGN_OR_RETURN(const Graph graph, RunGraphPasses(program, {}, reports));
  FUSEBOX_ASSIGN_OR_RETURN(FusedProgram fused, Fuse(graph));
  Plan plan = MakePlan(
      fused, {.row_capacity = options.row_capacity, .pack_from_bytes = options.pack_from_bytes, .target = target});
  return Structure{std::move(fused), std::move(plan)};
}

// Tiles, and therefore dependencies, depend on registers and caches: the golden text is for these.
absl::StatusOr<Structure> StructureOf(const Graph& program) {
  return StructureOf(program, {.vector_bytes = 32, .registers = 16, .fma = true, .caches = {}});
}

int64_t Barriers(const Plan& plan) { return int64_t(plan.phases.size()) + (plan.copies.empty() ? 0 : 1); }

std::string Line(const char* name, const Structure& s) {
  std::map<KernelKind, int64_t> kinds;
  for (const Kernel& kernel : s.fused.kernels) ++kinds[kernel.kind];
  std::string by_kind;
  for (const auto& [kind, count] : kinds)
    by_kind += fmt::format("{}{} {}", by_kind.empty() ? "" : ", ", count, Name(kind));
  return fmt::format("{:<36}{:>7}{:>7}{:>9}{:>6}{:>7}{:>9}{:>9}{:>14}{:>9}  {}\n", name, s.fused.kernels.size(),
                     s.plan.phases.size(), Barriers(s.plan), s.plan.ports.size(), s.plan.copies.size(),
                     s.plan.arena_bytes, s.plan.packed_bytes, s.plan.intermediate_bytes, s.plan.unfused_bytes, by_kind);
}

std::string Header() {
  return fmt::format(
      "# What the compiler makes of reference programs at a batch of {}: how many kernels, barriers and copies a step "
      "has,\n"
      "# the bytes of the arena (of them packed weights), of all intermediates, had each a buffer of its own, and of "
      "all\n"
      "# ops' results, were nothing fused.\n"
      "# Written by FUSEBOX_UPDATE_GOLDEN=1 build/release/bin/runtime_test --gtest_filter='Structure.*'\n"
      "{:<36}{:>7}{:>7}{:>9}{:>6}{:>7}{:>9}{:>9}{:>14}{:>9}  {}\n",
      kBatch32, "# program", "kernels", "phases", "barriers", "ports", "copies", "arena", "packed", "intermediates",
      "unfused", "kernels by kind");
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(Structure, OfReferencePrograms) {
  std::string text = Header();
  for (const auto& [name, make] : kPrograms) {
    ASSERT_OK_AND_ASSIGN(const Structure structure, StructureOf(make()));
    text += Line(name, structure);
  }
  if (std::getenv("FUSEBOX_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(kGolden) << text;
    return;
  }
  std::ostringstream golden;
  golden << std::ifstream(kGolden).rdbuf();
  const std::vector<std::string> got = Lines(text), expected = Lines(golden.str());
  ASSERT_EQ(got.size(), expected.size()) << "lines in " << kGolden << "\nIf that is as it should be: " << kUpdate;
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i], expected[i]) << "in " << kGolden << "\nIf that is as it should be: " << kUpdate;
  }
}

// Compile builds the structure that is counted above.
TEST(Structure, IsWhatCompileReports) {
  const Graph program = TwoOutputs();
  ASSERT_OK_AND_ASSIGN(const Machine* const machine, FindMachine("native", /*to_run=*/true));
  ASSERT_OK_AND_ASSIGN(const Structure structure, StructureOf(program, machine->target));
  ASSERT_OK_AND_ASSIGN(const Executable executable,
                       Compile(program, {.row_capacity = kBatch32, .target_cpu = "native"}));
  const CompileReport& report = executable.report();
  EXPECT_EQ(report.kernels.size(), structure.fused.kernels.size());
  EXPECT_EQ(report.barriers, Barriers(structure.plan));
  EXPECT_EQ(report.arena_bytes, structure.plan.arena_bytes);
  EXPECT_EQ(report.packed_bytes, structure.plan.packed_bytes);
  EXPECT_EQ(report.intermediate_bytes, structure.plan.intermediate_bytes);
  EXPECT_EQ(report.unfused_bytes, structure.plan.unfused_bytes);
  EXPECT_EQ(executable.ports().size(), structure.plan.ports.size());
}

// Values share memory. The partial sums of a product in blocks of k are in the arena, too, and belong to no value.
TEST(Structure, TheArenaIsSmallerThanItsIntermediates) {
  for (const auto& [name, make] : kPrograms) {
    ASSERT_OK_AND_ASSIGN(const Structure structure, StructureOf(make()));
    if (std::ranges::any_of(structure.plan.products, [](const auto& p) { return p.second.schedule.k > 0; })) continue;
    EXPECT_LE(structure.plan.arena_bytes - structure.plan.packed_bytes, structure.plan.intermediate_bytes) << name;
  }
}

}  // namespace
}  // namespace fusebox
