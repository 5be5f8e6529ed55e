// SPDX-License-Identifier: Apache-2.0
// fusebox plot MODEL -o model.png
#include <algorithm>
#include <memory>

#include "fmt/ranges.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/files/atomic_file.h"
#include "fusebox/runtime/plots/model_dot.h"
#include "tools/command.h"

namespace fusebox::tools {
namespace {

struct PlotWords {
  std::string model, output;
  DotOptions options;
};

// "(None, 784)"
std::string KerasShape(const Type& type) {
  std::vector<std::string> dims;
  for (const int64_t d : type.shape) dims.push_back(d >= 0 ? fmt::format("{}", d) : "None");
  return fmt::format("({}{})", fmt::join(dims, ", "), dims.size() == 1 ? "," : "");
}

// "[(None, 5), (None, 30)]" for several types.
std::string KerasShapes(const std::vector<Type>& types) {
  std::vector<std::string> shapes;
  for (const Type& type : types) shapes.push_back(KerasShape(type));
  return shapes.size() == 1 ? shapes[0] : fmt::format("[{}]", fmt::join(shapes, ", "));
}

DotLayer InputBox(const InputConfig& input) {
  return {.name = input.name,
          .class_name = "InputLayer",
          .activation = "",
          .input_shape = "",
          .output_shape = KerasShape(BatchType(input.dtype, input.shape)),
          .inputs = {}};
}

DotLayer LayerBox(const LayerConfig& layer) {
  DotLayer box{.name = layer.name,
               .class_name = KerasClassOf(layer),
               .activation = "",
               .input_shape = "",
               .output_shape = "",
               .inputs = {}};
  if (const auto it = layer.item.attributes.find("activation"); it != layer.item.attributes.end()) {
    if (const std::string* activation = std::get_if<std::string>(&it->second)) box.activation = ShortName(*activation);
  }
  return box;
}

absl::Status Plot(const PlotWords& words) {
  FUSEBOX_RETURN_IF_ERROR(CheckWritable(words.output));
  FUSEBOX_ASSIGN_OR_RETURN(const OpenedModel opened, OpenModel(words.model));
  const ModelConfig& config = opened.model.config();
  const absl::StatusOr<std::vector<CallTypes>> types = opened.model.call_types();
  const std::vector<size_t> order = LayerOrder(config);
  const size_t inputs = config.inputs.size();
  std::vector<size_t> box_of(order.size());  // By index in LayerOrder.
  std::vector<DotLayer> boxes;
  for (const size_t i : order) {
    box_of[i] = boxes.size();
    boxes.push_back(i < inputs ? InputBox(config.inputs[i]) : LayerBox(config.layers[i - inputs]));
  }
  const std::vector<CallConfig> calls = CallsOf(config);
  for (size_t i = 0; i < calls.size(); ++i) {
    DotLayer& box = boxes[box_of[inputs + calls[i].layer]];
    for (const ValueRef& input : calls[i].inputs) {
      // A Sequential with unknown input has no box for it.
      const size_t source = config.IsStack() ? input.source + inputs - 1 : input.source;
      if (config.IsStack() && input.source + inputs == 0) continue;
      const size_t from = box_of[source < inputs ? source : inputs + calls[source - inputs].layer];
      if (std::ranges::find(box.inputs, from) == box.inputs.end()) box.inputs.push_back(from);
    }
    if (!types.ok()) continue;
    box.input_shape = KerasShapes((*types)[i].inputs);
    box.output_shape = KerasShapes((*types)[i].outputs);
  }
  FUSEBOX_RETURN_IF_ERROR(DrawDot(ModelDot(boxes, words.options), words.output));
  ReportWritten(words.output);
  return absl::OkStatus();
}

}  // namespace

void AddPlot(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand("plot", "Draw the layers of a model");
  const auto words = std::make_shared<PlotWords>();
  verb->add_option("MODEL", words->model, "As for train")->required();
  verb->add_option("-o,--output", words->output, "Image to write: .png, .svg or .dot")->required();
  verb->add_flag("--show-shapes", words->options.show_shapes, "Show shapes of inputs and outputs");
  verb->add_flag("--show-layer-activations", words->options.show_layer_activations, "Show the activations of layers");
  verb->add_option("--dpi", words->options.dpi, "Dots per inch")
      ->check(CLI::Range(10, kMostDpi))
      ->capture_default_str();
  verb->callback([words, &action] { action = [words] { return Plot(*words); }; });
}

}  // namespace fusebox::tools
