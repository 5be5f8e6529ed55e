// SPDX-License-Identifier: Apache-2.0
// What files contain cannot move the cursor of the user's terminal, hide text or forge a line there.
#include <fstream>

#include "fusebox/fusebox.h"
#include "fusebox/graph/printable.h"
#include "fusebox/runtime/files/npy.h"
#include "fusebox/runtime/files/npz.h"
#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/tools/command.h"
#include "tests/tools/running_command.h"

namespace fusebox::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What a malicious file may be full of.
const char* const kHostile[] = {"a\x1b[2J\x07", "a\r\nfusebox: error: forged", "a\u202egpj", "a\u009b31m", "größe 层"};

class Terminal : public CommandTest {
 protected:
  // A model of hostile names, and data for it.
  void Write(const std::string& name) {
    const SymbolicTensor x = Input({3}, {.name = name + "x"});
    const SymbolicTensor h = Dense(4, "relu", {.name = name})(x);
    Model model({x}, {Dense(1, {.name = name + "y"})(h)}, {.name = name, .seed = 1});
    ASSERT_TRUE(model.Compile({.optimizer = "sgd", .loss = "mse", .metrics = {"mae"}}).ok());
    const absl::Status saved = model.Save(Path("m.keras"));
    ASSERT_TRUE(saved.ok()) << saved;
    const Tensor rows(DType::kF32, {4, 3}), targets(DType::kF32, {4, 1});
    ASSERT_TRUE(WriteNpz(Path("d.npz"), {{"x", rows}, {"y", targets}}).ok());
    // Not every name can be that of an array.
    if (!WriteNpz(Path("bad.npz"), {{name, rows}, {"y", targets}}).ok()) std::ofstream(Path("bad.npz")) << name;
    std::ofstream(Path("cell.csv")) << "a,b,c,y\n1,2,\"" << name << "\",4\n";
    std::ofstream(Path("head.csv")) << "\"" << name << "\",b,y\n1,2,4\n";
    std::ofstream(Path("bad.fbg")) << name;
  }

  // Runs the command, and fails for each byte that no terminal should get.
  ProcessResult Run(const std::vector<std::string>& words) {
    ProcessResult result = Fusebox(words);
    for (const std::string* text : {&result.output, &result.errors}) {
      EXPECT_EQ(*text, Printable(*text, true)) << words[0];
      EXPECT_THAT(*text, Not(HasSubstr("\nfusebox: error: forged"))) << words[0];
    }
    return result;
  }
};

// By the number of a hostile name.
class HostileTerminal : public Terminal, public ::testing::WithParamInterface<size_t> {};

TEST_P(HostileTerminal, GetsNothingHostile) {
  const std::string name = kHostile[GetParam()];
  Write(name);
  const std::string model = Path("m.keras");
  const std::vector<std::vector<std::string>> good = {
      {"summary", model},
      {"evaluate", model, "--data", Path("d.npz")},
      {"evaluate", model, "--data", Path("d.npz"), "--json"},
      {"train", model, "--data", Path("d.npz"), "--verbose", "2", "-o", Path("n.keras"), "--history", Path("h.csv")},
      {"dump", model},
      {"dump", model, "--emit", "json"},
      {"dump", model, "--emit", "dot"},
      {"explain", model},
      {"explain", model, "--json"},
      {"curves", Path("h.csv"), "-o", Path("c.svg"), "--title", "t"},
      {"plot", model, "-o", Path("m.svg")},
      {"plot", model, "-o", Path("m.dot")}};
  for (const std::vector<std::string>& words : good) {
    const ProcessResult result = Run(words);
    EXPECT_EQ(result.exit_code, 0) << words[0] << " " << Printable(name) << ": " << result.errors;
    if (words.back() == "--json") EXPECT_TRUE(nlohmann::json::accept(result.output)) << result.output;
  }
  const std::vector<std::vector<std::string>> bad = {
      {"evaluate", model, "--data", Path("bad.npz")},
      {"evaluate", model, "--data", Path("cell.csv"), "--target", "y"},
      {"evaluate", model, "--data", Path("head.csv"), "--target", "z"},
      {"predict", model, "--input", Path("cell.csv"), "-o", Path("y.npy")},
      {"dump", Path("bad.fbg")},
      {"curves", Path("cell.csv"), "-o", Path("c.png")},
      {"summary", Path(name)},
      {"train", model, "--data", Path("d.npz"), "-o", Path("n.keras"), "--callback", name},
      {name},
      {"plugins", "describe", name}};
  for (const std::vector<std::string>& words : bad) {
    const ProcessResult result = Run(words);
    EXPECT_NE(result.exit_code, 0) << words[0];
    EXPECT_EQ(std::ranges::count(result.errors, '\n'), 1) << result.errors;
  }
}

INSTANTIATE_TEST_SUITE_P(Each, HostileTerminal, ::testing::Range<size_t>(0, std::size(kHostile)));

// The text of a program is read back with the names that it had.
TEST_F(Terminal, ADumpIsReadBack) {
  for (const std::string name : kHostile) {
    Write(name);
    const ProcessResult dump = Run({"dump", Path("m.keras")});
    ASSERT_EQ(dump.exit_code, 0) << dump.errors;
    std::ofstream(Path("m.fbg")) << dump.output;
    const ProcessResult again = Run({"dump", Path("m.fbg")});
    ASSERT_EQ(again.exit_code, 0) << again.errors;
    EXPECT_EQ(again.output, dump.output);
  }
}

// The reader of a pipe is gone, as in `fusebox plugins list | head -1`: no error to report, but no success either.
TEST_F(Terminal, AClosedPipeIsNoSuccess) {
  const absl::StatusOr<ProcessResult> result =
      RunProcess({"/bin/sh", "-c", "{ " FUSEBOX_BIN " plugins list; echo $? >&2; } | true"}, "", {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->errors, "1\n");
}

// A file that another program cuts while it is mapped.
TEST_F(Terminal, AFileThatBecomesShorterIsAnError) {
  constexpr int64_t kRows = 400'000;
  ASSERT_TRUE(WriteNpy(Path("x.npy"), Tensor(DType::kF32, {kRows, 3})).ok());
  ASSERT_TRUE(WriteNpy(Path("y.npy"), Tensor(DType::kF32, {kRows, 1})).ok());
  Write("m");
  RunningCommand command({"train", Path("m.keras"), "--data", Path("x.npy") + "," + Path("y.npy"), "--epochs", "100000",
                          "--verbose", "2", "-o", Path("n.keras")});
  command.WaitUntilItPrints("Epoch 2/");
  std::filesystem::resize_file(Path("x.npy"), 4096);
  const ProcessResult result = command.Wait();
  EXPECT_EQ(result.exit_code, 1) << "ended by signal " << result.signal;
  EXPECT_THAT(result.errors, ::testing::EndsWith("fusebox: error: a file became shorter while it was read\n"));
}

TEST_F(Terminal, AFullDeviceIsAnError) {
  for (const std::string words : {"--help", "--version", "train --help", "plugins list"}) {
    const absl::StatusOr<ProcessResult> result =
        RunProcess({"/bin/sh", "-c", FUSEBOX_BIN + (" " + words) + " > /dev/full"}, "", {});
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->exit_code, 1) << words;
    EXPECT_EQ(result->errors, "fusebox: error: cannot write to stdout\n") << words;
  }
}

}  // namespace
}  // namespace fusebox::testing
