// SPDX-License-Identifier: Apache-2.0
// The learning curves of a training: every column of its history over the epochs.
#pragma once
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/files/history_csv.h"

namespace fusebox {

struct CurveOptions {
  std::string title;  // None if empty.
  int width = 960;    // In pixels.
  int height = 600;
};

// Draws to `path`, a .png or .svg, with gnuplot. A metric and its val_ twin share a colour, the twin is dashed. The y
// axis shows 0 to 1, as accuracies need; where a curve lies wholly above that, to the largest value.
absl::Status DrawLearningCurves(const std::vector<HistoryColumn>& history, const std::string& path,
                                const CurveOptions& options = {});

// The gnuplot script of that picture, which draws to stdout. `format` is png or svg.
std::string LearningCurvesScript(const std::vector<HistoryColumn>& history, const std::string& format,
                                 const CurveOptions& options = {});

}  // namespace fusebox
