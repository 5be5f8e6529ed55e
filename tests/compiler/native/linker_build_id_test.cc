// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/native/linker_build_id.h"

#include "gtest/gtest.h"

namespace fusebox {
namespace {

TEST(LinkerBuildId, IsAHashThatTheLinkerMade) {
  EXPECT_EQ(LinkerBuildId().size(), 40u);
  EXPECT_EQ(LinkerBuildId().find_first_not_of("0123456789abcdef"), std::string::npos) << LinkerBuildId();
}

}  // namespace
}  // namespace fusebox
