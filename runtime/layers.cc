// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/layers.h"

namespace fusebox {

Layer::Layer(std::string id, ItemAttributes attributes, LayerOptions options, Where where)
    : config_{.item = {std::move(id), std::move(attributes)},
              .name = std::move(options.name),
              .trainable = options.trainable},
      input_shape_(std::move(options.input_shape)),
      where_(where) {}

Layer Dense(int64_t units, DenseOptions options, Layer::Where where) {
  return Layer("fusebox/dense",
               {{"units", units},
                {"activation", options.activation},
                {"use_bias", options.use_bias},
                {"kernel_initializer", options.kernel_initializer},
                {"bias_initializer", options.bias_initializer},
                {"kernel_regularizer", options.kernel_regularizer},
                {"bias_regularizer", options.bias_regularizer},
                {"activity_regularizer", options.activity_regularizer},
                {"kernel_constraint", options.kernel_constraint},
                {"bias_constraint", options.bias_constraint}},
               {.name = options.name, .input_shape = options.input_shape, .trainable = options.trainable}, where);
}

Layer Activation(std::string activation, LayerOptions options, Layer::Where where) {
  return Layer("fusebox/activation", {{"activation", std::move(activation)}}, std::move(options), where);
}

Layer Dropout(double rate, DropoutOptions options, Layer::Where where) {
  ItemAttributes attributes = {{"rate", rate}};
  if (options.seed) attributes["seed"] = *options.seed;
  return Layer("fusebox/dropout", std::move(attributes), {.name = options.name, .input_shape = options.input_shape},
               where);
}

Layer BatchNormalization(BatchNormalizationOptions options, Layer::Where where) {
  return Layer("fusebox/batch_normalization",
               {{"axis", options.axis},
                {"momentum", options.momentum},
                {"epsilon", options.epsilon},
                {"center", options.center},
                {"scale", options.scale}},
               {.name = options.name, .input_shape = options.input_shape, .trainable = options.trainable}, where);
}

Layer Flatten(LayerOptions options, Layer::Where where) {
  return Layer("fusebox/flatten", {}, std::move(options), where);
}

Layer Rescaling(double scale, RescalingOptions options, Layer::Where where) {
  return Layer("fusebox/rescaling", {{"scale", scale}, {"offset", options.offset}},
               {.name = options.name, .input_shape = options.input_shape}, where);
}

}  // namespace fusebox
