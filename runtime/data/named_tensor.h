// SPDX-License-Identifier: Apache-2.0
// What a file of several arrays holds.
#pragma once
#include <string>

#include "fusebox/runtime/data/tensor.h"

namespace fusebox {

struct NamedTensor {
  std::string name;
  Tensor value;
};

}  // namespace fusebox
