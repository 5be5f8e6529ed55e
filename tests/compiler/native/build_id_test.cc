// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/native/build_id.h"

#include "gtest/gtest.h"

namespace fusebox {
namespace {

TEST(BuildId, IsAHashThatTheLinkerMade) {
  EXPECT_EQ(BuildId().size(), 40u);
  EXPECT_EQ(BuildId().find_first_not_of("0123456789abcdef"), std::string::npos) << BuildId();
}

}  // namespace
}  // namespace fusebox
