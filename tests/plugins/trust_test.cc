// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/plugins/trust.h"

#include <sys/stat.h>
#include <unistd.h>

#include "fusebox/runtime/plugins/library.h"
#include "fusebox/runtime/plugins/registry.h"
#include "tests/runtime/files/files.h"

namespace fusebox {
namespace {

using ::fusebox::testing::Spill;
using ::fusebox::testing::StatusHasMessage;
using ::fusebox::testing::TempFolder;
using ::testing::HasSubstr;

constexpr uid_t kStranger = 65533;

class Trust : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_ / "plugins");
    Spill(file_, "");
    Chmod(folder_ / "plugins", 0755);
    Chmod(file_, 0644);
  }
  void Chmod(const std::string& path, mode_t mode) { ASSERT_EQ(::chmod(path.c_str(), mode), 0); }

  const TempFolder folder_;
  const std::string file_ = folder_ / "plugins/a.so";
};

TEST_F(Trust, TheUsersOwnLibrariesAreLoaded) {
  EXPECT_OK(CheckTrusted(file_));
  Chmod(folder_ / "plugins", 0775);  // A group's right, as a umask of 002 gives it.
  EXPECT_OK(CheckTrusted(file_));
}

TEST_F(Trust, WhatEveryoneMayWriteIsNot) {
  Chmod(file_, 0666);
  EXPECT_THAT(CheckTrusted(file_), StatusHasMessage(HasSubstr("everyone may write to the file '")));
  Chmod(file_, 0644);
  Chmod(folder_ / "plugins", 0777);
  EXPECT_THAT(CheckTrusted(file_), StatusHasMessage(HasSubstr("everyone may write to the folder '")));
  EXPECT_THAT(LoadLibrary(file_).status(),
              StatusHasMessage(HasSubstr("a.so: is not loaded, as everyone may write to the folder '")));
}

TEST_F(Trust, ALinkInAFolderThatEveryoneMayWriteToIsNot) {
  std::filesystem::create_directory(folder_ / "links");
  std::filesystem::create_symlink(file_, folder_ / "links/a.so");
  Chmod(folder_ / "links", 0755);
  EXPECT_OK(CheckTrusted(folder_ / "links/a.so"));
  Chmod(folder_ / "links", 0777);
  EXPECT_THAT(CheckTrusted(folder_ / "links/a.so"), StatusHasMessage(HasSubstr("links': take that right away")));
}

TEST_F(Trust, WhatBelongsToSomeoneElseIsNot) {
  if (::geteuid() != 0) GTEST_SKIP() << "files are given away by root alone";
  ASSERT_EQ(::chown(file_.c_str(), kStranger, kStranger), 0);
  EXPECT_THAT(CheckTrusted(file_), StatusHasMessage(HasSubstr("belongs to user 65533: expected one that belongs to")));
  ASSERT_EQ(::chown(file_.c_str(), 0, 0), 0);
  ASSERT_EQ(::chown((folder_ / "plugins").c_str(), kStranger, kStranger), 0);
  EXPECT_THAT(CheckTrusted(file_), StatusHasMessage(HasSubstr("the folder '")));
}

TEST_F(Trust, PathsOfTheEnvironmentAreAbsolute) {
  ::setenv("FUSEBOX_PLUGIN_PATH", "plugins:.", 1);
  Registry registry;
  registry.LoadSearchPath("");
  ::unsetenv("FUSEBOX_PLUGIN_PATH");
  ASSERT_EQ(registry.refused().size(), 2u);
  EXPECT_EQ(registry.refused()[1], "FUSEBOX_PLUGIN_PATH: expected absolute paths, got '.'");
}

}  // namespace
}  // namespace fusebox
