// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/number_text.h"

#include <cmath>
#include <limits>
#include <string>

#include "gtest/gtest.h"

namespace fusebox {
namespace {

TEST(NumberText, PrintsAsPythonDoes) {
  const double inf = std::numeric_limits<double>::infinity();
  const std::pair<double, const char*> cases[] = {{0.0, "0.0"},
                                                  {-0.0, "-0.0"},
                                                  {1.0, "1.0"},
                                                  {0.1, "0.1"},
                                                  {1e-4, "0.0001"},
                                                  {1e-5, "1e-05"},
                                                  {1e15, "1000000000000000.0"},
                                                  {1e16, "1e+16"},
                                                  {123456.789, "123456.789"},
                                                  {1.0 / 3, "0.3333333333333333"},
                                                  {5e-324, "5e-324"},
                                                  {1.7976931348623157e308, "1.7976931348623157e+308"},
                                                  {inf, "inf"},
                                                  {-inf, "-inf"},
                                                  {double(0.01f), "0.009999999776482582"}};
  for (const auto& [value, text] : cases) EXPECT_EQ(PythonRepr(value), text);
  EXPECT_EQ(PythonRepr(std::nan("")), "nan");
  EXPECT_EQ(PythonRepr(-std::nan("")), "nan");
}

TEST(NumberText, ReadsWholeNumbersOnly) {
  EXPECT_EQ(ParseNumber("1"), 1.0);
  EXPECT_EQ(ParseNumber("+2.5e3"), 2500.0);
  EXPECT_EQ(ParseNumber("-inf"), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(*ParseNumber("nan")));
  // What no double holds is read as Python reads it.
  EXPECT_EQ(ParseNumber("1e400"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(ParseNumber("-1e400"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(ParseNumber("1e-400"), 0.0);
  EXPECT_EQ(ParseNumber("0.1e-400"), 0.0);
  const std::string zeros(400, '0');
  EXPECT_EQ(ParseNumber("1" + zeros + "e-10"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(ParseNumber("0." + zeros + "1e+10"), 0.0);
  EXPECT_EQ(ParseNumber("." + zeros + "1"), 0.0);
  EXPECT_EQ(ParseNumber("-00." + zeros + "1"), 0.0);
  EXPECT_EQ(ParseNumber("-1" + zeros), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(ParseNumber("1e99999999999999999999"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(ParseNumber("1e-99999999999999999999"), 0.0);
  EXPECT_EQ(ParseNumber("1" + zeros + "e-400"), 1.0);
  for (const char* text : {"", " 1", "1 ", "1,5", "0x10", "+-1", "1e", "one"}) EXPECT_FALSE(ParseNumber(text)) << text;
  EXPECT_FALSE(ParseNumber(std::string_view("1\0", 2)));
}

}  // namespace
}  // namespace fusebox
