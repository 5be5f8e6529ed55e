// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/libsvm.h"

#include "tests/runtime/files/files.h"

namespace fusebox {
namespace {

using ::fusebox::testing::StatusHasMessage;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Libsvm, ReadsSparseSamples) {
  ASSERT_OK_AND_ASSIGN(const LibsvmData data,
                       ParseLibsvm("# written by hand\n1 1:0.5 3:-2e1 # last\r\n\n-1 qid:7 2:1\n0\n", "f"));
  EXPECT_THAT(data.x.shape(), ElementsAre(3, 3));
  EXPECT_THAT(data.x.values<float>(), ElementsAre(0.5, 0, -20, 0, 1, 0, 0, 0, 0));
  EXPECT_THAT(data.y.values<float>(), ElementsAre(1, -1, 0));
}

TEST(Libsvm, TellsTheFirstIndex) {
  EXPECT_THAT(ParseLibsvm("1 0:5 1:6\n", "f")->x.values<float>(), ElementsAre(5, 6));
  EXPECT_THAT(ParseLibsvm("1 1:5 2:6\n", "f")->x.values<float>(), ElementsAre(5, 6));
  EXPECT_THAT(ParseLibsvm("1 1:5\n", "f", {.first_index = 0})->x.values<float>(), ElementsAre(0, 5));
  EXPECT_THAT(ParseLibsvm("1 1:5\n", "f", {.features = 3})->x.values<float>(), ElementsAre(5, 0, 0));
}

TEST(Libsvm, SaysWhatIsWrong) {
  const std::tuple<const char*, LibsvmOptions, const char*> cases[] = {
      {"", {}, "f: lines LABEL INDEX:VALUE ... expected, found none"},
      {"1 1:2\n1,2 1:2\n", {}, "f: line 2: a label, one number, expected, got '1,2': several labels"},
      {"1 a:2\n", {}, "f: line 1: INDEX:VALUE expected, got 'a:2'"},
      {"1 1:x\n", {}, "INDEX:VALUE expected, got '1:x'"},
      {"1 7\n", {}, "INDEX:VALUE expected, got '7'"},
      {"1 -1:7\n", {}, "INDEX:VALUE expected, got '-1:7'"},
      {"1 2:1 2:3\n", {}, "f: line 1: indices in ascending order expected, got 2 after 2"},
      {"1 1:1\n1 4:1\n", {.features = 3}, "f: line 2: an index from 1 to 3 expected, got 4"},
      {"1 0:1\n", {.first_index = 1}, "f: line 1: an index from 1 to 0 expected, got 0"},
      {"1 4611686018427387904:1\n", {}, "f: too large: 1 samples of 4611686018427387904 features"}};
  for (const auto& [text, options, message] : cases)
    EXPECT_THAT(ParseLibsvm(text, "f", options), StatusHasMessage(HasSubstr(message))) << text;
}

}  // namespace
}  // namespace fusebox
