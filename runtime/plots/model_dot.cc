// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/plots/model_dot.h"

#include "fmt/ranges.h"
#include "fusebox/graph/printable.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/atomic_file.h"
#include "fusebox/runtime/plots/picture.h"

namespace fusebox {
namespace {

std::string Escape(const std::string& text) {
  std::string escaped;
  for (const char c : Printable(text)) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

// A row that spans the table.
std::string Row(int columns, const char* background, int points, const char* colour, const std::string& html) {
  return fmt::format(R"(<tr><td colspan="{}" bgcolor="{}"><font point-size="{}" color="{}">{}</font></td></tr>)",
                     columns, background, points, colour, html);
}

std::string Cell(const char* what, const std::string& shape) {
  return fmt::format(R"(<td bgcolor="white"><font point-size="14">{}: <b>{}</b></font></td>)", what,
                     shape.empty() ? "?" : Escape(shape));
}

// Black head with name and class, then the activation, then the shapes side by side.
std::string Label(const DotLayer& layer, const DotOptions& options) {
  const bool is_input = layer.class_name == "InputLayer";
  std::string cells;
  if (options.show_shapes && !is_input) cells += Cell("Input shape", layer.input_shape);
  if (options.show_shapes) cells += Cell("Output shape", layer.output_shape);
  const int columns = options.show_shapes && !is_input ? 2 : 1;
  const std::string head = options.show_layer_names
                               ? fmt::format("<b>{}</b> ({})", Escape(layer.name), Escape(layer.class_name))
                               : fmt::format("<b>{}</b>", Escape(layer.class_name));
  std::string rows = Row(columns, "black", 16, "white", head);
  if (options.show_layer_activations && !layer.activation.empty()) {
    rows += Row(columns, "white", 14, "black", fmt::format("Activation: <b>{}</b>", Escape(layer.activation)));
  }
  if (!cells.empty()) rows += "<tr>" + cells + "</tr>";
  return fmt::format(R"(<<table border="0" cellborder="1" bgcolor="black" cellpadding="10">{}</table>>)", rows);
}

}  // namespace

std::string ModelDot(const std::vector<DotLayer>& layers, const DotOptions& options) {
  std::string dot = fmt::format(
      "digraph model {{\n"
      "  graph [rankdir=TB, concentrate=true, dpi={}, splines=ortho];\n"
      "  node [shape=plain, fontname=Helvetica];\n"
      "  edge [penwidth=2];\n",
      options.dpi);
  for (size_t i = 0; i < layers.size(); ++i)
    dot += fmt::format("  layer{} [label={}];\n", i, Label(layers[i], options));
  for (size_t i = 0; i < layers.size(); ++i) {
    for (const size_t input : layers[i].inputs) dot += fmt::format("  layer{} -> layer{};\n", input, i);
  }
  return dot + "}\n";
}

absl::Status DrawDot(const std::string& dot, const std::string& path) {
  if (path.ends_with(".dot")) return WriteFileAtomically(path, dot);
  FUSEBOX_ASSIGN_OR_RETURN(const std::string format, PictureFormat(path));
  return DrawPicture({"dot", "-T" + format}, dot, "graphviz", path);
}

}  // namespace fusebox
