// SPDX-License-Identifier: Apache-2.0
// What a run reports: named numbers, of one moment (Logs) or of every epoch (History).
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

  // NaN if there is none of this name.
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
  std::vector<std::pair<std::string, std::vector<double>>> values;  // Of each name, one for each epoch.

  int64_t calls = 0;     // How often native code was entered: once an epoch, unless a bar or a batch hook bounds it.
  int64_t steps = 0;     // How many steps of training it did.
  bool stopped = false;  // A callback ended the training before its last epoch.

  // The values of a name; empty if there is none.
  const std::vector<double>& operator[](std::string_view name) const;
  // Adds an epoch. A name that is new, or that is missing, has NaN where it was not given.
  void Append(int64_t number, const Logs& logs);
};

}  // namespace fusebox
