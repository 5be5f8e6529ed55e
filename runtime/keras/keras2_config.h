// SPDX-License-Identifier: Apache-2.0
// Converts descriptions of Keras 2 (tf.keras) to the form of Keras 3. For source files alone: it includes JSON.
#pragma once
#include <string>
#include <string_view>

#include "fusebox/runtime/files/json_text.h"

namespace fusebox {

// Whether Keras 2 or 1 wrote the model's description: the version that the file has says so, or its InputLayers, or
// first layers, have a batch_input_shape.
bool IsKeras2(const Json& model, std::string_view keras_version);

// Rewrites it, and its compile_config:
//   layers      BatchNormalization's axis [1] -> 1; LeakyReLU's alpha -> negative_slope; an old Sequential's plain
//               list of layers -> an object
//   values      a model that begins with an InputLayer counts its calls from 1 -> from 0
//   optimizers  Custom>SGD -> SGD; without settings of TensorFlow's own or a scale of the loss; what old ones compute in
//               another way is told by attributes (epsilon_outside_root, schedule_decay)
//   losses      without reduction "auto" and the function's name, and without from_logits behind a softmax or sigmoid,
//               where TensorFlow takes no notice of it
//   metrics     MeanMetricWrapper of a function -> that metric; "main_output_accuracy" -> "accuracy"
//   names       "block/dense" -> "block_dense", see Keras2LayerName
// and more of the kind, which stand in the source. Everything else stays as it is.
void UpgradeKeras2(Json& model);

// The name of a layer whose name in Keras 2 may have a '/', which later versions reserve for paths.
std::string Keras2LayerName(std::string name);

}  // namespace fusebox
