// SPDX-License-Identifier: Apache-2.0
// The losses of a training or evaluation program.
#pragma once
#include "fusebox/runtime/programs/draft.h"

namespace fusebox {

// The loss of the batch, f32[]: see ReduceLoss. The output "loss" is the mean of all samples since the accumulators
// were zero; of several losses each has such an output, too. y_true and weights have one value for each of
// TargetOutputs, y_pred one for each output; a weight may be the error value.
Value WriteLoss(ProgramDraft& d, const Values& y_true, const Values& y_pred, const Values& weights);

}  // namespace fusebox
