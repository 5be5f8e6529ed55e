// SPDX-License-Identifier: Apache-2.0
// The table of layers that Keras prints.
#include <algorithm>
#include <map>

#include "fmt/ranges.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/formats/keras_names.h"
#include "fusebox/runtime/model_state.h"

namespace fusebox {
namespace {

struct Row {
  std::string layer, shape, params;
};

// How wide a text is on a terminal: UTF-8's continuation bytes take no place.
size_t Width(std::string_view text) {
  return size_t(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}
std::string Repeat(std::string_view piece, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += piece;
  return text;
}
std::string Left(const std::string& text, size_t width) {
  return text + Repeat(" ", width - std::min(width, Width(text)));
}
std::string Right(const std::string& text, size_t width) {
  return Repeat(" ", width - std::min(width, Width(text))) + text;
}

// 266610 -> "266,610"
std::string Grouped(int64_t number) {
  std::string text = fmt::format("{}", number);
  for (int64_t i = int64_t(text.size()) - 3; i > 0; i -= 3) text.insert(size_t(i), ",");
  return text;
}

// As Keras says how much memory it is: "1.02 MB".
std::string Memory(int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KB", "MB", "GB", "TB"};
  double amount = double(bytes);
  size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < std::size(kUnits); ++unit) amount /= 1024;
  return fmt::format("{:.2f} {}", amount, kUnits[unit]);
}

// As Python prints a tuple: (None, 10), (None,).
std::string KerasShape(const Shape& shape) {
  std::vector<std::string> dims;
  for (const int64_t d : shape)
    dims.push_back(d >= 0 ? fmt::format("{}", d) : d == -1 ? "None" : fmt::format("{}*None", -d));
  return fmt::format("({}{})", fmt::join(dims, ", "), dims.size() == 1 ? "," : "");
}

int64_t Elements(const Variable& variable) { return NumElements(variable.type.shape, 1); }

std::string Line(const size_t (&widths)[3], const char* left, const char* middle, const char* right, const char* dash) {
  return left + Repeat(dash, widths[0] + 2) + middle + Repeat(dash, widths[1] + 2) + middle +
         Repeat(dash, widths[2] + 2) + right + "\n";
}
std::string Cells(const size_t (&widths)[3], const Row& row, const char* bar) {
  return fmt::format("{0} {1} {0} {2} {0} {3} {0}\n", bar, Left(row.layer, widths[0]), Left(row.shape, widths[1]),
                     Right(row.params, widths[2]));
}

}  // namespace

std::string Sequential::Summary() const {
  // What is not made yet is told by the symbols alone.
  Variables variables;
  if (const absl::StatusOr<Graph> program = impl_->Program(ProgramKind::kPrediction, impl_->UsualData()); program.ok())
    variables.Declare(*program);
  const absl::StatusOr<std::vector<LayerTypes>> types = layer_types();

  std::map<std::string_view, std::vector<const Variable*>> weights;  // By layer: the first part of the scope.
  for (const Variable* weight : variables.OfKind("weight")) {
    const std::string_view scope = weight->scope;
    weights[scope.substr(0, scope.find('/'))].push_back(weight);
  }
  std::vector<Row> rows;
  int64_t total = 0, trainable = 0;
  for (size_t i = 0; i < impl_->config.layers.size(); ++i) {
    const LayerConfig& layer = impl_->config.layers[i];
    int64_t params = 0;
    for (const Variable* weight : weights[layer.name]) {
      params += Elements(*weight);
      if (weight->trainable && layer.trainable) trainable += Elements(*weight);
    }
    total += params;
    rows.push_back({fmt::format("{} ({})", layer.name, KerasClassName(layer.item.id)),
                    types.ok() ? KerasShape((*types)[i].output.shape) : "?", types.ok() ? Grouped(params) : "?"});
  }

  const Row head = {"Layer (type)", "Output Shape", "Param #"};
  size_t widths[3] = {31, 22, 13};
  for (const Row& row : rows) {
    widths[0] = std::max(widths[0], Width(row.layer));
    widths[1] = std::max(widths[1], Width(row.shape));
    widths[2] = std::max(widths[2], Width(row.params));
  }
  std::string text = fmt::format("Model: \"{}\"\n", impl_->config.name);
  text += Line(widths, "┏", "┳", "┓", "━") + Cells(widths, head, "┃") + Line(widths, "┡", "╇", "┩", "━");
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) text += Line(widths, "├", "┼", "┤", "─");
    text += Cells(widths, rows[i], "│");
  }
  text += Line(widths, "└", "┴", "┘", "─");
  constexpr int64_t kBytes = 4;
  text += fmt::format(" Total params: {} ({})\n", Grouped(total), Memory(total * kBytes));
  text += fmt::format(" Trainable params: {} ({})\n", Grouped(trainable), Memory(trainable * kBytes));
  text +=
      fmt::format(" Non-trainable params: {} ({})\n", Grouped(total - trainable), Memory((total - trainable) * kBytes));
  return text;
}

int64_t Sequential::CountParams() const {
  Variables variables;
  if (const absl::StatusOr<Graph> program = impl_->Program(ProgramKind::kPrediction, impl_->UsualData()); program.ok())
    variables.Declare(*program);
  int64_t total = 0;
  for (const Variable* weight : variables.OfKind("weight")) total += Elements(*weight);
  return total;
}

}  // namespace fusebox
