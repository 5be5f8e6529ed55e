// SPDX-License-Identifier: Apache-2.0
// Prints what Keras prints during training. On a terminal, one line per epoch, redrawn at most ten times a second:
//     Epoch 1/30
//      860/1719 ━━━━━━━━━━━━━━━━━━━━ 0s 545us/step - accuracy: 0.7120 - loss: 0.9912
// Elsewhere (or with verbose=2), one plain line at the end of each epoch:
//     1719/1719 - 1s - 545us/step - accuracy: 0.7120 - loss: 0.9912
#include <cmath>

#include "fusebox/graph/printable.h"
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
  if (std::isnan(value)) return "nan";  // Its sign says nothing.
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

  // Ends the bar's line, so that the next output begins on a line of its own.
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
    for (const sdk::Log& log : event.logs) text += fmt::format(" - {}: {}", Printable(log.name), Number(log.value));
    return text + "\n";
  }

  // The line that replaces the previous one. During the epoch it shows the remaining time, and only as many logs as
  // fit: a line that wraps could not be redrawn.
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
    // Without colour, the remaining cells need another shape.
    std::string text = "\r" + styled("1", count) + " ";
    if (full > 0) text += styled("32", cells(full, "━"));
    if (full < kCells) text += styled("37", cells(kCells - full, event.colour() ? "━" : "─"));
    text += " " + styled("1", time) + " " + StepTime(step);
    int64_t width = int64_t(count.size() + 1 + kCells + 1 + time.size() + 1 + StepTime(step).size());
    for (const sdk::Log& log : event.logs) {
      const std::string entry = fmt::format(" - {}: {}", Printable(log.name), Number(log.value));
      width += int64_t(entry.size());
      if (!over && width >= event.e.columns) break;
      text += entry;
    }
    return text + "\x1b[K";  // Erases the rest of a longer previous line.
  }

  int64_t verbose_;
  double drawn_at_ = 0;
  bool open_ = false;
};

FUSEBOX_PLUGIN(Progress,
               {.id = "fusebox/progress",
                .doc = "Shows the progress of training on stderr.",
                .attributes = {
                    sdk::Int("verbose", 1)
                        .Range(0, 2)
                        .Doc("1: a progress bar if stderr is a terminal; 2: one line per epoch; 0: nothing")}});

}  // namespace
}  // namespace fusebox
