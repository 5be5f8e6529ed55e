// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/describe/history.h"

#include <cmath>

#include "gmock/gmock.h"

namespace fusebox {
namespace {

using ::testing::ElementsAre;

TEST(History, HasOneValueAnEpoch) {
  History history;
  history.Append(0, {{"accuracy", 0.5}, {"loss", 2}});
  history.Append(1, {{"accuracy", 0.75}, {"loss", 1}});
  EXPECT_THAT(history["loss"], ElementsAre(2, 1));
  EXPECT_THAT(history["accuracy"], ElementsAre(0.5, 0.75));
  EXPECT_THAT(history.epoch, ElementsAre(0, 1));
  EXPECT_TRUE(history["val_loss"].empty());
}

TEST(History, FillsWhatIsMissing) {
  History history;
  history.Append(0, {{"loss", 2}});
  history.Append(1, {{"learning_rate", 0.1}});
  EXPECT_TRUE(std::isnan(history["loss"][1]));
  EXPECT_TRUE(std::isnan(history["learning_rate"][0]));
}

TEST(Logs, AreFoundByName) {
  const Logs logs = {{"accuracy", 0.5}, {"loss", 2}};
  EXPECT_EQ(logs["loss"], 2);
  EXPECT_TRUE(std::isnan(logs["los"]));
}

}  // namespace
}  // namespace fusebox
