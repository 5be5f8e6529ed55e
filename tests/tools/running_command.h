// SPDX-License-Identifier: Apache-2.0
// The fusebox command while it runs, to send signals to.
#pragma once
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "fusebox/runtime/files/subprocess.h"
#include "gtest/gtest.h"

namespace fusebox::testing {

// The command's output must fit into a pipe (64 KiB): it is read after the command has ended.
class RunningCommand {
 public:
  explicit RunningCommand(std::vector<std::string> words) {
    words.insert(words.begin(), FUSEBOX_BIN);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    EXPECT_EQ(pipe2(output_, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(errors_, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output_[1], 1);
    posix_spawn_file_actions_adddup2(&actions, errors_[1], 2);
    EXPECT_EQ(posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(output_[1]);
    close(errors_[1]);
  }
  RunningCommand(const RunningCommand&) = delete;
  RunningCommand& operator=(const RunningCommand&) = delete;
  ~RunningCommand() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(output_[0]);
    close(errors_[0]);
  }

  // Waits until the command has installed its signal handler. From then on the signal does not kill it.
  void WaitUntilItCatches(int signal) {
    WaitUntil("it catches signals", [&] { return (Mask("SigCgt:") >> (signal - 1) & 1) != 0; });
  }
  // Waits until the program runs: before that, the command has a single thread.
  void WaitUntilItHasThreads(int threads) {
    WaitUntil("its threads run", [&] { return std::stoi(Status("Threads:").value_or("0")) >= threads; });
  }
  // Waits until the command has written this on stderr.
  void WaitUntilItPrints(const std::string& text) {
    fcntl(errors_[0], F_SETFL, O_NONBLOCK);
    WaitUntil("it prints " + text, [&] {
      printed_ += Read(errors_[0]);
      return printed_.find(text) != std::string::npos;
    });
    fcntl(errors_[0], F_SETFL, 0);
  }
  // Sends a signal and waits until a thread has taken it.
  void Signal(int signal) {
    ASSERT_EQ(kill(pid_, signal), 0);
    WaitUntil("it takes a signal", [&] { return (Mask("ShdPnd:") >> (signal - 1) & 1) == 0; });
  }

  ProcessResult Wait() {
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    pid_ = -1;
    return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
            .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
            .output = Read(output_[0]),
            .errors = printed_ + Read(errors_[0])};
  }

 private:
  // A line of /proc/<pid>/status; nothing once the process is gone.
  std::optional<std::string> Status(const std::string& key) const {
    std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
    for (std::string word; file >> word;) {
      if (word == key && file >> word) return word;
    }
    return std::nullopt;
  }
  uint64_t Mask(const std::string& key) const { return std::stoull(Status(key).value_or("0"), nullptr, 16); }

  template <class Condition>
  void WaitUntil(const std::string& what, Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(100);
    while (!condition()) {
      if (Status("State:") == "Z") return;  // It has ended: Wait returns how.
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waiting until " << what;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  static std::string Read(int fd) {
    std::string text;
    char buffer[4096];
    for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, size_t(n));
    return text;
  }

  pid_t pid_ = -1;
  std::string printed_;
  int output_[2] = {-1, -1}, errors_[2] = {-1, -1};
};

}  // namespace fusebox::testing
