// SPDX-License-Identifier: Apache-2.0
// The forward pass: a model's layers, called in order, into models within and out of them.
#pragma once
#include <cstddef>
#include <vector>

#include "fusebox/runtime/programs/draft.h"
#include "fusebox/runtime/programs/ports.h"

namespace fusebox {

// What comes out of the model for these inputs. Fills the draft's masks, frozen and added_metrics. `types` gets each
// call's, in the order of CallsOf; after an error `at` is the call that is wrong.
Values WriteForward(ProgramDraft& d, const Values& inputs, std::vector<CallTypes>* types = nullptr,
                    size_t* at = nullptr);

// Casts data to the dtype that the model takes.
Value Converted(Value data, DType dtype);

}  // namespace fusebox
