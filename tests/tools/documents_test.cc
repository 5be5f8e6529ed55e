// SPDX-License-Identifier: Apache-2.0
// README.md and CONTRIBUTING.md say what is true. The line before a block of code tells how that is known:
//
//   <!-- from FILE -->   the block stands word for word in that file, which the build or another test compiles
//   <!-- test -->        the commands work, block after block, in a folder that holds images.npy
//   <!-- output -->      the last commands print these lines, blanks and the numbers of values aside
#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "fusebox/runtime/files/npy.h"
#include "fusebox/runtime/plugins/registry.h"
#include "gmock/gmock.h"
#include "tests/tools/command.h"

namespace fusebox::testing {
namespace {

using ::testing::HasSubstr;

std::string Source(const std::string& path) {
  std::ifstream file(std::filesystem::path(FUSEBOX_SOURCE_DIR) / path);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

struct Block {
  int line = 0;          // Where it begins.
  std::string language;  // "sh"
  std::string mark;      // "from", "test", "output" or nothing.
  std::string file;      // Of "from".
  std::string text;
};

std::vector<Block> Blocks(const std::string& document) {
  static const std::regex kMark("<!-- (from|test|output) ?(.*) -->");
  std::vector<Block> blocks;
  std::istringstream lines(Source(document));
  std::string before;
  bool inside = false;
  int number = 0;
  for (std::string line; std::getline(lines, line); before = line) {
    ++number;
    if (!absl::StartsWith(line, "```")) {
      if (inside) blocks.back().text += line + "\n";
      continue;
    }
    inside = !inside;
    if (!inside) continue;
    Block& block = blocks.emplace_back();
    block.line = number;
    block.language = line.substr(3);
    if (std::smatch mark; std::regex_match(before, mark, kMark)) block.mark = mark[1], block.file = mark[2];
  }
  EXPECT_FALSE(inside) << document << ": a block of code has no end";
  return blocks;
}

// What `<!-- output -->` does not look at is taken out.
std::string Essence(const std::string& text) {
  static const std::regex kNumber("(%|kernel )[0-9]+");
  std::string essence;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    absl::RemoveExtraAsciiWhitespace(&line);
    essence += std::regex_replace(line, kNumber, "$1_") + "\n";
  }
  return essence;
}

// Runs commands in the folder as a user would who has no plugins of his own. One epoch stands for many.
ProcessResult Shell(const std::string& folder, const std::string& commands) {
  const std::string bin = std::filesystem::path(FUSEBOX_BIN).parent_path();
  const std::string setting =
      "cd '" + folder + "'; export HOME=\"$PWD\" PATH='" + bin + "':\"$PATH\"; unset FUSEBOX_PLUGIN_PATH\n";
  const std::string short_commands = std::regex_replace(commands, std::regex("--epochs [0-9]+"), "--epochs 1");
  const absl::StatusOr<ProcessResult> result =
      RunProcess({"bash", "-euo", "pipefail", "-c", setting + short_commands}, "", {.time = std::chrono::seconds(110)});
  if (!result.ok()) {
    ADD_FAILURE() << result.status();
    ProcessResult failed;
    failed.exit_code = -1;
    return failed;
  }
  return *result;
}

class Readme : public CommandTest {};

TEST_F(Readme, CodeStandsInFilesThatAreBuilt) {
  int checked = 0;
  for (const Block& block : Blocks("README.md")) {
    if (block.language == "cpp" || block.language == "cmake") {
      EXPECT_EQ(block.mark, "from") << "README.md:" << block.line << ": say which file this is from";
    }
    if (block.mark != "from") continue;
    EXPECT_THAT(Source(block.file), HasSubstr(block.text)) << "README.md:" << block.line << " is not in " << block.file;
    ++checked;
  }
  EXPECT_GE(checked, 4);
}

TEST_F(Readme, CommandsWork) {
  ASSERT_TRUE(WriteNpy(Path("images.npy"), Tensor(DType::kF32, {3, 28, 28})).ok());
  int commands = 0, outputs = 0;
  ProcessResult result;
  for (const Block& block : Blocks("README.md")) {
    if (block.mark == "test") {
      result = Shell(Path("."), block.text);
      ASSERT_EQ(result.exit_code, 0) << "README.md:" << block.line << "\n" << result.errors;
      ++commands;
    } else if (block.mark == "output") {
      EXPECT_THAT(Essence(result.output), HasSubstr(Essence(block.text))) << "README.md:" << block.line;
      ++outputs;
    }
  }
  EXPECT_GE(commands, 3);
  EXPECT_GE(outputs, 2);
  EXPECT_THAT(Files(), ::testing::IsSupersetOf({"fashion_mnist.keras", "history.csv", "probabilities.npy", "model.png",
                                                "learning_curves.png"}));
}

TEST_F(Readme, NamesEveryBuiltIn) {
  const std::string readme = Source("README.md");
  for (const PluginItem* item : Registry::Default().items()) {
    if (!absl::StartsWith(item->library->id, "fusebox/")) continue;
    const std::string name = item->id.substr(item->id.find('/') + 1);
    EXPECT_THAT(readme, HasSubstr("`" + name + "`")) << "a row of the table in 'What there is' lacks it";
  }
}

TEST_F(Readme, NamesFilesThatExist) {
  // `room/...` without <>, *, ... in it, and [links](to/files).
  static const std::regex kPath(
      "`((?:graph|compiler|plugins|runtime|tools|tests|examples|cmake)/[A-Za-z0-9_./]*)`|\\]\\(([A-Za-z0-9_./]+)\\)");
  for (const std::string document : {"README.md", "CONTRIBUTING.md"}) {
    const std::string text = Source(document);
    for (std::sregex_iterator it(text.begin(), text.end(), kPath), end; it != end; ++it) {
      const std::string path = (*it)[1].matched ? (*it)[1] : (*it)[2];
      EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(FUSEBOX_SOURCE_DIR) / path))
          << document << ": " << path;
    }
  }
}

}  // namespace
}  // namespace fusebox::testing
