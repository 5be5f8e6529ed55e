// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/differentiate_control.h"

#include "fusebox/compiler/passes/differentiate.h"
#include "fusebox/graph/text.h"
#include "gtest/gtest.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox {
namespace {

using testing::Canonical;
using testing::ParseGraph;

TEST(DifferentiateControl, AScanKeepsItsCarriesAndAnotherOneGoesBack) {
  const Graph before = ParseGraph(R"(
    %x = input                      : f32[3]
    %w = input                      : f32[]
    %0 = scan %w, %x, %w {carries = 1, length = 3, sequences = 1} : f32[] {
      %arg0 = input {name = "0"}    : f32[]
      %arg1 = input {name = "1"}    : f32[]
      %arg2 = input {name = "2"}    : f32[]
      %0 = multiply %arg0, %arg2    : f32[]
      %1 = add %0, %arg1            : f32[]
      return 0 = %1
    }
    %1 = gradient %0, %w            : f32[]
    return dw = %1)");
  ASSERT_OK_AND_ASSIGN(const Graph after, Differentiate(before));
  EXPECT_EQ(Print(after), Canonical(R"(
    %x = input                                                      : f32[3]
    %w = input                                                      : f32[]
    %0 = scan %w, %x, %w {carries = 1, length = 3, sequences = 1}   : f32[] {
      %arg0 = input {name = "0"}   : f32[]
      %arg1 = input {name = "1"}   : f32[]
      %arg2 = input {name = "2"}   : f32[]
      %0 = multiply %arg0, %arg2   : f32[]
      %1 = add %0, %arg1           : f32[]
      return 0 = %1, 1 = %arg0
    }
    %1 = constant 1                                                 : f32[]
    %2 = constant 0                                                 : f32[]
    %3 = result %0 {index = 1}                                      : f32[3]
    %4 = scan %1, %2, %3, %w {carries = 2, length = 3, reverse = true, sequences = 1}   : f32[] {
      %arg0 = input {name = "0"}   : f32[]
      %arg1 = input {name = "1"}   : f32[]
      %arg2 = input {name = "2"}   : f32[]
      %arg3 = input {name = "3"}   : f32[]
      %0 = multiply %arg0, %arg3   : f32[]
      %1 = multiply %arg0, %arg2   : f32[]
      %2 = add %arg1, %1           : f32[]
      return 0 = %0, 1 = %2
    }
    %5 = result %4 {index = 1}                                      : f32[]
    %6 = add %4, %5                                                 : f32[]
    return dw = %6)"));
}

TEST(DifferentiateControl, ACondOfTheGradientsOfBothBranches) {
  const Graph before = ParseGraph(R"(
    %p = input                      : bool[]
    %x = input                      : f32[]
    %0 = cond %p, %x                : f32[] {
      %arg1 = input {name = "1"}    : f32[]
      %0 = exp %arg1                : f32[]
      return 0 = %0
    } {
      %0 = constant 2               : f32[]
      return 0 = %0
    }
    %1 = gradient %0, %x            : f32[]
    return dx = %1)");
  ASSERT_OK_AND_ASSIGN(const Graph after, Differentiate(before));
  EXPECT_EQ(Print(after), Canonical(R"(
    %p = input             : bool[]
    %x = input             : f32[]
    %0 = constant 1        : f32[]
    %1 = cond %p, %x, %0   : f32[] {
      %arg1 = input {name = "1"}   : f32[]
      %arg2 = input {name = "2"}   : f32[]
      %0 = exp %arg1               : f32[]
      %1 = multiply %arg2, %0      : f32[]
      return 0 = %1
    } {
      %0 = constant 0   : f32[]
      return 0 = %0
    }
    return dx = %1)"));
}

}  // namespace
}  // namespace fusebox
