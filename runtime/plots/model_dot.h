// SPDX-License-Identifier: Apache-2.0
// A model as a diagram of its layers, with the look of Keras's plot_model.
#pragma once
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace fusebox {

struct DotLayer {
  std::string name;
  std::string class_name;      // "Dense"
  std::string activation;      // "relu"; empty for layers that have none.
  std::string input_shape;     // "(None, 784)"; empty for an input.
  std::string output_shape;    // "(None, 300)"
  std::vector<size_t> inputs;  // Which layers of the list it reads.
};

struct DotOptions {
  bool show_shapes = false;
  bool show_layer_names = true;
  bool show_layer_activations = false;
  int dpi = 200;  // Dots per inch of a .png, from 10 to kMostDpi.
};
// At more, graphviz works for minutes, and shrinks the picture in the end.
inline constexpr int kMostDpi = 2400;

// The diagram as graphviz text.
std::string ModelDot(const std::vector<DotLayer>& layers, const DotOptions& options = {});

// Draws graphviz text to `path`, a .png or .svg; saves the text itself if `path` ends in .dot.
absl::Status DrawDot(const std::string& dot, const std::string& path);

}  // namespace fusebox
