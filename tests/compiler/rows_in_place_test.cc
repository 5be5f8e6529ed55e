// SPDX-License-Identifier: Apache-2.0
// Products that read rows directly from their data set: which do, and their values compared with the evaluator's.
#include "fmt/format.h"
#include "gtest/gtest.h"
#include "tests/compiler/fuse_all.h"
#include "tests/compiler/run_jit.h"
#include "tests/support/compare.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

void ExpectLines(const Graph& graph, const std::vector<std::string>& expected) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(graph));
  EXPECT_EQ(Lines(program), expected);
}

TEST(RowsInPlace, ProductsReadThemWhereTheyLie) {
  ExpectLines(ParseGraph(R"(
    %order = input : i32[N]
    %w = input : f32[12,5]
    %d = input : f32[N,5]
    %x = rows %order : f32[N,3,4]
    %0 = reshape %x : f32[N,12]
    %1 = matmul %0, %w : f32[N,5]
    %2 = matmul %0, %d {transpose_a = true} : f32[12,5]
    return y = %1, g = %2)"),
              {"matmul: rows matmul", "matmul: rows matmul"});
}

// A number as a matrix is stored in no rows.
TEST(RowsInPlace, AProductOfANumberHasNoneOfThem) {
  ExpectLines(ParseGraph(R"(
    %a = input : f32[]
    %w = input : f32[1,5]
    %0 = reshape %a {dims = [1, 1]} : f32[1,1]
    %1 = matmul %0, %w : f32[1,5]
    return y = %1)"),
              {"matmul: matmul"});
}

TEST(RowsInPlace, OthersThanProductsNeedACopy) {
  ExpectLines(ParseGraph(R"(
    %order = input : i32[N]
    %w = input : f32[12,5]
    %x = rows %order : f32[N,12]
    %0 = matmul %x, %w : f32[N,5]
    %1 = max %x, 0 : f32[N,12]
    return y = %0, z = %1)"),
              {"rows: rows max", "matmul: matmul"});
}

TEST(RowsInPlace, RowsOfAnotherShapeNeedACopy) {
  ExpectLines(ParseGraph(R"(
    %order = input : i32[N]
    %w = input : f32[4,5]
    %x = rows %order : f32[N,3,4]
    %0 = reshape %x : f32[3*N,4]
    %1 = matmul %0, %w : f32[3*N,5]
    return y = %1)"),
              {"rows: rows", "matmul: matmul"});
}

TEST(RowsInPlace, BothOperandsNeedACopy) {
  ExpectLines(ParseGraph(R"(
    %order = input : i32[N]
    %x = rows %order : f32[N,12]
    %0 = matmul %x, %x {transpose_a = true} : f32[12,12]
    return y = %0)"),
              {"rows: rows", "matmul: matmul"});
}

TEST(RowsInPlace, AnOrderThatIsComputedComesFirst) {
  const Graph graph = ParseGraph(R"(
    %order = input : i32[N]
    %w = input : f32[3,5]
    %0 = max %order, 2 : i32[N]
    %x = rows %0 : f32[N,3]
    %1 = matmul %x, %w : f32[N,5]
    return y = %1)");
  ExpectLines(graph, {"rows: max", "matmul: rows matmul"});
}

// Columns, units, dtype. Whole tiles and remainders; products over few rows, over so many that they are copied, and in
// blocks.
struct Case {
  int64_t columns, units;
  const char* dtype;
};

class RowsInPlaceSweep : public ::testing::TestWithParam<Case> {};

TEST_P(RowsInPlaceSweep, AgreesWithTheEvaluator) {
  const auto& [columns, units, dtype] = GetParam();
  const Graph graph = ParseGraph(fmt::format(R"(
    %order = input : i32[N]
    %w = input : {2}[{0},{1}]
    %d = input : {2}[N,{1}]
    %x = rows %order : {2}[N,{0}]
    %0 = matmul %x, %w : {2}[N,{1}]
    %1 = matmul %x, %d {{transpose_a = true}} : {2}[{0},{1}]
    return y = %0, g = %1)",
                                             columns, units, dtype));
  for (const int64_t row_capacity : {7, 70, 300}) {
    ASSERT_OK_AND_ASSIGN(const Executable program, Compile(graph, {.row_capacity = row_capacity}));
    for (const int64_t batch : {int64_t{1}, row_capacity / 2, row_capacity - 1, row_capacity}) {
      SCOPED_TRACE(fmt::format("{} of {} rows", batch, row_capacity));
      const Bindings bindings = RandomBindings(graph, uint64_t(batch), batch);
      ASSERT_OK_AND_ASSIGN(const Evaluation one, RunStep(program, bindings, 1));
      const Agreement agreement = Compare(graph, bindings, one);
      ASSERT_EQ(agreement.mismatch, "");
      for (const int threads : {2, 3}) {
        ASSERT_OK_AND_ASSIGN(const Evaluation more, RunStep(program, bindings, threads));
        EXPECT_TRUE(one.outputs == more.outputs) << threads << " threads change bits";
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, RowsInPlaceSweep,
                         ::testing::Values(Case{1, 1, "f32"}, Case{5, 17, "f32"}, Case{40, 8, "f64"},
                                           Case{101, 300, "f32"}, Case{260, 130, "f64"}, Case{300, 301, "f32"}),
                         [](const auto& shape) {
                           return fmt::format("{}x{}{}", shape.param.columns, shape.param.units, shape.param.dtype);
                         });

}  // namespace
}  // namespace fusebox::testing
