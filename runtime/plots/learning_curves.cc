// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/plots/learning_curves.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/number_text.h"
#include "fusebox/runtime/plots/picture.h"

namespace fusebox {
namespace {

// Source: Okabe and Ito (2008), Color Universal Design. Colour-blind readers can tell these apart.
constexpr std::array<const char*, 7> kColours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                 "#E69F00", "#56B4E9", "#000000"};
constexpr size_t kFewEpochs = 12;
constexpr std::string_view kValidation = "val_";

std::string MetricOf(const std::string& column) {
  return column.starts_with(kValidation) ? column.substr(kValidation.size()) : column;
}

// A gnuplot string. In double quotes a backslash and three digits stand for any byte, so that no quote, backquote or
// backslash can have a meaning. (A text in single quotes cannot begin with one.)
std::string Quote(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const bool is_special = std::string_view("'\"`\\").find(c) != std::string_view::npos;
    const bool is_control = static_cast<unsigned char>(c) < ' ' || c == '\x7F';
    quoted += is_special ? fmt::format("\\{:03o}", c) : std::string(1, is_control ? ' ' : c);
  }
  return quoted + "\"";
}

// The upper end of the axis: 1, unless a curve has no value between 0 and 1.
std::string UpperLimit(const std::vector<HistoryColumn>& history) {
  for (const HistoryColumn& column : history) {
    const bool visible = std::ranges::any_of(column.values, [](double v) { return v <= 1; });
    const bool finite = std::ranges::any_of(column.values, [](double v) { return std::isfinite(v); });
    if (finite && !visible) return "*";
  }
  return "1";
}

}  // namespace

std::string LearningCurvesScript(const std::vector<HistoryColumn>& history, const std::string& format,
                                 const CurveOptions& options) {
  size_t epochs = 0;
  for (const HistoryColumn& column : history) epochs = std::max(epochs, column.values.size());
  std::string script = "$history << END\n";
  for (size_t epoch = 0; epoch < epochs; ++epoch) {
    script += std::to_string(epoch);
    for (const HistoryColumn& column : history) {
      const bool drawable = epoch < column.values.size() && std::isfinite(column.values[epoch]);
      script += ' ' + (drawable ? PythonRepr(column.values[epoch]) : "NaN");
    }
    script += '\n';
  }
  script += "END\n";
  const std::string terminal = format == "svg" ? "svg" : "pngcairo";
  script += fmt::format("set terminal {} size {},{} font 'DejaVu Sans,12' background '#FFFFFF' noenhanced\n", terminal,
                        options.width, options.height);
  if (!options.title.empty()) script += fmt::format("set title {} font ',14'\n", Quote(options.title));
  script +=
      "set border 3 linecolor '#404040'\n"
      "set tics nomirror textcolor '#404040'\n"
      "set grid linecolor '#D8D8D8' linetype 1 linewidth 1\n"
      "set xlabel 'epoch' textcolor '#404040'\n"
      "set key outside right center Left reverse samplen 3 spacing 1.4\n";
  script += fmt::format("set xrange [0:{}]\n", std::max<size_t>(epochs, 2) - 1);
  if (epochs <= kFewEpochs) script += "set xtics 1\n";  // No half epochs.
  script += fmt::format("set yrange [0:{}]\n", UpperLimit(history));
  std::vector<std::string> metrics;
  std::string curves;
  for (size_t i = 0; i < history.size(); ++i) {
    const std::string metric = MetricOf(history[i].name);
    size_t colour = size_t(std::ranges::find(metrics, metric) - metrics.begin());
    if (colour == metrics.size()) metrics.push_back(metric);
    const bool validation = metric != history[i].name;
    // A single epoch has a point, but no line; so has an epoch between two that are not finite.
    const std::string points = epochs <= kFewEpochs ? fmt::format("points pointtype {}", validation ? 6 : 7) : "";
    const std::string style = fmt::format("lines{} dashtype {}", points, validation ? "(8,5)" : "1");
    curves += fmt::format("{}$history using 1:{} with {} linewidth 2 linecolor '{}' title {}", i == 0 ? "plot " : ", ",
                          i + 2, style, kColours[colour % kColours.size()], Quote(history[i].name));
  }
  return script + curves + "\n";
}

absl::Status DrawLearningCurves(const std::vector<HistoryColumn>& history, const std::string& path,
                                const CurveOptions& options) {
  FUSEBOX_ASSIGN_OR_RETURN(const std::string format, PictureFormat(path));
  if (history.empty() || history[0].values.empty()) return Refuse("'{}': the history has no epoch to be drawn", path);
  return DrawPicture({"gnuplot", "-d"}, LearningCurvesScript(history, format, options), "gnuplot-nox", path);
}

}  // namespace fusebox
