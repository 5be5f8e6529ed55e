// SPDX-License-Identifier: Apache-2.0
// A callback that remembers all that it is told, for tests of who is told what and when.
#include "fusebox/plugins/sdk/sdk.h"

namespace recorder {
using namespace fusebox;

class Recorder final : public sdk::Callback {
 public:
  explicit Recorder(const sdk::Attributes& attributes)
      : stop_step_(attributes.Int("stop_step")), writes_(attributes.Bool("writes")) {}

  void OnTrainBegin(sdk::Event& event) override { Record("train_begin", event); }
  void OnTrainEnd(sdk::Event& event) override { Record("train_end", event); }
  void OnEpochBegin(sdk::Event& event) override { Record("epoch_begin", event); }
  void OnEpochEnd(sdk::Event& event) override { Record("epoch_end", event); }
  void OnBatchBegin(sdk::Event& event) override { Record("batch_begin", event); }
  void OnBatchEnd(sdk::Event& event) override {
    Record("batch_end", event);
    if (event.e.step == stop_step_) event.Stop();
  }
  void OnTestBegin(sdk::Event& event) override { Record("test_begin", event); }
  void OnTestEnd(sdk::Event& event) override { Record("test_end", event); }

  std::string SaveState() const override { return text_; }
  void LoadState(std::string_view state) override {
    if (state == "broken") throw std::runtime_error("its state is broken");
    text_ = state;
  }

 private:
  // "batch_end 1/3 4/5 loss": epoch and epochs, step and steps, the names of the logs.
  void Record(const char* what, sdk::Event& event) {
    std::string line = fmt::format("{} {}/{} {}/{}", what, event.e.epoch, event.e.epochs, event.e.step, event.e.steps);
    for (const sdk::Log& log : event.logs) line += fmt::format(" {}", log.name);
    line += '\n';
    text_ += line;
    if (writes_) event.Write(line);
  }

  int64_t stop_step_;
  bool writes_;
  std::string text_;
};
FUSEBOX_PLUGIN(Recorder, {.id = "test/recorder",
                          .doc = "Remembers all that it is told.",
                          .attributes = {sdk::Int("stop_step", -1).Doc("asks for the end after this step of an epoch"),
                                         sdk::Bool("writes", false).Doc("writes it to stderr, too")}});

}  // namespace recorder
FUSEBOX_LIBRARY("recorder", "1.0.0")
