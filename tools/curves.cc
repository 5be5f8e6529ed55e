// SPDX-License-Identifier: Apache-2.0
// fusebox curves history.csv -o c.png
#include <memory>

#include "fusebox/runtime/files/atomic_file.h"
#include "fusebox/runtime/plots/learning_curves.h"
#include "tools/command.h"

namespace fusebox::tools {
namespace {

struct CurvesWords {
  std::string history, output;
  CurveOptions options;
};

absl::Status DrawCurves(const CurvesWords& words) {
  FUSEBOX_RETURN_IF_ERROR(CheckWritable(words.output));
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<HistoryColumn> history, ReadHistoryCsv(words.history));
  FUSEBOX_RETURN_IF_ERROR(DrawLearningCurves(history, words.output, words.options));
  ReportWritten(words.output);
  return absl::OkStatus();
}

}  // namespace

void AddCurves(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand("curves", "Draw the learning curves of a history");
  const auto words = std::make_shared<CurvesWords>();
  verb->add_option("HISTORY", words->history, "CSV file written by train --history or by Keras's CSVLogger")
      ->required();
  verb->add_option("-o,--output", words->output, "Image to write: .png or .svg")->required();
  verb->add_option("--title", words->options.title, "Title above the curves");
  verb->callback([words, &action] { action = [words] { return DrawCurves(*words); }; });
}

}  // namespace fusebox::tools
