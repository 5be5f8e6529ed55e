// SPDX-License-Identifier: Apache-2.0
// An array with a name, as files of several arrays hold them.
#pragma once
#include <string>

#include "fusebox/runtime/data/tensor.h"

namespace fusebox {

// An array with a name: of a file, of an input or output, or a weight.
struct NamedTensor {
  std::string name;  // "x", "main_output", "kernel"
  Tensor value;      // Its elements.
};

}  // namespace fusebox
