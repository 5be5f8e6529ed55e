// SPDX-License-Identifier: Apache-2.0
// Runs the fusebox command as a user does.
#pragma once
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "fusebox/runtime/files/subprocess.h"
#include "gtest/gtest.h"

namespace fusebox::testing {

inline ProcessResult Fusebox(std::vector<std::string> words) {
  words.insert(words.begin(), FUSEBOX_BIN);
  absl::StatusOr<ProcessResult> result =
      RunProcess(words, "", {.time = std::chrono::seconds(100), .output_bytes = uint64_t{1} << 26});
  if (!result.ok()) {
    ADD_FAILURE() << result.status();
    return {.exit_code = -1, .signal = 0, .output = {}, .errors = {}};
  }
  return *std::move(result);
}

// An empty folder for this test.
class CommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) /
              (std::string("fusebox_") + info->test_suite_name() + "_" + info->name() + "_" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) names.push_back(entry.path().filename());
    return names;
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace fusebox::testing
