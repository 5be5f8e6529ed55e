// SPDX-License-Identifier: Apache-2.0
// The metrics of a training or evaluation program.
#pragma once
#include "fusebox/runtime/programs/draft.h"

namespace fusebox {

// Outputs with the metrics of the model, by the names of LoggedMetrics, and with what AddMetric has named. The
// arguments are those of WriteLoss.
void WriteMetrics(ProgramDraft& d, const Values& y_true, const Values& y_pred, const Values& weights);

}  // namespace fusebox
