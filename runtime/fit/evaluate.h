// SPDX-License-Identifier: Apache-2.0
// Passes over data without training: what Evaluate, Predict and the validation of Fit have in common.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/execute/bound_program.h"
#include "fusebox/runtime/model.h"
#include "fusebox/runtime/model/port_data.h"

namespace fusebox {

// Steps of a pass over n rows.
inline int64_t StepsFor(int64_t rows, int64_t batch) { return (rows + batch - 1) / batch; }
// Keras's batch size: `asked` if given, else the size that takes the rows in `steps` steps, else 32.
int64_t BatchSizeFor(std::optional<int64_t> asked, std::optional<int64_t> steps, int64_t rows);
// Error unless a number that may be left out is 1 or more.
absl::Status CheckPositive(const char* name, std::optional<int64_t> number);
// The error of a run that a signal has ended.
absl::Status Interrupted();
// One evaluation pass over data that the program was compiled for, or its first steps.
absl::StatusOr<Logs> EvaluateChecked(BoundProgram& program, const ModelConfig& model, const PortData& data,
                                     int64_t batch_size, std::optional<int64_t> steps, int64_t threads);
// What a pass over data runs: steps of `batch` rows each, of `rows` rows in all.
struct PassSize {
  int64_t batch, steps, rows;
};
PassSize PredictionSize(const PredictArgs& args, int64_t rows);
// Computes the outputs with the model's program of prediction, which was compiled for these data.
absl::StatusOr<Arrays> RunPrediction(BoundProgram& program, const Model::Impl& model, const PortData& data,
                                     const PassSize& size, int64_t threads);
// Losses and metrics that a program's outputs hold, in the order of LogNames; of a metric of several numbers, all.
Logs ReadLogs(const BoundProgram& program, const std::vector<std::string>& names);

}  // namespace fusebox
