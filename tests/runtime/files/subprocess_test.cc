// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/subprocess.h"

#include <signal.h>
#include <unistd.h>

#include "tests/support/status.h"

namespace fusebox {
namespace {

using ::fusebox::testing::StatusHasMessage;
using ::testing::HasSubstr;

absl::StatusOr<ProcessResult> Shell(const std::string& script, std::string_view input = "", ProcessLimits limits = {}) {
  return RunProcess({"sh", "-c", script}, input, limits);
}

TEST(Subprocess, PassesInputAndOutput) {
  const std::string megabytes(3'000'000, 'x');
  ASSERT_OK_AND_ASSIGN(const ProcessResult result, Shell("cat; echo oops >&2; exit 3", megabytes));
  EXPECT_EQ(result.output, megabytes);
  EXPECT_EQ(result.errors, "oops\n");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.signal, 0);
}

TEST(Subprocess, InheritsNothing) {
  ASSERT_EQ(::dup2(1, 57), 57);  // Left open across exec.
  ASSERT_OK_AND_ASSIGN(const ProcessResult result,
                       Shell("for n in 0 1 2 57; do [ -e /proc/$$/fd/$n ] && echo $n; done"));
  ::close(57);
  EXPECT_EQ(result.output, "0\n1\n2\n");
}

TEST(Subprocess, TellsHowItEnded) {
  EXPECT_EQ(Shell("kill -SEGV $$")->signal, SIGSEGV);
  EXPECT_TRUE(absl::IsNotFound(RunProcess({"no-such-program"}, "", {}).status()));
  EXPECT_THAT(RunProcess({"no-such-program"}, "", {}),
              StatusHasMessage("'no-such-program': cannot be started: No such file or directory"));
}

TEST(Subprocess, KeepsTheLimits) {
  EXPECT_THAT(Shell("sleep 60", "", {.time = std::chrono::milliseconds(100)}),
              StatusHasMessage("'sh': stopped after 0.1 seconds"));
  EXPECT_THAT(Shell("yes", "", {.output_bytes = 1000}), StatusHasMessage("'sh': wrote more than 1000 bytes"));
  EXPECT_EQ(Shell("yes | head -c 1000000 >&2")->errors.size(), 65536u);
}

}  // namespace
}  // namespace fusebox
