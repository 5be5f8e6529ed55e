// SPDX-License-Identifier: Apache-2.0
// Skips all tests if FUSEBOX_TARGET_CPU names a CPU whose code cannot run here.
#include "fusebox/compiler/compiler.h"
#include "gtest/gtest.h"

namespace fusebox::testing {
namespace {

class TargetRunsHere : public ::testing::Environment {
  void SetUp() override {
    const absl::Status status = CheckTargetCpu("");
    if (!status.ok()) GTEST_SKIP() << status.message();
  }
};

const auto* const kTargetRunsHere = ::testing::AddGlobalTestEnvironment(new TargetRunsHere);

}  // namespace
}  // namespace fusebox::testing
