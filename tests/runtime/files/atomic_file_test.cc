// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/atomic_file.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "fusebox/runtime/fit/interrupt.h"
#include "tests/runtime/files/files.h"

namespace fusebox {
namespace {

using ::fusebox::testing::Slurp;
using ::fusebox::testing::Spill;
using ::fusebox::testing::StatusHasMessage;
using ::fusebox::testing::TempFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(AtomicFile, WritesAndReplaces) {
  const TempFolder folder;
  EXPECT_OK(WriteFileAtomically(folder / "a", "one"));
  EXPECT_EQ(Slurp(folder / "a"), "one");
  EXPECT_OK(WriteFileAtomically(folder / "a", std::string("t\0wo", 4)));
  EXPECT_EQ(Slurp(folder / "a"), std::string("t\0wo", 4));
  EXPECT_THAT(folder.Names(), ElementsAre("a"));
}

TEST(AtomicFile, NewFilesHaveTheModeOfTheUmask) {
  const TempFolder folder;
  const mode_t before = ::umask(027);
  EXPECT_OK(WriteFileAtomically(folder / "a", "x"));
  ::umask(before);
  struct stat info;
  ASSERT_EQ(::stat((folder / "a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

// A second signal ends a process in the midst of any work. This process writes all the time, and is stopped while it
// writes.
TEST(AtomicFile, TheSecondSignalLeavesNoTemporaryFile) {
  const TempFolder folder;
  const std::string bytes(size_t{1} << 22, 'x');
  const pid_t child = ::fork();
  if (child == 0) {
    StopOnSignals();
    while (WriteFileAtomically(folder / "a", bytes).ok()) continue;
    ::_exit(1);
  }
  ASSERT_GT(child, 0);
  const auto is_writing = [&] {
    return std::ranges::any_of(folder.Names(), [](const std::string& name) { return name.starts_with(".a."); });
  };
  int status = 0;
  while (true) {
    while (!is_writing()) std::this_thread::yield();
    ASSERT_EQ(::kill(child, SIGSTOP), 0);
    ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
    ASSERT_TRUE(WIFSTOPPED(status)) << status;
    if (is_writing()) break;  // Otherwise it had just renamed the file.
    ::kill(child, SIGCONT);
  }
  // Both are delivered, one after the other, before the process continues.
  ::kill(child, SIGINT);
  ::kill(child, SIGTERM);
  ::kill(child, SIGCONT);
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << status;
  EXPECT_TRUE(WEXITSTATUS(status) == 128 + SIGTERM || WEXITSTATUS(status) == 128 + SIGINT) << WEXITSTATUS(status);
  EXPECT_FALSE(is_writing());
  if (!folder.Names().empty()) {
    EXPECT_THAT(folder.Names(), ElementsAre("a"));
    EXPECT_EQ(Slurp(folder / "a"), bytes);
  }
}

TEST(AtomicFile, FollowsLinksToFiles) {
  const TempFolder folder;
  Spill(folder / "file", "old");
  std::filesystem::create_symlink("file", folder / "link");
  EXPECT_OK(WriteFileAtomically(folder / "link", "new"));
  EXPECT_EQ(Slurp(folder / "file"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
}

TEST(AtomicFile, RefusesWhatIsNoRegularFile) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "sub");
  std::filesystem::create_symlink("nothing", folder / "dangling");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  const std::pair<std::string, const char*> cases[] = {
      {"", "an output path is empty"},
      {folder / "sub", "a file name expected, got a folder"},
      {folder / "new/", "a file name expected, got a folder"},
      {folder / "pipe", "a regular file expected, got a device, pipe or socket"},
      {"/dev/null", "a regular file expected, got a device, pipe or socket"},
      {folder / "dangling", "a regular file expected, got a link to nothing"},
      {folder / "missing/a", "there is no folder '"}};
  for (const auto& [path, message] : cases) {
    EXPECT_THAT(CheckWritable(path), StatusHasMessage(HasSubstr(message))) << path;
    EXPECT_THAT(WriteFileAtomically(path, "x"), StatusHasMessage(HasSubstr(message))) << path;
  }
  Spill(folder / "file", "");
  EXPECT_THAT(CheckWritable(folder / "file/a"), StatusHasMessage(HasSubstr("is not a folder")));
}

TEST(AtomicFile, CheckWritableLeavesNothing) {
  const TempFolder folder;
  EXPECT_OK(CheckWritable(folder / "a"));
  EXPECT_THAT(folder.Names(), ElementsAre());
  Spill(folder / "a", "old");
  EXPECT_OK(CheckWritable(folder / "a"));
  EXPECT_EQ(Slurp(folder / "a"), "old");
}

TEST(AtomicFile, AFolderThatCannotBeWrittenIsSeenByRootToo) {
  // Even root cannot create a file in /proc.
  EXPECT_THAT(CheckWritable("/proc/fusebox_test"),
              StatusHasMessage(HasSubstr("'/proc/fusebox_test': cannot create a file")));
  if (::geteuid() == 0) return;
  const TempFolder folder;
  std::filesystem::create_directory(folder / "read_only");
  std::filesystem::permissions(folder / "read_only", std::filesystem::perms(0500));
  EXPECT_THAT(CheckWritable(folder / "read_only/a"), StatusHasMessage(HasSubstr("Permission denied")));
}

}  // namespace
}  // namespace fusebox
