// SPDX-License-Identifier: Apache-2.0
// Ports: the arrays that the caller of a compiled program binds.
#pragma once
#include <cstdint>
#include <string>

#include "fusebox/graph/type.h"

namespace fusebox {

// An array whose first dimension is N belongs to a batch: step s of a run sees its rows from s * batch on. All others
// (states, scalars, whole data sets) are the same for every step.
struct Port {
  enum class Kind : uint8_t { kInput, kRows, kState, kOutput };
  Kind kind = Kind::kInput;
  std::string name;
  Type type;             // kRows: of the batch; the array itself holds as many rows as the data set has.
  bool written = false;  // True for outputs, and for states that have an update.
};

}  // namespace fusebox
