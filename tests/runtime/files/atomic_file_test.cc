// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/atomic_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
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

mode_t ModeOf(const std::string& path) {
  struct stat info = {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return info.st_mode & 0777;
}

TEST(AtomicFile, ReplacedFilesKeepTheirMode) {
  const TempFolder folder;
  const mode_t before = ::umask(022);
  for (const mode_t mode : {0600, 0640, 0664, 0444, 0755}) {
    Spill(folder / "a", "old");
    ASSERT_EQ(::chmod((folder / "a").c_str(), mode), 0);
    EXPECT_OK(WriteFileAtomically(folder / "a", "new"));
    EXPECT_EQ(ModeOf(folder / "a"), mode);
    EXPECT_EQ(Slurp(folder / "a"), "new");
    std::filesystem::remove(folder / "a");
  }
  ::umask(before);
}

TEST(AtomicFile, RootKeepsTheOwnerOfWhatItReplaces) {
  if (::geteuid() != 0) GTEST_SKIP() << "files are given away by root alone";
  const TempFolder folder;
  Spill(folder / "a", "old");
  ASSERT_EQ(::chown((folder / "a").c_str(), 65533, 65532), 0);
  ASSERT_EQ(::chmod((folder / "a").c_str(), 0640), 0);
  EXPECT_OK(WriteFileAtomically(folder / "a", "new"));
  struct stat info = {};
  ASSERT_EQ(::stat((folder / "a").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 65533u);
  EXPECT_EQ(info.st_gid, 65532u);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST(AtomicFile, DoesNotFollowAnotherUsersLinkInASharedFolder) {
  if (::geteuid() != 0) GTEST_SKIP() << "links are given away by root alone";
  const TempFolder folder;
  Spill(folder / "mine", "old");
  std::filesystem::create_directory(folder / "shared");
  ASSERT_EQ(::chmod((folder / "shared").c_str(), 01777), 0);
  std::filesystem::create_symlink(folder / "mine", folder / "shared/theirs");
  std::filesystem::create_symlink(folder / "mine", folder / "shared/ours");
  ASSERT_EQ(::lchown((folder / "shared/theirs").c_str(), 65533, 65533), 0);
  EXPECT_THAT(
      WriteFileAtomically(folder / "shared/theirs", "new"),
      StatusHasMessage(HasSubstr("a link of another user in a folder that everyone may write to is not followed")));
  EXPECT_EQ(Slurp(folder / "mine"), "old");
  EXPECT_OK(WriteFileAtomically(folder / "shared/ours", "new"));
  EXPECT_EQ(Slurp(folder / "mine"), "new");
}

// A killed process leaves its temporary file, of which the next one that writes the same file takes care.
TEST(AtomicFile, RemovesWhatKilledProcessesHaveLeft) {
  const TempFolder folder;
  const std::string bytes(size_t{1} << 22, 'x');
  const auto left = [&] {
    return std::ranges::count_if(folder.Names(), [](const std::string& name) { return name.starts_with(".a."); });
  };
  for (int tries = 0; left() == 0; ++tries) {
    ASSERT_LT(tries, 1000);
    const pid_t child = ::fork();
    if (child == 0) {
      while (WriteFileAtomically(folder / "a", bytes).ok()) continue;
      ::_exit(1);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
  }
  const std::string others[] = {".b.1-1.tmp", ".a.x-1.tmp", ".a.1-.tmp", ".a.tmp", ".a.1-1.tmp.txt"};
  for (const std::string& name : others) Spill(folder / name, "");
  EXPECT_OK(WriteFileAtomically(folder / "a", "new"));
  for (const std::string& name : others) std::filesystem::remove(folder / name);
  EXPECT_THAT(folder.Names(), ElementsAre("a"));
}

TEST(AtomicFile, LeavesWhatOthersAreWriting) {
  const TempFolder folder;
  const std::string theirs = folder / ".a.1-1.tmp";
  const int fd = ::open(theirs.c_str(), O_WRONLY | O_CREAT, 0600);
  ASSERT_EQ(::flock(fd, LOCK_EX), 0);
  EXPECT_OK(WriteFileAtomically(folder / "a", "new"));
  EXPECT_TRUE(std::filesystem::exists(theirs));
  ::close(fd);
  EXPECT_OK(CheckWritable(folder / "a"));
  EXPECT_FALSE(std::filesystem::exists(theirs));
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
  const std::string longest(255, 'n');
  EXPECT_OK(WriteFileAtomically(folder / longest, "x"));
  EXPECT_THAT(CheckWritable(folder / (longest + "n")),
              StatusHasMessage(HasSubstr("expected a file name of at most 255 bytes, got 256")));
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
