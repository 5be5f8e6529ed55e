// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/double_negation.h"

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

TEST(DropDoubleNegations, LeavesOneOfThree) {
  const Graph before = ParseGraph(R"(
    %x = input       : f32[3]
    %0 = negate %x   : f32[3]
    %1 = negate %0   : f32[3]
    %2 = negate %1   : f32[3]
    return y = %2)");
  ASSERT_OK_AND_ASSIGN(const Graph dropped, DropDoubleNegations(before));
  ASSERT_OK_AND_ASSIGN(const Graph after, EliminateDeadCode(dropped));
  EXPECT_EQ(Print(after), Canonical(R"(
    %x = input       : f32[3]
    %0 = negate %x   : f32[3]
    return y = %0)"));
  ExpectSameValues(before, after);
}

}  // namespace
}  // namespace fusebox
