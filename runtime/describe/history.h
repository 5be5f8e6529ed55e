// SPDX-License-Identifier: Apache-2.0
// What training and evaluation report: named numbers at one moment (Logs) or of every epoch (History).
#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fusebox {

// A named number.
struct LogValue {
  std::string name;  // "val_loss"
  double value = 0;  // NaN if it is not known.

  bool operator==(const LogValue&) const = default;
};

// In Keras's order: "accuracy", "loss", then the same with "val_" before them.
class Logs : public std::vector<LogValue> {
 public:
  using std::vector<LogValue>::vector;

  // NaN if no log has this name.
  double operator[](std::string_view name) const {
    for (const LogValue& log : *this) {
      if (log.name == name) return log.value;
    }
    return std::numeric_limits<double>::quiet_NaN();
  }
  using std::vector<LogValue>::operator[];
};

// What Fit returns: the numbers of every epoch, as Keras's History.history.
struct History {
  std::vector<int64_t> epoch;                                       // The numbers of the epochs, from 0.
  std::vector<std::pair<std::string, std::vector<double>>> values;  // By name, one value per epoch.

  int64_t calls = 0;     // Calls of native code: one per epoch, more with a progress bar or batch hooks.
  int64_t steps = 0;     // How many steps of training it did.
  bool stopped = false;  // A callback ended the training before its last epoch.

  // The values of this name; empty if there are none.
  const std::vector<double>& operator[](std::string_view name) const;
  // Adds an epoch. A name has NaN for epochs in which it was not given.
  void Append(int64_t number, const Logs& logs);
};

}  // namespace fusebox
