// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/plugins/objects.h"
#include "tests/plugins/plugins.h"

namespace fusebox {
namespace {

using namespace testing;

class Told {
 public:
  explicit Told(const char* spec) {
    absl::StatusOr<CallbackObject> made = CallbackObject::Create(BuiltIns(), Spec(spec));
    EXPECT_OK(made);
    if (made.ok()) callback.emplace(*std::move(made));
  }
  // The callback's output.
  std::string Tell(CallbackEvent event) {
    std::string text;
    EXPECT_OK(callback->OnEvent(event, [&](std::string_view piece) { text += piece; }));
    return text;
  }
  std::optional<CallbackObject> callback;
};

CallbackEvent At(uint32_t kind, int64_t step, double seconds) {
  return {.kind = kind,
          .epoch = 0,
          .epochs = 30,
          .step = step,
          .steps = 1719,
          .seconds = seconds,
          .logs = {{"accuracy", 0.712}, {"loss", 0.99123}}};
}

TEST(Progress, PrintsALineAnEpochWhereThereIsNoTerminal) {
  Told progress("progress");
  EXPECT_EQ(progress.Tell(At(FB_EPOCH_BEGIN, 0, 0)), "Epoch 1/30\n");
  EXPECT_EQ(progress.Tell(At(FB_TICK, 860, 0.5)), "");
  EXPECT_EQ(progress.Tell(At(FB_EPOCH_END, 1719, 0.94)),
            "1719/1719 - 1s - 547us/step - accuracy: 0.7120 - loss: 0.9912\n");
}

TEST(Progress, RedrawsABarOnATerminal) {
  Told progress("progress");
  CallbackEvent event = At(FB_EPOCH_BEGIN, 0, 0);
  event.terminal = true;
  EXPECT_EQ(progress.Tell(event), "Epoch 1/30\n");
  event = At(FB_TICK, 860, 0.5);
  event.terminal = true;
  EXPECT_EQ(progress.Tell(event),
            "\r 860/1719 ━━━━━━━━━━────────── 0s 581us/step - accuracy: 0.7120 - loss: 0.9912\x1b[K");
  event.step = 900;
  event.seconds = 0.55;
  EXPECT_EQ(progress.Tell(event), "");  // At most ten times a second.
  event.seconds = 0.65;
  event.columns = 60;
  EXPECT_EQ(progress.Tell(event), "\r 900/1719 ━━━━━━━━━━────────── 0s 722us/step\x1b[K");  // No further log would fit.
  event = At(FB_EPOCH_END, 1719, 0.94);
  event.terminal = event.colour = true;
  EXPECT_EQ(progress.Tell(event),
            "\r\x1b[1m1719/1719\x1b[0m \x1b[32m━━━━━━━━━━━━━━━━━━━━\x1b[0m \x1b[1m1s\x1b[0m 547us/step"
            " - accuracy: 0.7120 - loss: 0.9912\x1b[K\n");
}

TEST(Progress, EndsTheLineWhenInterrupted) {
  Told progress("progress");
  CallbackEvent event = At(FB_TICK, 860, 0.5);
  event.terminal = true;
  progress.Tell(event);
  EXPECT_EQ(progress.Tell(At(FB_INTERRUPTED, 900, 0.6)), "\n");
  EXPECT_EQ(progress.Tell(At(FB_INTERRUPTED, 900, 0.6)), "");
}

TEST(Progress, SaysAsMuchAsItIsAskedTo) {
  Told silent("progress:verbose=0"), plain("progress:verbose=2");
  CallbackEvent event = At(FB_EPOCH_END, 1719, 0.94);
  event.terminal = true;
  event.logs = {{"loss", 0.00012}};
  EXPECT_EQ(silent.Tell(event), "");
  EXPECT_EQ(plain.Tell(event), "1719/1719 - 1s - 547us/step - loss: 1.2000e-04\n");
}

TEST(Callback, IsToldOnlyWhatItOverrides) {
  const Told progress("progress"), history("history");
  EXPECT_TRUE(progress.callback->Wants(FB_TICK));
  EXPECT_TRUE(progress.callback->Wants(FB_EPOCH_BEGIN));
  EXPECT_FALSE(progress.callback->Wants(FB_BATCH_END));
  EXPECT_TRUE(history.callback->Wants(FB_EPOCH_END));
  EXPECT_FALSE(history.callback->Wants(FB_TICK));
}

TEST(History, KeepsTheLogsOfEachEpoch) {
  Told history("history");
  history.Tell({.kind = FB_EPOCH_END, .epoch = 0, .logs = {{"loss", 0.5}}});
  history.Tell({.kind = FB_EPOCH_END, .epoch = 1, .logs = {{"loss", 0.1}, {"val_loss", 1.0 / 3}}});
  ASSERT_OK_AND_ASSIGN(const std::string state, history.callback->SaveState());
  EXPECT_EQ(state, "epoch,loss,val_loss\n0,0.5,\n1,0.1,0.3333333333333333\n");

  Told resumed("history");
  ASSERT_OK(resumed.callback->LoadState(state));
  resumed.Tell({.kind = FB_EPOCH_END, .epoch = 2, .logs = {{"val_loss", 2.0}}});
  EXPECT_EQ(*resumed.callback->SaveState(), state + "2,,2\n");
}

TEST(History, RefusesABrokenState) {
  Told history("history");
  history.Tell({.kind = FB_EPOCH_END, .epoch = 0, .logs = {{"loss", 0.5}}});
  const std::string before = *history.callback->SaveState();
  EXPECT_THAT(history.callback->LoadState("loss\n0.5\n"),
              StatusHasMessage(::testing::EndsWith("its saved state does not begin with 'epoch'")));
  EXPECT_THAT(history.callback->LoadState("epoch,loss\n0,0.5,7\n"),
              StatusHasMessage(::testing::EndsWith("line 2 of its saved state is broken")));
  EXPECT_EQ(*history.callback->SaveState(), before);
}

}  // namespace
}  // namespace fusebox
