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

Layer Flatten(LayerOptions options, Layer::Where where) {
  return Layer("fusebox/flatten", {}, std::move(options), where);
}

Layer Rescaling(double scale, RescalingOptions options, Layer::Where where) {
  return Layer("fusebox/rescaling", {{"scale", scale}, {"offset", options.offset}},
               {.name = options.name, .input_shape = options.input_shape}, where);
}

}  // namespace fusebox
