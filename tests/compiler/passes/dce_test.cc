// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/dce.h"

#include "fusebox/graph/text.h"
#include "gtest/gtest.h"
#include "tests/support/compare.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox {
namespace {

using testing::Canonical;
using testing::ExpectSameValues;
using testing::ParseGraph;

TEST(Dce, KeepsWhatOutputsAndUpdatesNeed) {
  const Graph before = ParseGraph(R"(
    program {loss = "mse"}
    %x = input                        : f32[3]
    %unused = input                   : f32[3]
    %w = state {kind = "weight"}      : f32[3]
    %idle = state {kind = "weight"}   : f32[3]
    %0 = exp %x                       : f32[3]
    %1 = exp %unused                  : f32[3]
    %2 = add %w, %0                   : f32[3]
    %3 = multiply %2, %1              : f32[3]
    update %w = %2
    return y = %0)");
  ASSERT_OK_AND_ASSIGN(const Graph after, EliminateDeadCode(before));
  EXPECT_EQ(Print(after), Canonical(R"(
    program {loss = "mse"}
    %x = input                        : f32[3]
    %w = state {kind = "weight"}      : f32[3]
    %0 = exp %x                       : f32[3]
    %1 = add %w, %0                   : f32[3]
    update %w = %1
    return y = %0)"));
  ExpectSameValues(before, after);
}

}  // namespace
}  // namespace fusebox
