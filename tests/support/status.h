// SPDX-License-Identifier: Apache-2.0
// absl::Status in tests.
#pragma once
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fusebox::testing {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <class T>
const absl::Status& StatusOf(const absl::StatusOr<T>& status_or) {
  return status_or.status();
}

MATCHER(IsOk, "is OK") {
  if (StatusOf(arg).ok()) return true;
  *result_listener << StatusOf(arg).ToString();
  return false;
}

// Not OK, and the message matches: EXPECT_THAT(Parse("x"), StatusHasMessage(HasSubstr("line 1")));
MATCHER_P(StatusHasMessage, message_matcher, "") {
  if (StatusOf(arg).ok()) {
    *result_listener << "which is OK";
    return false;
  }
  return ::testing::ExplainMatchResult(message_matcher, std::string(StatusOf(arg).message()), result_listener);
}

}  // namespace fusebox::testing

#define EXPECT_OK(expression) EXPECT_THAT(expression, ::fusebox::testing::IsOk())
#define ASSERT_OK(expression) ASSERT_THAT(expression, ::fusebox::testing::IsOk())

// ASSERT_OK_AND_ASSIGN(const Graph graph, Parse(text));
#define ASSERT_OK_AND_ASSIGN(target, expression) \
  FUSEBOX_ASSERT_OK_AND_ASSIGN(FUSEBOX_JOIN(status_or_, __LINE__), target, expression)
#define FUSEBOX_JOIN(a, b) FUSEBOX_JOIN_AGAIN(a, b)
#define FUSEBOX_JOIN_AGAIN(a, b) a##b
#define FUSEBOX_ASSERT_OK_AND_ASSIGN(temporary, target, expression) \
  auto temporary = (expression);                                    \
  ASSERT_OK(temporary);                                             \
  target = *std::move(temporary)
