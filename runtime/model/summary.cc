// SPDX-License-Identifier: Apache-2.0
// Prints the table of layers as Keras does.
#include <algorithm>
#include <map>
#include <set>

#include "fmt/ranges.h"
#include "fusebox/graph/check.h"
#include "fusebox/graph/printable.h"
#include "fusebox/graph/state_kind.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/model/model_impl.h"

namespace fusebox {
namespace {

using Row = std::vector<std::string>;

// The width of a text on a terminal. UTF-8 continuation bytes take no space.
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

// The amount of memory as Keras prints it: "1.02 MB".
std::string Memory(int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KB", "MB", "GB", "TB"};
  double amount = double(bytes);
  size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < std::size(kUnits); ++unit) amount /= 1024;
  return fmt::format("{:.2f} {}", amount, kUnits[unit]);
}

// The shape as Python prints a tuple: (None, 10), (None,).
std::string KerasShape(const Shape& shape) {
  std::vector<std::string> dims;
  for (const int64_t d : shape)
    dims.push_back(d >= 0 ? fmt::format("{}", d) : d == -1 ? "None" : fmt::format("{}*None", -d));
  return fmt::format("({}{})", fmt::join(dims, ", "), dims.size() == 1 ? "," : "");
}

int64_t Elements(const Variable& variable) { return NumElements(variable.type.shape, 1); }

// A horizontal line: its left and right ends, the character between columns, and the dash that it is drawn with.
std::string Line(const std::vector<size_t>& widths, const char* left, const char* middle, const char* right,
                 const char* dash) {
  std::string text = left;
  for (size_t i = 0; i < widths.size(); ++i) text += (i > 0 ? middle : "") + Repeat(dash, widths[i] + 2);
  return text + right + "\n";
}

// Breaks a text at blanks into lines of this width. A word that is longer gets a line of its own.
std::vector<std::string> Wrap(const std::string& text, size_t width) {
  std::vector<std::string> lines = {""};
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    std::string& line = lines.back();
    if (line.empty()) {
      line = word;
    } else if (Width(line) + 1 + Width(word) <= width) {
      line += " " + word;
    } else {
      lines.push_back(word);
    }
    begin = end + 1;
  }
  return lines;
}

constexpr size_t kParams = 2;  // The column that is aligned to the right.

std::string Cells(const std::vector<size_t>& widths, const Row& row, const char* bar) {
  std::vector<std::vector<std::string>> cells;
  size_t height = 1;
  for (size_t i = 0; i < widths.size(); ++i) {
    cells.push_back(Wrap(row[i], widths[i]));
    height = std::max(height, cells.back().size());
  }
  std::string text;
  for (size_t line = 0; line < height; ++line) {
    for (size_t i = 0; i < widths.size(); ++i) {
      const std::string part = line < cells[i].size() ? cells[i][line] : "";
      text += fmt::format("{} {} ", bar, i == kParams ? Right(part, widths[i]) : Left(part, widths[i]));
    }
    text += std::string(bar) + "\n";
  }
  return text;
}

// Widens columns to their widest word where that is wider than Keras's column. Words are never broken.
void Widen(std::vector<size_t>& widths, const Row& row) {
  for (size_t i = 0; i < widths.size(); ++i) {
    for (const std::string& line : Wrap(row[i], widths[i])) widths[i] = std::max(widths[i], Width(line));
  }
}

// Whether the model is a chain of layers, each called once, so that the table needs no column of connections. For a
// class Keras does not print connections either.
bool IsChain(const ModelConfig& model) {
  if (model.IsStack() || model.IsSubclass()) return true;
  std::set<size_t> called, read;
  for (const CallConfig& call : model.calls) {
    if (call.inputs.size() != 1 || !called.insert(call.layer).second || !read.insert(call.inputs[0].source).second)
      return false;
  }
  return model.inputs.size() == 1 && model.outputs.size() == 1;
}

// "(None, 3)", or "[(None, 3), (None, 4)]" for a layer with several outputs.
std::string Shapes(const std::vector<Type>& types) {
  std::vector<std::string> shapes;
  for (const Type& type : types) shapes.push_back(KerasShape(type.shape));
  return shapes.size() == 1 ? shapes[0] : fmt::format("[{}]", fmt::join(shapes, ", "));
}

// The values that each layer reads in all of its calls: "a[0][0], dense[1][0]".
std::vector<std::string> Connections(const ModelConfig& model) {
  const size_t inputs = model.inputs.size();
  std::vector<std::string> of_layer(model.layers.size());
  std::vector<int> calls(model.layers.size()), node;
  for (const CallConfig& call : CallsOf(model)) node.push_back(calls[call.layer]++);
  for (const CallConfig& call : CallsOf(model)) {
    for (const auto& [source, output] : call.inputs) {
      std::string& text = of_layer[call.layer];
      const bool is_input = source < inputs;
      const std::string name =
          Printable(is_input ? model.inputs[source].name : model.layers[model.calls[source - inputs].layer].name);
      text += fmt::format("{}{}[{}][{}]", text.empty() ? "" : ", ", name, is_input ? 0 : node[source - inputs], output);
    }
  }
  return of_layer;
}

// The numbers of parameters: all, and those that training changes.
struct Counts {
  int64_t all = 0, trained = 0;
};
// The numbers of parameters of a model, by layer.
class ParameterCounts {
 public:
  ParameterCounts(const ModelConfig& model, const Variables& variables)
      : leaves_(LeafLayers(model)), shared_(SharedPaths(model)) {
    std::map<std::string_view, bool> is_trained;
    for (const LeafLayer& leaf : leaves_) is_trained.emplace(leaf.path, leaf.trainable);
    for (const Variable* weight : variables.OfKind(StateKindName(FB_WEIGHT))) {
      // A layer may add scopes of its own to its path.
      std::string_view scope = weight->scope;
      auto leaf = is_trained.find(scope);
      while (leaf == is_trained.end() && scope.find('/') != std::string_view::npos) {
        scope = scope.substr(0, scope.rfind('/'));
        leaf = is_trained.find(scope);
      }
      const bool trained = weight->trainable && (leaf == is_trained.end() || leaf->second);
      for (Counts* const counts : {&total_, &of_leaf_[std::string(scope)]}) {
        counts->all += Elements(*weight);
        if (trained) counts->trained += Elements(*weight);
      }
    }
  }

  const Counts& total() const { return total_; }
  // All parameters of the layer, or of the model, at the path `name`; those at several places of it count once.
  int64_t Within(std::string_view name) const {
    std::set<std::string_view> places;  // The paths that the weights are named after.
    for (const LeafLayer& leaf : leaves_) {
      if (!leaf.path.starts_with(name)) continue;
      if (leaf.path.size() > name.size() && leaf.path[name.size()] != '/') continue;
      const auto first = shared_.find(leaf.path);
      places.insert(first != shared_.end() ? first->second : leaf.path);
    }
    int64_t all = 0;
    for (const std::string_view place : places) {
      if (const auto counts = of_leaf_.find(place); counts != of_leaf_.end()) all += counts->second.all;
    }
    return all;
  }

 private:
  const std::vector<LeafLayer> leaves_;
  const std::map<std::string, std::string> shared_;
  std::map<std::string, Counts, std::less<>> of_leaf_;
  Counts total_;
};

// Weights that are not made yet are read from the model's symbols. A class has declared the weights of all its traces.
Variables Declared(const Model::Impl& model) {
  Variables variables;
  if (model.config.IsSubclass()) {
    for (const Variable& variable : model.variables.all()) {
      if (variable.kind == StateKindName(FB_WEIGHT)) variables.Add(variable);
    }
    return variables;
  }
  if (const absl::StatusOr<Graph> program = model.Program(ProgramKind::kPrediction, model.UsualData()); program.ok()) {
    Check(variables.Declare(*program).ok(), "weights without an owner cannot be refused");
  }
  return variables;
}

}  // namespace

std::string Model::Summary() const {
  const ModelConfig& model = config();
  const ParameterCounts counts(model, Declared(*impl_));
  const absl::StatusOr<std::vector<CallTypes>> types = call_types();
  const bool chain = IsChain(model);

  const std::vector<std::string> connections =
      chain ? std::vector<std::string>(model.layers.size()) : Connections(model);
  std::vector<std::string> shapes(model.layers.size(), "?");
  const std::vector<CallConfig> calls = CallsOf(model);
  for (size_t i = 0; types.ok() && i < calls.size(); ++i) shapes[calls[i].layer] = Shapes((*types)[i].outputs);
  std::vector<Row> rows;
  for (const size_t i : LayerOrder(model)) {
    if (i < model.inputs.size()) {
      const InputConfig& input = model.inputs[i];
      if (!model.IsStack() && !model.IsSubclass())
        rows.push_back(
            {Printable(input.name) + " (InputLayer)", Shapes({BatchType(input.dtype, input.shape)}), "0", "-"});
      continue;
    }
    const size_t at = i - model.inputs.size();
    const LayerConfig& layer = model.layers[at];
    if (model.IsSubclass() && at >= model.members) continue;
    const std::string params = Grouped(counts.Within(layer.name));
    rows.push_back({fmt::format("{} ({})", Printable(layer.name), Printable(KerasClassOf(layer))), shapes[at],
                    types.ok() ? params : "?", connections[at]});
  }

  const Row head = {"Layer (type)", "Output Shape", "Param #", "Connected to"};
  // Keras's column widths on a terminal of 80 columns.
  std::vector<size_t> widths = chain ? std::vector<size_t>{31, 22, 13} : std::vector<size_t>{19, 17, 10, 17};
  for (const Row& row : rows) Widen(widths, row);
  std::string text = fmt::format("Model: \"{}\"\n", Printable(model.name));
  text += Line(widths, "┏", "┳", "┓", "━") + Cells(widths, head, "┃") + Line(widths, "┡", "╇", "┩", "━");
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) text += Line(widths, "├", "┼", "┤", "─");
    text += Cells(widths, rows[i], "│");
  }
  text += Line(widths, "└", "┴", "┘", "─");
  constexpr int64_t kBytes = 4;
  const auto [all, trained] = counts.total();
  text += fmt::format(" Total params: {} ({})\n", Grouped(all), Memory(all * kBytes));
  text += fmt::format(" Trainable params: {} ({})\n", Grouped(trained), Memory(trained * kBytes));
  text += fmt::format(" Non-trainable params: {} ({})\n", Grouped(all - trained), Memory((all - trained) * kBytes));
  return text;
}

int64_t Model::CountParams() const { return ParameterCounts(impl_->config, Declared(*impl_)).total().all; }

}  // namespace fusebox
