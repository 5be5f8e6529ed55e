// SPDX-License-Identifier: Apache-2.0
// What Keras prints while it trains. On a terminal, one line an epoch, redrawn ten times a second at most:
//     Epoch 1/30
//      860/1719 ━━━━━━━━━━━━━━━━━━━━ 0s 545us/step - accuracy: 0.7120 - loss: 0.9912
// and elsewhere (or with verbose=2) one plain line when the epoch is over:
//     1719/1719 - 1s - 545us/step - accuracy: 0.7120 - loss: 0.9912
#include <cmath>

#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

constexpr int kCells = 20;
constexpr double kSecondsBetween = 0.1;

// "12s", "1:05" or "1:02:03".
std::string Clock(double seconds) {
  const int64_t s = seconds > 0 ? int64_t(seconds) : 0;
  if (s > 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s % 3600 / 60, s % 60);
  if (s > 60) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}s", s);
}

std::string StepTime(double seconds) {
  if (seconds >= 1 || seconds == 0) return fmt::format("{:.0f}s/step", seconds);
  if (seconds >= 1e-3) return fmt::format("{:.0f}ms/step", seconds * 1e3);
  return fmt::format("{:.0f}us/step", seconds * 1e6);
}

std::string Number(double value) {
  return std::abs(value) > 1e-3 ? fmt::format("{:.4f}", value) : fmt::format("{:.4e}", value);
}

class Progress final : public sdk::Callback {
 public:
  explicit Progress(const sdk::Attributes& attributes) : verbose_(attributes.Int("verbose")) {}

  void OnEpochBegin(sdk::Event& event) override {
    if (verbose_ == 0) return;
    event.Write(fmt::format("Epoch {}/{}\n", event.e.epoch + 1, event.e.epochs));
    drawn_at_ = -kSecondsBetween;
  }

  void OnTick(sdk::Event& event) override {
    if (!HasBar(event) || event.e.seconds - drawn_at_ < kSecondsBetween) return;
    drawn_at_ = event.e.seconds;
    event.Write(Bar(event, false));
    open_ = true;
  }

  void OnEpochEnd(sdk::Event& event) override {
    if (verbose_ == 0) return;
    event.Write(HasBar(event) ? Bar(event, true) + "\n" : Line(event));
    open_ = false;
  }

  // The bar's line ends here, so that what is printed next begins a line of its own.
  void OnInterrupted(sdk::Event& event) override {
    if (open_) event.Write("\n");
    open_ = false;
  }

 private:
  bool HasBar(const sdk::Event& event) const { return verbose_ == 1 && event.terminal(); }

  static std::string Count(const sdk::Event& event) {
    const std::string steps = fmt::format("{}", event.e.steps);
    return fmt::format("{:>{}}/{}", event.e.step, steps.size(), steps);
  }
  static double SecondsAStep(const sdk::Event& event) {
    return event.e.step > 0 ? event.e.seconds / double(event.e.step) : 0;
  }

  static std::string Line(const sdk::Event& event) {
    std::string text = fmt::format("{} - {:.0f}s - {}", Count(event), event.e.seconds, StepTime(SecondsAStep(event)));
    for (const sdk::Log& log : event.logs) text += fmt::format(" - {}: {}", log.name, Number(log.value));
    return text + "\n";
  }

  // The line that replaces the last one. Until the epoch is over it shows what time is left, and no more logs than fit:
  // a line that wraps could not be redrawn.
  static std::string Bar(const sdk::Event& event, bool over) {
    const auto styled = [&](const char* code, std::string_view text) {
      return event.colour() ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
    };
    const std::string count = Count(event);
    const int64_t steps = event.e.steps > 0 ? event.e.steps : 1;
    const int64_t full = std::min<int64_t>(kCells, kCells * event.e.step / steps);
    const auto cells = [&](int64_t n, const char* cell) {
      std::string text;
      for (int64_t i = 0; i < n; ++i) text += cell;
      return text;
    };
    const double step = SecondsAStep(event);
    const std::string time =
        over ? fmt::format("{:.0f}s", event.e.seconds) : Clock(step * double(event.e.steps - event.e.step));
    // Without colour the cells to come need another shape.
    std::string text = "\r" + styled("1", count) + " ";
    if (full > 0) text += styled("32", cells(full, "━"));
    if (full < kCells) text += styled("37", cells(kCells - full, event.colour() ? "━" : "─"));
    text += " " + styled("1", time) + " " + StepTime(step);
    int64_t width = int64_t(count.size() + 1 + kCells + 1 + time.size() + 1 + StepTime(step).size());
    for (const sdk::Log& log : event.logs) {
      const std::string entry = fmt::format(" - {}: {}", log.name, Number(log.value));
      width += int64_t(entry.size());
      if (!over && width >= event.e.columns) break;
      text += entry;
    }
    return text + "\x1b[K";  // Erases what is left of a longer line.
  }

  int64_t verbose_;
  double drawn_at_ = 0;
  bool open_ = false;
};

FUSEBOX_PLUGIN(Progress,
               {.id = "fusebox/progress",
                .doc = "Shows how the training goes on stderr.",
                .attributes = {sdk::Int("verbose", 1)
                                   .Range(0, 2)
                                   .Doc("1: a bar where stderr is a terminal; 2: one line an epoch; 0: nothing")}});

}  // namespace
}  // namespace fusebox
