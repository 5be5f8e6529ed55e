// SPDX-License-Identifier: Apache-2.0
// The documents say what is true: README.md, CONTRIBUTING.md, CHANGELOG.md and docs/*.md, each a test case of its own. The
// line before a block of code says how that is known:
//
//   <!-- from FILE -->   the block stands word for word in that file, which the build or another test compiles
//   <!-- test -->        the commands work, block after block, in a folder that holds images.npy
//   <!-- output -->      the last commands print these lines, in this order where "..." stands between them; blanks and
//                        the numbers of values do not count
#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "fmt/format.h"
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

// Runs commands in the folder, for a user without plugins. Trains for one epoch, on the first of many samples, and on one
// thread: on a busy machine threads wait for each other.
ProcessResult Shell(const std::string& folder, const std::string& commands) {
  const std::string bin = std::filesystem::path(FUSEBOX_BIN).parent_path();
  const std::string setting = "cd '" + folder + "'; export HOME=\"$PWD\" FUSEBOX_NUM_THREADS=1 PATH='" + bin +
                              "':\"$PATH\"; unset FUSEBOX_PLUGIN_PATH\n";
  std::string short_commands = std::regex_replace(commands, std::regex("--epochs [0-9]+"), "--epochs 1");
  short_commands = std::regex_replace(short_commands, std::regex("train\\[5000:\\]"), "train[5000:8000]");
  short_commands =
      std::regex_replace(short_commands, std::regex("fashion_mnist:train "), "fashion_mnist:train[:3000] ");
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

// README.md and docs/*.md, whose code is checked; the others have links alone.
std::vector<std::string> Documents() {
  std::vector<std::string> documents = {"README.md", "CONTRIBUTING.md", "CHANGELOG.md"};
  const std::filesystem::path root = FUSEBOX_SOURCE_DIR;
  for (const auto& entry : std::filesystem::directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") documents.push_back("docs/" + entry.path().filename().string());
  }
  std::ranges::sort(documents);
  return documents;
}

// "docs/faq.md" -> "docs_faq".
std::string TestName(const ::testing::TestParamInfo<std::string>& document) {
  std::string name = document.param.substr(0, document.param.size() - std::string_view(".md").size());
  std::ranges::replace(name, '/', '_');
  return name;
}

class Document : public CommandTest, public ::testing::WithParamInterface<std::string> {
 protected:
  std::string At(const Block& block) const { return fmt::format("{}:{}", GetParam(), block.line); }
};
INSTANTIATE_TEST_SUITE_P(All, Document, ::testing::ValuesIn(Documents()), TestName);

TEST_P(Document, CodeStandsInFilesThatAreBuilt) {
  for (const Block& block : Blocks(GetParam())) {
    const bool is_code = block.language == "cpp" || block.language == "cmake";
    if (is_code && GetParam() != "CONTRIBUTING.md") {
      EXPECT_EQ(block.mark, "from") << At(block) << ": say which file this is from";
    }
    if (block.mark != "from") continue;
    EXPECT_THAT(Source(block.file), HasSubstr(block.text)) << At(block) << " is not in " << block.file;
  }
}

TEST_P(Document, CommandsWork) {
  ASSERT_TRUE(WriteNpy(Path("images.npy"), Tensor(DType::kF32, {3, 28, 28})).ok());
  ProcessResult result;
  for (const Block& block : Blocks(GetParam())) {
    if (block.mark == "test") {
      result = Shell(Path("."), block.text);
      ASSERT_EQ(result.exit_code, 0) << At(block) << "\n" << result.errors;
    } else if (block.mark == "output") {
      const std::string output = Essence(result.output);
      size_t from = 0;
      for (const std::string& part : std::vector<std::string>(absl::StrSplit(Essence(block.text), "...\n"))) {
        const size_t at = output.find(part, from);
        ASSERT_NE(at, std::string::npos) << At(block) << ": expected\n" << part << "\nin\n" << output.substr(from);
        from = at + part.size();
      }
    }
  }
}

TEST_P(Document, NamesFilesThatExist) {
  // `room/...` without <>, *, ... in it, from the root; and [links](to/files), from the document's folder.
  static const std::regex kPath(
      "`((?:graph|compiler|plugins|runtime|tools|tests|examples|cmake|docs)/[A-Za-z0-9_./]*)`|\\]\\(([A-Za-z0-9_./"
      "]+)\\)");
  const std::string text = Source(GetParam());
  const std::filesystem::path root = FUSEBOX_SOURCE_DIR, folder = (root / GetParam()).parent_path();
  for (std::sregex_iterator it(text.begin(), text.end(), kPath), end; it != end; ++it) {
    const std::filesystem::path path = (*it)[1].matched ? root / (*it)[1].str() : folder / (*it)[2].str();
    EXPECT_TRUE(std::filesystem::exists(path)) << GetParam() << ": " << path;
  }
}

TEST(Documents, ReadmeHasFewerThan1200Words) {
  const std::vector<std::string> words =
      absl::StrSplit(Source("README.md"), absl::ByAnyChar(" \n"), absl::SkipWhitespace());
  EXPECT_LT(words.size(), 1200U);
}

TEST(Documents, ReadmeLinksToEveryDocument) {
  const std::string readme = Source("README.md");
  for (const std::string& document : Documents()) {
    if (document != "README.md") EXPECT_THAT(readme, HasSubstr("(" + document + ")"));
  }
}

TEST(Documents, NameEveryBuiltIn) {
  const std::string plugins = Source("docs/plugins.md");
  for (const PluginItem* item : Registry::Default().items()) {
    if (!absl::StartsWith(item->library->id, "fusebox/")) continue;
    const std::string name = item->id.substr(item->id.find('/') + 1);
    EXPECT_THAT(plugins, HasSubstr("`" + name + "`")) << "a row of docs/plugins.md lacks it";
  }
}

}  // namespace
}  // namespace fusebox::testing
