// SPDX-License-Identifier: Apache-2.0
// What is added to the loss of a batch: the penalties of regularizers, and what layers and users add themselves.
#pragma once
#include <string>

#include "fusebox/runtime/programs/draft.h"

namespace fusebox {

// The penalty that the regularizer `text` makes of x, a weight or a layer's output, f32[]. `name` is its scope.
Value WritePenalty(ProgramDraft& d, const std::string& text, Value x, const std::string& name);

// The sum of the penalties of all weights that are trained and of HostBuilder::losses; the error value if there are
// none.
Value WritePenalties(ProgramDraft& d);

}  // namespace fusebox
