// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/describe/item_spec.h"

#include <limits>

#include "tests/support/status.h"

namespace fusebox {
namespace {

using ::fusebox::testing::StatusHasMessage;
using ::testing::HasSubstr;

TEST(ItemSpec, ParsesNamesAlone) {
  ASSERT_OK_AND_ASSIGN(const ItemSpec spec, ParseItemSpec("acme/gated@1"));
  EXPECT_EQ(spec, (ItemSpec{"acme/gated@1", {}}));
  EXPECT_EQ(Print(spec), "acme/gated@1");
}

TEST(ItemSpec, ParsesEveryKindOfValue) {
  ASSERT_OK_AND_ASSIGN(const ItemSpec spec,
                       ParseItemSpec("x:b=true, c=false,i=-3,d=1e-3,l=[1; 2;-3],e=[],s=relu,q='a, b=''c''',z=''"));
  const ItemSpec expected{"x",
                          {{"b", true},
                           {"c", false},
                           {"i", int64_t{-3}},
                           {"d", 0.001},
                           {"l", Ints{1, 2, -3}},
                           {"e", Ints{}},
                           {"s", std::string("relu")},
                           {"q", std::string("a, b='c'")},
                           {"z", std::string()}}};
  EXPECT_EQ(spec, expected);
}

TEST(ItemSpec, PrintsInAlphabeticalOrder) {
  const ItemSpec spec{"sgd", {{"momentum", 0.9}, {"learning_rate", 1.0}, {"nesterov", true}}};
  EXPECT_EQ(Print(spec), "sgd:learning_rate=1.0,momentum=0.9,nesterov=true");
}

TEST(ItemSpec, WhatIsPrintedParsesBackTheSame) {
  const std::vector<AttributeValue> values = {true,
                                              false,
                                              int64_t{0},
                                              std::numeric_limits<int64_t>::min(),
                                              std::numeric_limits<int64_t>::max(),
                                              0.0,
                                              -0.0,
                                              1.0,
                                              0.1,
                                              1e300,
                                              5e-324,
                                              1e22,
                                              std::numeric_limits<double>::infinity(),
                                              Ints{},
                                              Ints{-1},
                                              Ints{1, 2, 3},
                                              std::string(),
                                              std::string("a"),
                                              std::string("true"),
                                              std::string("12"),
                                              std::string("1e5"),
                                              std::string("nan"),
                                              std::string("'"),
                                              std::string("''"),
                                              std::string(" a "),
                                              std::string("a,b=c:d"),
                                              std::string("[1]"),
                                              std::string("a;b]"),
                                              std::string("he_normal:seed=3"),
                                              std::string("variance_scaling:mode='fan in'"),
                                              std::string("\xc3\xa4"),
                                              std::string("line\nbreak")};
  for (const AttributeValue& value : values) {
    const ItemSpec spec{"ns/item@2", {{"k", value}, {"l", value}}};
    ASSERT_OK_AND_ASSIGN(const ItemSpec back, ParseItemSpec(Print(spec)));
    EXPECT_EQ(back, spec) << Print(spec);
  }
}

TEST(ItemSpec, SaysWhatIsWrongWhere) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "item '': a name expected at its start"},
      {":a=1", "a name expected at its start"},
      {"sgd!", "a name of letters, digits and _ - . / @ expected, got 'sgd!'"},
      {"sgd:", "item 'sgd:': key=value expected after 'sgd:'"},
      {"sgd:lr", "key=value expected after 'sgd:lr'"},
      {"sgd:lr=", "a value expected for 'lr', got nothing"},
      {"sgd:lr=1,", "key=value expected after 'sgd:lr=1,'"},
      {"sgd:lr=1,lr=2", "'lr' is given twice"},
      {"d:k=he:seed=1", "'k' expected in single quotes, got he:seed=1"},
      {"d:k='abc", "the string of 'k' has no closing quote"},
      {"d:k='abc'd", "',' or the end expected after the value of 'k', got 'd'"},
      {"d:k=[1;2", "the list of 'k' has no closing bracket"},
      {"d:k=[1;x]", "'k' expects integers as in [1;2;3], got [1;x]"},
      {"d:k=[1,2]", "'k' expects integers as in [1;2;3], got [1,2]"},
      {"d:k=[1;]", "'k' expects integers as in [1;2;3], got [1;]"}};
  for (const auto& [text, message] : cases)
    EXPECT_THAT(ParseItemSpec(text), StatusHasMessage(HasSubstr(message))) << text;
}

TEST(ItemSpec, NeverFailsOtherwiseThanByStatus) {
  const std::string seed = "a:b='x''y',c=[1;2],d=1.5,e=true";
  for (size_t i = 0; i < seed.size(); ++i) {
    for (int c = 0; c < 256; ++c) {
      std::string text = seed;
      text[i] = char(c);
      if (const auto spec = ParseItemSpec(text); spec.ok()) {
        ASSERT_OK_AND_ASSIGN(const ItemSpec back, ParseItemSpec(Print(*spec)));
        EXPECT_EQ(back, *spec) << text;
      }
    }
  }
}

}  // namespace
}  // namespace fusebox
