// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/printable.h"

#include "fusebox/graph/warning.h"
#include "gtest/gtest.h"

namespace fusebox {
namespace {

TEST(Printable, LeavesWhatATerminalShows) {
  for (const std::string text : {"", "dense_1", "a 'quoted' \\ one", "größe", "层", "𝛼", "e\u0301", "\u00A0"}) {
    EXPECT_EQ(Printable(text), text);
    EXPECT_EQ(Printable(text, true), text);
  }
}

TEST(Printable, EscapesWhatMovesTheCursorOrHidesText) {
  const std::pair<std::string, const char*> cases[] = {
      {"\x1b[2J", "\\x1b[2J"},
      {"a\rb\ac\bd\x7f", "a\\x0db\\x07c\\x08d\\x7f"},
      {std::string("\0", 1), "\\x00"},
      {"one\ntwo\tthree", "one\\ntwo\\tthree"},
      {"\u009b31m", "\\xc2\\x9b31m"},               // A control sequence of one character.
      {"\u202egpj.exe", "\\xe2\\x80\\xaegpj.exe"},  // From right to left.
      {"\u2066\u200f", "\\xe2\\x81\\xa6\\xe2\\x80\\x8f"},
      {"\u2028", "\\xe2\\x80\\xa8"},
      {"\ufeff", "\\xef\\xbb\\xbf"}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(Printable(text), expected);
  EXPECT_EQ(Printable("one\ntwo\r\n", true), "one\ntwo\\x0d\n");
}

TEST(Printable, EscapesWhatIsNoUtf8) {
  for (const std::string text : {"\x80", "\xc0\xaf", "\xc3", "\xe4\xb8", "\xe0\x80\xaf", "\xed\xa0\x80",
                                 "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff"}) {
    const std::string printable = Printable(text);
    EXPECT_EQ(printable.size(), 4 * text.size()) << printable;
    EXPECT_TRUE(printable.starts_with("\\x")) << printable;
  }
  EXPECT_EQ(Printable("ü\xfc"), "ü\\xfc");
}

TEST(Warn, PrintsOnePrintableLine) {
  ::testing::internal::CaptureStderr();
  Warn("'{}': {} of {}", "m\n\x1b", 1, 2);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "fusebox: warning: 'm\\n\\x1b': 1 of 2\n");
}

}  // namespace
}  // namespace fusebox
