// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/csv.h"

#include <clocale>
#include <cmath>
#include <tuple>

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

TEST(Csv, NamesTheOptionThatReadsAFile) {
  const std::tuple<const char*, CsvOptions, const char*> cases[] = {
      // As Excel writes where the decimal sign is ',': the rows have more values than there are names.
      {"a;b\n1,5;2,5\n", {}, "line 2: 1 values expected, got 3: the separator seems to be ';', so try --separator ';'"},
      {"a;b\n1,5;2,5\n", {.separator = ';'}, "got '1,5' (--decimal , reads it)"},
      {"a;b\n1.5;2\n", {.separator = ';', .decimal = ','}, "got '1.5' (--decimal . reads it)"},
      {"a;b\n1,234.5;2\n", {.separator = ';'}, "got '1,234.5' (--thousands \",\" reads it)"},
      {"a;b\n1.234,5;2\n", {.separator = ';'}, "got '1.234,5' (--thousands \".\" --decimal , reads it)"},
      {"a;b\n1 234;2\n", {.separator = ';'}, "got '1 234' (--thousands \" \" reads it)"},
      {"a|b\n1|2\n", {}, "the separator seems to be '|', so try --separator '|'"},
      {"1;2\n", {.header = false}, "the separator seems to be ';', so try --separator ';'"},
      {"a,b\nNA,1\n", {}, "got 'NA' (--na says what to do about missing values)"},
      {"a,b\n2020-01-02,1\n", {}, "column 'a': a number expected, got '2020-01-02'"}};
  for (const auto& [text, options, message] : cases)
    EXPECT_THAT(ParseCsv(text, "f", options), StatusHasMessage(HasSubstr(message))) << text;
}

TEST(Csv, ReadsGroupsOfDigits) {
  const auto value = [](const std::string& text, char thousands, char decimal) {
    const absl::StatusOr<CsvTable> table =
        ParseCsv("a;b\n" + text + ";0\n", "f", {.separator = ';', .decimal = decimal, .thousands = thousands});
    return table.ok() ? table->values.values<double>()[0] : -1e9;
  };
  EXPECT_EQ(value("1,234,567.25", ',', '.'), 1234567.25);
  EXPECT_EQ(value("-1.234,5", '.', ','), -1234.5);
  EXPECT_EQ(value("12 345", ' ', '.'), 12345);
  EXPECT_EQ(value("12,34,567", ',', '.'), 1234567);  // As in India.
  EXPECT_EQ(value("1234", ',', '.'), 1234);
  EXPECT_EQ(value("1,234e2", ',', '.'), 123400);
  // pandas reads 15 here, and 1.5 is meant.
  for (const char* text : {"1,5", "1,2345", "1,,234", ",234", "1,23", "1.5,000", "1234,567"})
    EXPECT_EQ(value(text, ',', '.'), -1e9) << text;
}

TEST(Csv, ReadsWhatPandasReads) {
  ASSERT_OK_AND_ASSIGN(const CsvTable table, ParseCsv("a,b,c\nTrue,FALSE,\" 1\"\n1e400,1e-400,-1e400\n", "f"));
  EXPECT_THAT(table.values.values<double>(), ElementsAre(1, 0, 1, INFINITY, 0, -INFINITY));
  ASSERT_OK_AND_ASSIGN(const CsvTable tabs,
                       ParseCsv("a\tb\tc\n1\t\t3\n", "f", {.separator = '\t', .missing_as_nan = true}));
  EXPECT_TRUE(std::isnan(tabs.values.values<double>()[1]));
  EXPECT_EQ(tabs.values.values<double>()[2], 3);
}

TEST(Csv, KeepsTextAndLeavesColumnsUnread) {
  ASSERT_OK_AND_ASSIGN(const CsvTable table,
                       ParseCsv("a,b,c\n\n1, Paris ,x\n2,\"New, York\",y\n", "f",
                                {.columns = {CsvColumn::kNumbers, CsvColumn::kText, CsvColumn::kUnread}}));
  EXPECT_THAT(table.values.values<double>(), ElementsAre(1, 0, 0, 2, 0, 0));
  EXPECT_THAT(table.texts[1], ElementsAre("Paris", "New, York"));
  EXPECT_TRUE(table.texts[2].empty());
  EXPECT_THAT(table.lines, ElementsAre(3, 4));
}

TEST(Csv, TakesNamesAlone) {
  EXPECT_THAT(*ParseCsvNames("\xef\xbb\xbf\"a,\n1\",b\r\nx,y,z\n", "f"), ElementsAre("a,\n1", "b"));
  EXPECT_THAT(*ParseCsvNames("x,y\n", "f", {.header = false}), ElementsAre("0", "1"));
  EXPECT_THAT(*ParseCsvNames(",a,\n", "f", {.name_unnamed = true}), ElementsAre("Unnamed: 0", "a", "Unnamed: 2"));
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
