// SPDX-License-Identifier: Apache-2.0
// fusebox plot MODEL -o model.png
#include <memory>

#include "fmt/ranges.h"
#include "fusebox/runtime/formats/atomic_file.h"
#include "fusebox/runtime/formats/keras_names.h"
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

absl::Status Plot(const PlotWords& words) {
  FUSEBOX_RETURN_IF_ERROR(CheckWritable(words.output));
  FUSEBOX_ASSIGN_OR_RETURN(const OpenedModel opened, OpenModel(words.model));
  const ModelConfig& config = opened.model.config();
  const absl::StatusOr<std::vector<LayerTypes>> types = opened.model.layer_types();
  std::vector<DotLayer> boxes;
  if (config.input) {
    const std::string shape = types.ok() && !types->empty() ? KerasShape((*types)[0].input) : "";
    boxes.push_back({.name = config.input->name,
                     .class_name = "InputLayer",
                     .activation = "",
                     .input_shape = "",
                     .output_shape = shape,
                     .inputs = {}});
  }
  for (size_t i = 0; i < config.layers.size(); ++i) {
    const LayerConfig& layer = config.layers[i];
    DotLayer box{.name = layer.name,
                 .class_name = KerasClassName(layer.item.id),
                 .activation = "",
                 .input_shape = "",
                 .output_shape = "",
                 .inputs = {}};
    if (const auto it = layer.item.attributes.find("activation"); it != layer.item.attributes.end()) {
      if (const std::string* activation = std::get_if<std::string>(&it->second))
        box.activation = ShortName(*activation);
    }
    if (types.ok()) {
      box.input_shape = KerasShape((*types)[i].input);
      box.output_shape = KerasShape((*types)[i].output);
    }
    if (!boxes.empty()) box.inputs = {boxes.size() - 1};
    boxes.push_back(std::move(box));
  }
  return DrawDot(ModelDot(boxes, words.options), words.output);
}

}  // namespace

void AddPlot(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand("plot", "Draw a model's layers");
  const auto words = std::make_shared<PlotWords>();
  verb->add_option("MODEL", words->model, "As for train")->required();
  verb->add_option("-o,--output", words->output, "The picture to write: .png, .svg or .dot")->required();
  verb->add_flag("--show-shapes", words->options.show_shapes, "Shapes of inputs and outputs");
  verb->add_flag("--show-layer-activations", words->options.show_layer_activations, "The layers' activations");
  verb->add_option("--dpi", words->options.dpi, "Dots an inch")->check(AtLeast(10))->capture_default_str();
  verb->callback([words, &action] { action = [words] { return Plot(*words); }; });
}

}  // namespace fusebox::tools
