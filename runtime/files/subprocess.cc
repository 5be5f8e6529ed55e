// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <optional>

#include "fusebox/runtime/files/file_descriptor.h"
#include "fusebox/runtime/files/signal_cleanup.h"
#include "fusebox/runtime/files/system_error.h"

extern char** environ;

namespace fusebox {
namespace {

using Clock = std::chrono::steady_clock;

// Moves a descriptor out of the way of 0, 1 and 2, which are free if our own were closed.
FileDescriptor Raise(int fd) {
  if (fd < 0 || fd > 2) return FileDescriptor(fd);
  const FileDescriptor low(fd);
  return FileDescriptor(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

// The input lies in memory rather than in a pipe: no thread has to feed it while the output is read.
absl::StatusOr<FileDescriptor> InputFile(std::string_view input, const std::string& who) {
  FileDescriptor fd = Raise(::memfd_create("fusebox-input", MFD_CLOEXEC));
  if (!fd.ok()) return SystemError(who, "cannot make its input", errno);
  while (!input.empty()) {
    const ssize_t n = ::write(fd.get(), input.data(), std::min<size_t>(input.size(), size_t{1} << 30));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError(who, "cannot make its input", errno);
    input.remove_prefix(size_t(n));
  }
  if (::lseek(fd.get(), 0, SEEK_SET) != 0) return SystemError(who, "cannot make its input", errno);
  return fd;
}

struct Pipe {
  FileDescriptor read, write;
};

absl::StatusOr<Pipe> MakePipe(const std::string& who) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return SystemError(who, "cannot make a pipe", errno);
  return Pipe{Raise(ends[0]), Raise(ends[1])};
}

// A child that is killed and waited for when this object goes, unless it was waited for before.
class Child {
 public:
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    Wait();
  }

  // Returns an errno.
  int Start(const std::vector<std::string>& argv, int input, int output, int errors, uint64_t memory_bytes) {
    std::vector<char*> words;
    for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, errors, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    // In a process group of its own, where a Ctrl-C meant for us does not reach it.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    const int error = posix_spawnp(&pid_, words[0], &actions, &attributes, words.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
      pid_ = -1;
    } else {
      killed_by_signal_.emplace(pid_);
      const rlimit limit = {memory_bytes, memory_bytes};
      // Fails where our own limit is lower; then that one holds.
      if (memory_bytes != UINT64_MAX) ::prlimit(pid_, RLIMIT_AS, &limit, nullptr);
    }
    return error;
  }

  // The status that waitpid gives; 0 if another wait has taken it.
  int Wait() {
    int status = 0;
    killed_by_signal_.reset();
    while (::waitpid(pid_, &status, 0) < 0) {
      if (errno != EINTR) {
        status = 0;
        break;
      }
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
  std::optional<KilledBySignal> killed_by_signal_;
};

// Reads what has come, at most `limit` bytes in all; the rest is dropped. False at the end.
bool Drain(FileDescriptor& fd, std::string& into, uint64_t limit, bool& overflow) {
  char buffer[65536];
  const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
  if (n < 0) return errno == EINTR || errno == EAGAIN;
  const size_t kept = size_t(std::min<uint64_t>(uint64_t(n), limit - into.size()));
  into.append(buffer, kept);
  overflow |= kept < size_t(n);
  return n > 0;
}

}  // namespace

absl::StatusOr<ProcessResult> RunProcess(const std::vector<std::string>& argv, std::string_view input,
                                         const ProcessLimits& limits) {
  constexpr uint64_t kErrorBytes = 65536;
  const std::string who = fmt::format("'{}'", argv[0]);
  const absl::StatusOr<FileDescriptor> stdin_file = InputFile(input, who);
  if (!stdin_file.ok()) return stdin_file.status();
  absl::StatusOr<Pipe> output = MakePipe(who);
  if (!output.ok()) return output.status();
  absl::StatusOr<Pipe> errors = MakePipe(who);
  if (!errors.ok()) return errors.status();
  Child child;
  if (const int error =
          child.Start(argv, stdin_file->get(), output->write.get(), errors->write.get(), limits.memory_bytes)) {
    return SystemError(who, "cannot be started", error);
  }
  output->write.Close();
  errors->write.Close();

  ProcessResult result;
  const Clock::time_point deadline = Clock::now() + limits.time;
  bool overflow = false;
  while (output->read.ok() || errors->read.ok()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
      return absl::DeadlineExceededError(
          fmt::format("{}: stopped after {} seconds", who, double(limits.time.count()) / 1000));
    }
    pollfd fds[2] = {{output->read.get(), POLLIN, 0},
                     {errors->read.get(), POLLIN, 0}};  // A closed one is -1: poll skips it.
    if (::poll(fds, 2, int(std::min<int64_t>(left, 1'000'000))) < 0 && errno != EINTR)
      return SystemError(who, "cannot be read", errno);
    bool ignored = false;
    if (fds[0].revents != 0 && !Drain(output->read, result.output, limits.output_bytes, overflow)) output->read.Close();
    if (fds[1].revents != 0 && !Drain(errors->read, result.errors, kErrorBytes, ignored)) errors->read.Close();
    if (overflow)
      return absl::ResourceExhaustedError(fmt::format("{}: wrote more than {} bytes", who, limits.output_bytes));
  }
  const int status = child.Wait();
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

}  // namespace fusebox
