// SPDX-License-Identifier: Apache-2.0
// Models in forms that other systems write and fusebox does not read, to be refused by name.
#pragma once
#include <string>

#include "absl/status/status.h"

namespace fusebox {

// Error if the path is a TensorFlow SavedModel (its folder or its saved_model.pb), a TensorFlow checkpoint, a TFLite
// model, a file of PyTorch's or weights in several files alone: what it is, and what to do instead.
absl::Status RefuseForeignModel(const std::string& path);

}  // namespace fusebox
