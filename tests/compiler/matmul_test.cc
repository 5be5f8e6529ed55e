// SPDX-License-Identifier: Apache-2.0
// Compares generated matrix products with the evaluator: odd shapes, transposed operands, rows, columns and inner
// dimensions that depend on the batch, batches smaller than the capacity, one to four threads.
#include <cmath>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "tests/compiler/run_jit.h"
#include "tests/support/compare.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

constexpr int64_t kN = -1;
std::string Show(int64_t d) { return d == kN ? "N" : std::to_string(d); }

struct Product {
  int64_t m, n, k;
  bool ta, tb;
  const char* dtype;
};

// A program with all these products, which share no operands.
std::string Program(const std::vector<Product>& products) {
  std::string text, results;
  for (size_t i = 0; i < products.size(); ++i) {
    const auto& [m, n, k, ta, tb, dtype] = products[i];
    const auto matrix = [type = dtype](int64_t rows, int64_t columns) {
      return fmt::format("{}[{},{}]", type, Show(rows), Show(columns));
    };
    text += fmt::format("%a{} = input : {}\n", i, ta ? matrix(k, m) : matrix(m, k));
    text += fmt::format("%b{} = input : {}\n", i, tb ? matrix(n, k) : matrix(k, n));
    text += fmt::format("%{} = matmul %a{}, %b{} {{transpose_a = {}, transpose_b = {}}} : {}\n", i, i, i, ta, tb,
                        matrix(m, n));
    results += fmt::format("{}{}x{}x{}{}{}{}_{} = %{}", i > 0 ? ", " : "", Show(m), Show(n), Show(k), dtype,
                           ta ? "_ta" : "", tb ? "_tb" : "", i, i);
  }
  return text + "return " + results;
}

// Compares one thread with the evaluator, then checks for equal bits on two to four threads.
void Check(const std::vector<Product>& products, int64_t row_capacity, const std::vector<int64_t>& batches) {
  const Graph graph = ParseGraph(Program(products));
  ASSERT_OK_AND_ASSIGN(const Executable program, Compile(graph, {.row_capacity = row_capacity}));
  for (const int64_t batch : batches) {
    SCOPED_TRACE(fmt::format("{} of {} rows", batch, row_capacity));
    const Bindings bindings = RandomBindings(graph, uint64_t(batch), batch);
    ASSERT_OK_AND_ASSIGN(const Evaluation one, RunStep(program, bindings, 1));
    const Agreement agreement = Compare(graph, bindings, one);
    ASSERT_EQ(agreement.mismatch, "");
    EXPECT_EQ(agreement.unbounded, 0);
    for (const int threads : {2, 3, 4}) {
      ASSERT_OK_AND_ASSIGN(const Evaluation more, RunStep(program, bindings, threads));
      EXPECT_TRUE(one.outputs == more.outputs) << threads << " threads change bits";
    }
  }
}

TEST(MatMul, ManyShapes) {
  constexpr int64_t kSizes[] = {0, 1, 2, 5, 7, 8, 15, 16, 17, 31, 33, 100};
  constexpr size_t kCount = std::size(kSizes);
  // Every pair (m, n); k, the transposes and the dtype cycle at other rates, so that all pairs of them occur, too.
  for (size_t i = 0; i < kCount; ++i) {
    std::vector<Product> products;
    for (size_t j = 0; j < kCount; ++j) {
      const size_t turn = i * 5 + j * 7;
      products.push_back({kSizes[i], kSizes[j], kSizes[(i + 5 * j + i * j) % kCount], (turn / 2) % 2 != 0,
                          (turn / 3) % 2 != 0, (i + j) % 3 == 0 ? "f64" : "f32"});
    }
    SCOPED_TRACE(fmt::format("m = {}", kSizes[i]));
    ASSERT_NO_FATAL_FAILURE(Check(products, 1, {1}));
  }
}

TEST(MatMul, BatchIsRowsColumnsOrInnerDimension) {
  for (const int64_t row_capacity : {1, 33}) {
    std::vector<Product> products;
    for (const bool ta : {false, true}) {
      for (const bool tb : {false, true}) {
        products.push_back({kN, 17, 7, ta, tb, "f32"});
        products.push_back({kN, 64, 100, ta, tb, ta == tb ? "f32" : "f64"});
        products.push_back({31, kN, 5, ta, tb, "f32"});
        products.push_back({8, kN, 16, ta, tb, "f64"});
        products.push_back({15, 33, kN, ta, tb, "f32"});
        products.push_back({2, 100, kN, ta, tb, ta == tb ? "f64" : "f32"});
      }
    }
    products.push_back({kN, 1, 1, false, false, "f32"});
    products.push_back({kN, 3, 0, false, false, "f32"});
    ASSERT_NO_FATAL_FAILURE(Check(
        products, row_capacity, row_capacity == 1 ? std::vector<int64_t>{1} : std::vector<int64_t>{1, 5, 16, 32, 33}));
  }
}

// B is large: blocks of k, rows and columns, whole and partial. A and B are copied in some cases and not in others.
TEST(MatMul, InBlocks) {
  Check({{20, 260, 257, false, false, "f32"},   // Few row tiles: nothing is copied.
         {50, 203, 400, true, true, "f32"},     // B is copied.
         {48, 1030, 256, false, false, "f32"},  // In groups of panels, the last of them narrow.
         {101, 215, 384, true, false, "f32"},   // A is copied, too, transposed,
         {103, 330, 300, false, false, "f32"},  // and untransposed.
         {75, 150, 300, true, false, "f64"},
         {kN, 300, 270, false, false, "f32"},
         {107, 240, kN, true, false, "f32"}},
        /*row_capacity=*/300, {1, 127, 129, 300});
}

TEST(MatMul, ManyRowsInBlocks) {
  Check(
      {{403, 300, 280, false, false, "f32"}, {kN, 256, 257, false, false, "f32"}, {390, 272, 258, true, false, "f32"}},
      /*row_capacity=*/260, {259});
}

// A few rows of B at a time, each from end to end.
TEST(MatMul, FewRowsOfA) {
  Check({{1, 1003, 70, false, false, "f32"},
         {1, 4500, 17, false, false, "f32"},
         {2, 2100, 36, true, true, "f32"},
         {4, 1100, 64, false, false, "f32"},
         {6, 3001, 23, true, false, "f32"},
         {3, 700, 50, false, false, "f64"},
         {kN, 1001, 67, false, false, "f32"}},
        /*row_capacity=*/5, {1, 3, 5});
}

TEST(MatMul, ProductOfAProduct) {
  const Graph graph = ParseGraph(R"(
    %x = input : f32[N,3]
    %v = input : f32[3,5]
    %w = input : f32[5,2]
    %0 = matmul %x, %v : f32[N,5]
    %1 = max %0, 0 : f32[N,5]
    %2 = matmul %1, %w : f32[N,2]
    %3 = matmul %1, %2 {transpose_a = true} : f32[5,2]
    return y = %2, z = %3)");
  ASSERT_OK_AND_ASSIGN(const Executable program, Compile(graph, {.row_capacity = 40}));
  for (const int64_t batch : {1, 2, 39, 40}) {
    const Bindings bindings = RandomBindings(graph, 7, batch);
    ASSERT_OK_AND_ASSIGN(const Evaluation one, RunStep(program, bindings, 1));
    EXPECT_EQ(Compare(graph, bindings, one).mismatch, "");
    for (const int threads : {2, 4}) {
      ASSERT_OK_AND_ASSIGN(const Evaluation more, RunStep(program, bindings, threads));
      EXPECT_TRUE(one.outputs == more.outputs) << threads << " threads, batch " << batch;
    }
  }
}

// The bits of a row depend on that row only, not on the batch or its place in it.
TEST(MatMul, RowsDoNotDependOnTheBatch) {
  const Graph graph =
      ParseGraph("%x = input : f32[N,37]\n%w = input : f32[37,19]\n%0 = matmul %x, %w : f32[N,19]\nreturn y = %0");
  ASSERT_OK_AND_ASSIGN(const Executable program, Compile(graph, {.row_capacity = 33}));
  const Bindings all = RandomBindings(graph, 3, 33);
  ASSERT_OK_AND_ASSIGN(const Evaluation want, RunStep(program, all, 1));
  const auto x = all.inputs.at("x").values<float>();
  const auto y = want.outputs.at("y").values<float>();
  for (const int64_t batch : {1, 4, 9, 20}) {
    Bindings some = all;
    some.batch = batch;
    const size_t first = 33 - size_t(batch);
    some.inputs["x"] = Literal::Of({batch, 37}, std::vector<float>(x.begin() + int64_t(first) * 37, x.end()));
    ASSERT_OK_AND_ASSIGN(const Evaluation got, RunStep(program, some, 1));
    EXPECT_TRUE(got.outputs.at("y") ==
                Literal::Of({batch, 19}, std::vector<float>(y.begin() + int64_t(first) * 19, y.end())))
        << "batch " << batch;
  }
}

// NaN and infinity spread only by arithmetic: within their own row (or column), and nowhere else.
TEST(MatMul, NaNStaysInItsRowAndColumn) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();
  for (const bool ta : {false, true}) {
    const Graph graph = ParseGraph(Program({{kN, 21, 9, ta, false, "f32"}}));
    ASSERT_OK_AND_ASSIGN(const Executable program, Compile(graph, {.row_capacity = 33}));
    for (const int64_t batch : {3, 14, 33}) {
      const Bindings clean = RandomBindings(graph, 11, batch);
      ASSERT_OK_AND_ASSIGN(const Evaluation want, RunStep(program, clean, 1));
      Bindings dirty = clean;
      dirty.inputs["a0"].mutable_values<float>()[size_t(ta ? 4 * batch + 2 : 2 * 9 + 4)] = kNaN;  // Row 2, k = 4.
      dirty.inputs["b0"].mutable_values<float>()[6 * 21 + 20] = kInfinity;                        // Column 20, k = 6.
      ASSERT_OK_AND_ASSIGN(const Evaluation got, RunStep(program, dirty, 1));
      const auto y = got.outputs.begin()->second.values<float>(),
                 y_clean = want.outputs.begin()->second.values<float>();
      for (int64_t i = 0; i < batch; ++i) {
        for (int64_t j = 0; j < 21; ++j) {
          const auto at = size_t(i * 21 + j);
          if (i == 2) {
            EXPECT_TRUE(std::isnan(y[at])) << i << "," << j;
          } else if (j == 20) {
            EXPECT_TRUE(std::isinf(y[at])) << i << "," << j << ": " << y[at];
          } else {
            EXPECT_EQ(y[at], y_clean[at]) << i << "," << j;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace fusebox::testing
