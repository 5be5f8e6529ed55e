// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/history_csv.h"

#include "tests/runtime/files/files.h"

namespace fusebox {
namespace {

using ::fusebox::testing::Slurp;
using ::fusebox::testing::StatusHasMessage;
using ::fusebox::testing::TempFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(HistoryCsv, HasTheFormOfCsvLogger) {
  ASSERT_OK_AND_ASSIGN(const std::string text, HistoryCsv({{"loss", {1, double(0.1f)}},
                                                           {"accuracy", {0.5, 1e-5}},
                                                           {"val_loss", {2, 3}},
                                                           {"val_accuracy", {0.25, 0.75}}}));
  EXPECT_EQ(text,
            "epoch,accuracy,loss,val_accuracy,val_loss\n"
            "0,0.5,1.0,0.25,2.0\n"
            "1,1e-05,0.10000000149011612,0.75,3.0\n");
}

TEST(HistoryCsv, ReadsWhatItWrites) {
  const TempFolder folder;
  const std::vector<HistoryColumn> history = {{"accuracy", {0.1, 1.0 / 3}}, {"loss", {1e-300, 1e300}}};
  EXPECT_OK(WriteHistoryCsv(folder / "h.csv", history));
  EXPECT_THAT(*ReadHistoryCsv(folder / "h.csv"), ElementsAre(history[0], history[1]));
}

TEST(HistoryCsv, ReadsWhatKerasWrites) {
  ASSERT_OK_AND_ASSIGN(const auto history,
                       ParseHistoryCsv("epoch,accuracy,loss\r\n0,0.2083333283662796,0.8578819632530212\r\n", "f"));
  EXPECT_THAT(history, ElementsAre(HistoryColumn{"accuracy", {0.2083333283662796}},
                                   HistoryColumn{"loss", {0.8578819632530212}}));
}

TEST(HistoryCsv, ReadsATrainingThatWentOn) {
  EXPECT_THAT(*ParseHistoryCsv("epoch,loss\n5,0.5\n6,0.25\n", "f"), ElementsAre(HistoryColumn{"loss", {0.5, 0.25}}));
}

TEST(HistoryCsv, SaysWhatIsWrong) {
  // A name with a ',' or a quote stands in quotes, as RFC 4180 says.
  const std::vector<HistoryColumn> named = {{"f1, \"macro\"", {0.5}}, {"loss", {1}}};
  ASSERT_OK_AND_ASSIGN(const std::string quoted, HistoryCsv(named));
  EXPECT_EQ(quoted, "epoch,\"f1, \"\"macro\"\"\",loss\n0,0.5,1.0\n");
  EXPECT_THAT(*ParseHistoryCsv(quoted, "f"), ElementsAre(named[0], named[1]));
  EXPECT_THAT(HistoryCsv({{"a", {1}}, {"b", {1, 2}}}), StatusHasMessage("history: a has 1 epochs, b has 2"));
  EXPECT_THAT(ParseHistoryCsv("loss\n1\n", "f"), StatusHasMessage("f: 'epoch' expected as first column, got 'loss'"));
  EXPECT_THAT(ParseHistoryCsv("epoch,loss\n0,1\n2,1\n", "f"), StatusHasMessage("f: epoch 1 expected, got 2"));
  EXPECT_THAT(ParseHistoryCsv("epoch,loss\n0,NA\n", "f"), StatusHasMessage(HasSubstr("line 2, column 'loss'")));
}

}  // namespace
}  // namespace fusebox
