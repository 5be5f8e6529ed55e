// SPDX-License-Identifier: Apache-2.0
// Layers as a user names them. Each is a handle to a plugin's item with attributes: it computes nothing, and what is
// wrong with it is said when the model is compiled, with its name and the line that made it.
#pragma once
#include <concepts>
#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "fusebox/runtime/item_spec.h"
#include "fusebox/runtime/model_config.h"

namespace fusebox {

// What every layer may be given.
struct LayerOptions {
  std::string name = {};                  // Else as Keras counts: "dense", "dense_1".
  std::vector<int64_t> input_shape = {};  // Of the model's first layer, without the batch.
  bool trainable = true;                  // Whether Fit changes its weights.
};

// Any layer of any plugin: fb::Layer("acme/gated", {{"units", 30}}). Attributes that are not given have the defaults that
// `fusebox plugins describe acme/gated` tells.
class Layer {
 public:
  using Where = std::source_location;

  Layer(std::string id, ItemAttributes attributes = {}, LayerOptions options = {}, Where where = Where::current());

  const LayerConfig& config() const { return config_; }
  const std::vector<int64_t>& input_shape() const { return input_shape_; }
  const Where& where() const { return where_; }

 private:
  LayerConfig config_;
  std::vector<int64_t> input_shape_;
  Where where_;
};

struct DenseOptions {
  std::string activation = "linear";  // Any activation's name, or a spec, "acme/swish:beta=2".
  bool use_bias = true;
  std::string kernel_initializer = "glorot_uniform";
  std::string bias_initializer = "zeros";
  // Penalties that are added to the loss, "l2" or "l2:l2=0.1", and what weights keep to in training, "max_norm".
  std::string kernel_regularizer = {}, bias_regularizer = {}, activity_regularizer = {};
  std::string kernel_constraint = {}, bias_constraint = {};
  std::string name = {};
  std::vector<int64_t> input_shape = {};
  bool trainable = true;
};

// Fully connected: y = activation(x W + b), f32[N, ..., in] -> f32[N, ..., units].
// Weights: kernel f32[in, units], bias f32[units]. Source: keras.layers.Dense.
Layer Dense(int64_t units, DenseOptions options = {}, Layer::Where where = Layer::Where::current());
// A template, so that options in braces never count as a text.
template <std::convertible_to<std::string> Text>
Layer Dense(int64_t units, Text activation, DenseOptions options = {}, Layer::Where where = Layer::Where::current()) {
  options.activation = std::move(activation);
  return Dense(units, std::move(options), where);
}

// Any activation as a layer: Activation("gelu"). Source: keras.layers.Activation.
Layer Activation(std::string activation, LayerOptions options = {}, Layer::Where where = Layer::Where::current());

struct DropoutOptions {
  std::optional<int64_t> seed = {};  // Of the masks; else the model's.
  std::string name = {};
  std::vector<int64_t> input_shape = {};
};

// In training each element is 0 with this probability, else x / (1 - rate); otherwise x itself. No weights.
// Source: keras.layers.Dropout.
Layer Dropout(double rate, DropoutOptions options = {}, Layer::Where where = Layer::Where::current());

struct BatchNormalizationOptions {
  int64_t axis = -1;  // Of the features.
  double momentum = 0.99;
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  std::string name = {};
  std::vector<int64_t> input_shape = {};
  bool trainable = true;  // If not, it normalises by the moving statistics in training, too, and leaves them alone.
};

// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, mean and variance of the batch in training, else the moving
// ones. Weights, of the size of the axis: gamma, beta, moving_mean, moving_variance. Source:
// keras.layers.BatchNormalization.
Layer BatchNormalization(BatchNormalizationOptions options = {}, Layer::Where where = Layer::Where::current());

// All axes but the batch in one: [N, a, b] -> [N, a*b]. Source: keras.layers.Flatten.
Layer Flatten(LayerOptions options = {}, Layer::Where where = Layer::Where::current());

struct RescalingOptions {
  double offset = 0;
  std::string name = {};
  std::vector<int64_t> input_shape = {};
};

// y = x * scale + offset, f32[N, ...]. As first layer, fb::Rescaling(1.0 / 255, {.input_shape = {28, 28}}), it takes
// pixels of u8 to [0, 1], in the kernel that picks the rows of a batch. Source: keras.layers.Rescaling.
Layer Rescaling(double scale, RescalingOptions options = {}, Layer::Where where = Layer::Where::current());

}  // namespace fusebox
