// SPDX-License-Identifier: Apache-2.0
// Training and evaluation of a model on whole data sets.
#include <algorithm>
#include <csignal>
#include <utility>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/fit/interrupt.h"
#include "fusebox/runtime/fit/training_run.h"

namespace fusebox {

absl::Status Interrupted() {
  return absl::CancelledError(fmt::format("interrupted by {}", SignalArrived() == SIGTERM ? "SIGTERM" : "SIGINT"));
}

Logs ReadLogs(const BoundProgram& program, const std::vector<std::string>& names) {
  Logs logs;
  for (const std::string& name : names) logs.push_back({name, program.ScalarOutput(name)});
  return logs;
}

absl::StatusOr<Logs> EvaluateChecked(BoundProgram& program, const ModelConfig& model, const PortData& data,
                                     int64_t batch_size, std::optional<int64_t> steps, int64_t threads) {
  const int64_t all = StepsFor(data.rows(), batch_size);
  std::atomic<uint32_t> yield = 0;
  const SignalSets signals(yield);
  program.ResetAccumulators();
  BindData(program, model, Port::Kind::kInput, data);
  program.Run(threads, 0, std::min(all, steps.value_or(all)), batch_size, data.rows(), &yield);
  if (SignalArrived() != 0) return Interrupted();
  return ReadLogs(program, LogNames(model));
}

absl::StatusOr<History> Model::Fit(const Arrays& x, const Arrays& y, FitArgs args) {
  FUSEBOX_ASSIGN_OR_RETURN(const std::unique_ptr<TrainingRun> run, TrainingRun::Start(*this, x, y, std::move(args)));
  FUSEBOX_RETURN_IF_ERROR(run->Begin());
  while (!run->IsDone()) FUSEBOX_RETURN_IF_ERROR(run->RunEpoch());
  return run->Finish();
}

}  // namespace fusebox
