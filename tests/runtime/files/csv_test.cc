// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/csv.h"

#include <clocale>

#include "tests/runtime/files/files.h"

namespace fusebox {
namespace {

using ::fusebox::testing::StatusHasMessage;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Csv, ReadsNumbersUnderTheirNames) {
  ASSERT_OK_AND_ASSIGN(const CsvTable table, ParseCsv("a,\"b, c\"\r\n1, -2.5e3\n\n\"3\",+4\n", "f"));
  EXPECT_THAT(table.columns, ElementsAre("a", "b, c"));
  EXPECT_THAT(table.values.shape(), ElementsAre(2, 2));
  EXPECT_THAT(table.values.values<double>(), ElementsAre(1, -2500, 3, 4));
}

TEST(Csv, ReadsOddButGoodFiles) {
  EXPECT_THAT(ParseCsv("\xef\xbb\xbf"
                       "a\n1",
                       "f")
                  ->columns,
              ElementsAre("a"));
  EXPECT_THAT(ParseCsv("a,b", "f")->values.shape(), ElementsAre(0, 2));
  EXPECT_THAT(ParseCsv("\n\na\n1\n", "f")->values.shape(), ElementsAre(1, 1));
  EXPECT_TRUE(std::isnan(ParseCsv("a\nnan\n", "f")->values.values<double>()[0]));
}

TEST(Csv, NamesLineAndColumn) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "f: a line of column names expected, found nothing"},
      {"\n\n", "f: a line of column names expected, found nothing"},
      {"a,b\n1,2\n\n3,x\n", "f: line 4, column 'b': a number expected, got 'x'"},
      {"a,b\n1,\n", "f: line 2, column 'b': a number expected, got nothing"},
      {"a,b\n1\n", "f: line 2: 2 values expected, got 1"},
      {"a,b\n1,2,3\n", "f: line 2: 2 values expected, got 3"},
      {"a,,b\n", "f: line 1: column 2 has no name"},
      {"a,b,a\n", "f: line 1: two columns are named 'a'"},
      {"a;b\n1;2\n", "got '1;2': the separator seems to be ';', so try --separator ';'"},
      {"a\tb\n1\t2\n", "the separator seems to be tab, so try --separator tab"},
      {"a\n\"\"\n", "got nothing (--na says what to do about missing values)"},
      {"a\n1;5\n", "f: line 2, column 'a': a number expected, got '1;5'"},
      {"a\n\"1\n", "f: line 2: a quote is not closed"},
      {"a\n\"1\"2\n", "f: line 2:"}};
  for (const auto& [text, message] : cases)
    EXPECT_THAT(ParseCsv(text, "f"), StatusHasMessage(HasSubstr(message))) << text;
  EXPECT_THAT(ParseCsv(std::string_view("a\n1\0\n", 5), "f"), StatusHasMessage(HasSubstr("line 2, column 'a'")));
  EXPECT_THAT(ReadCsv("none.csv"), StatusHasMessage("'none.csv': cannot open: No such file or directory"));
}

TEST(Csv, IsReadAsItIsWritten) {
  const auto values = [](const char* text, const CsvOptions& options) {
    const absl::StatusOr<CsvTable> table = ParseCsv(text, "f", options);
    EXPECT_OK(table) << text;
    const std::span<const double> all = table->values.values<double>();
    return std::vector<double>(all.begin(), all.end());
  };
  EXPECT_THAT(values("a;b\n1,5;-2\n", {.separator = ';', .decimal = ','}), ElementsAre(1.5, -2));
  EXPECT_THAT(values("1\t2\n3\t4\n", {.separator = '\t', .header = false}), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(ParseCsv("1,2\n", "f", {.header = false})->columns, ElementsAre("0", "1"));
  for (const char* text : {"a,b\n,2\n", "a,b\nNA,2\n", "a,b\n?,2\n"}) {
    const std::vector<double> read = values(text, {.missing_as_nan = true});
    EXPECT_TRUE(std::isnan(read[0])) << text;
    EXPECT_EQ(read[1], 2) << text;
  }
  EXPECT_THAT(ParseCsv("a;b\n1.5;2\n", "f", {.separator = ';', .decimal = ','}),
              StatusHasMessage(HasSubstr("line 2, column 'a': a number expected, got '1.5'")));
}

TEST(Csv, LongValuesAreRefusedInShort) {
  EXPECT_THAT(ParseCsv("a\n" + std::string(50'000'000, 'x') + "\n", "f"),
              StatusHasMessage("f: line 2: a value of more than 1048576 bytes"));
  std::string quoted = "a\n\"";  // Spans many lines.
  for (int i = 0; i < 100'000; ++i) quoted += "xxxxxxxxxxxxxxxxxxxx\n";
  EXPECT_THAT(ParseCsv(quoted, "f"), StatusHasMessage(HasSubstr("a value of more than 1048576 bytes")));
  EXPECT_THAT(ParseCsv("a\n" + std::string(100'000, 'x') + "\n", "f"),
              StatusHasMessage(HasSubstr("line 2, column 'a': a number expected, got 'xxx")));
}

TEST(Csv, WideTablesAreFine) {
  std::string names = "c0", row = "0";
  for (int i = 1; i < 50'000; ++i) {
    names += fmt::format(",c{}", i);
    row += fmt::format(",{}", i);
  }
  ASSERT_OK_AND_ASSIGN(const CsvTable table, ParseCsv(names + "\n" + row + "\n" + row, "f"));
  EXPECT_THAT(table.values.shape(), ElementsAre(2, 50'000));
  EXPECT_EQ(table.values.values<double>()[99'999], 49'999);
}

TEST(Csv, TheLocaleDoesNotMatter) {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  std::setlocale(LC_ALL, "de_DE.UTF-8");  // Has no effect if there is no such locale.
  EXPECT_THAT(ParseCsv("a\n1.5\n", "f")->values.values<double>(), ElementsAre(1.5));
  std::setlocale(LC_ALL, before.c_str());
}

}  // namespace
}  // namespace fusebox
