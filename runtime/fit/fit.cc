// SPDX-License-Identifier: Apache-2.0
// Training of a model on whole data sets.
#include <memory>
#include <utility>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/fit/training_run.h"

namespace fusebox {

absl::StatusOr<History> Model::Fit(const Arrays& x, const Arrays& y, FitArgs args) {
  return impl_->Exclusively([&]() -> absl::StatusOr<History> {
    FUSEBOX_ASSIGN_OR_RETURN(const std::unique_ptr<TrainingRun> run, TrainingRun::Start(*this, x, y, std::move(args)));
    FUSEBOX_RETURN_IF_ERROR(run->Begin());
    while (!run->IsDone()) FUSEBOX_RETURN_IF_ERROR(run->RunEpoch());
    return run->Finish();
  });
}

}  // namespace fusebox
