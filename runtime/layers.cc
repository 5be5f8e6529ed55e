// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/layers.h"

#include "fusebox/runtime/model.h"

namespace fusebox {
namespace {

Ints ToInts(const std::vector<int64_t>& values) { return Ints(values.begin(), values.end()); }

// Makes a layer whose only attributes are an amount and a seed.
Layer Noise(const char* id, const char* amount, double value, DropoutOptions options, Layer::Where where) {
  ItemAttributes attributes = {{amount, value}};
  if (options.seed) attributes["seed"] = *options.seed;
  return Layer(id, std::move(attributes),
               {.name = std::move(options.name), .input_shape = std::move(options.input_shape)}, where);
}

// Adds the attributes that all normalizations with gamma and beta have in common.
template <class Options>
ItemAttributes WithGammaAndBeta(const Options& options, ItemAttributes attributes) {
  attributes["center"] = options.center;
  attributes["scale"] = options.scale;
  attributes["beta_initializer"] = options.beta_initializer;
  attributes["gamma_initializer"] = options.gamma_initializer;
  attributes["beta_regularizer"] = options.beta_regularizer;
  attributes["gamma_regularizer"] = options.gamma_regularizer;
  attributes["beta_constraint"] = options.beta_constraint;
  attributes["gamma_constraint"] = options.gamma_constraint;
  return attributes;
}

}  // namespace

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
  return Noise("fusebox/dropout", "rate", rate, std::move(options), where);
}

Layer BatchNormalization(BatchNormalizationOptions options, Layer::Where where) {
  return Layer("fusebox/batch_normalization",
               WithGammaAndBeta(options, {{"axis", options.axis},
                                          {"momentum", options.momentum},
                                          {"epsilon", options.epsilon},
                                          {"moving_mean_initializer", options.moving_mean_initializer},
                                          {"moving_variance_initializer", options.moving_variance_initializer}}),
               {.name = options.name, .input_shape = options.input_shape, .trainable = options.trainable}, where);
}

Layer Flatten(LayerOptions options, Layer::Where where) {
  return Layer("fusebox/flatten", {}, std::move(options), where);
}

Layer Rescaling(double scale, RescalingOptions options, Layer::Where where) {
  return Layer("fusebox/rescaling", {{"scale", scale}, {"offset", options.offset}},
               {.name = options.name, .input_shape = options.input_shape}, where);
}

Layer Embedding(int64_t input_dim, int64_t output_dim, EmbeddingOptions options, Layer::Where where) {
  std::vector<NamedTensor> weights;
  if (!options.weights.empty()) weights.push_back({"embeddings", options.weights});
  return Layer("fusebox/embedding",
               {{"input_dim", input_dim},
                {"output_dim", output_dim},
                {"embeddings_initializer", options.embeddings_initializer},
                {"embeddings_regularizer", options.embeddings_regularizer},
                {"activity_regularizer", options.activity_regularizer},
                {"embeddings_constraint", options.embeddings_constraint},
                {"mask_zero", options.mask_zero}},
               {.name = options.name,
                .input_shape = options.input_shape,
                .trainable = options.trainable,
                .weights = std::move(weights)},
               where);
}

Layer ActivityRegularization(ActivityRegularizationOptions options, Layer::Where where) {
  return Layer("fusebox/activity_regularization", {{"l1", options.l1}, {"l2", options.l2}},
               {.name = options.name, .input_shape = options.input_shape}, where);
}

Layer Masking(double mask_value, LayerOptions options, Layer::Where where) {
  return Layer("fusebox/masking", {{"mask_value", mask_value}}, std::move(options), where);
}

Layer TimeDistributed(const Layer& layer, LayerOptions options, Layer::Where where) {
  layer.MarkUsed();
  options.trainable = options.trainable && layer.config().trainable;
  return Layer(ItemSpec{"fusebox/time_distributed", {{"layer", Print(layer.config().item)}}}, std::move(options), where,
               layer.config().variables);
}

Layer TimeDistributed(const Model& model, LayerOptions options, Layer::Where where) {
  const std::shared_ptr<const SymbolicCall> call = model(SymbolicTensors(), where).call();
  Layer layer(ItemSpec{kTimeDistributed, {}}, std::move(options), where, call->layer.variables);
  layer.mutable_config().model = call->layer.model;
  layer.state_->error = call->error;
  return layer;
}

Layer Identity(LayerOptions options, Layer::Where where) {
  return Layer("fusebox/identity", {}, std::move(options), where);
}

Layer Concatenate(ConcatenateOptions options, Layer::Where where) {
  return Layer("fusebox/concatenate", {{"axis", options.axis}}, {.name = std::move(options.name)}, where);
}

Layer Add(LayerOptions options, Layer::Where where) { return Layer("fusebox/add", {}, std::move(options), where); }
Layer Subtract(LayerOptions options, Layer::Where where) {
  return Layer("fusebox/subtract", {}, std::move(options), where);
}
Layer Multiply(LayerOptions options, Layer::Where where) {
  return Layer("fusebox/multiply", {}, std::move(options), where);
}
Layer Average(LayerOptions options, Layer::Where where) {
  return Layer("fusebox/average", {}, std::move(options), where);
}
Layer Maximum(LayerOptions options, Layer::Where where) {
  return Layer("fusebox/maximum", {}, std::move(options), where);
}
Layer Minimum(LayerOptions options, Layer::Where where) {
  return Layer("fusebox/minimum", {}, std::move(options), where);
}

Layer Dot(const std::vector<int64_t>& axes, DotProductOptions options, Layer::Where where) {
  return Layer("fusebox/dot", {{"axes", ToInts(axes)}, {"normalize", options.normalize}},
               {.name = std::move(options.name)}, where);
}

Layer ReLU(ReLUOptions options, Layer::Where where) {
  ItemAttributes attributes = {{"negative_slope", options.negative_slope}, {"threshold", options.threshold}};
  if (options.max_value) attributes["max_value"] = *options.max_value;
  return Layer("fusebox/relu", std::move(attributes), {.name = options.name, .input_shape = options.input_shape},
               where);
}

Layer LeakyReLU(double negative_slope, LayerOptions options, Layer::Where where) {
  return Layer("fusebox/leaky_relu", {{"negative_slope", negative_slope}}, std::move(options), where);
}

Layer ELU(double alpha, LayerOptions options, Layer::Where where) {
  return Layer("fusebox/elu", {{"alpha", alpha}}, std::move(options), where);
}

Layer PReLU(PReLUOptions options, Layer::Where where) {
  ItemAttributes attributes = {{"alpha_initializer", options.alpha_initializer},
                               {"alpha_regularizer", options.alpha_regularizer},
                               {"alpha_constraint", options.alpha_constraint}};
  if (!options.shared_axes.empty()) attributes["shared_axes"] = ToInts(options.shared_axes);
  return Layer("fusebox/prelu", std::move(attributes),
               {.name = options.name, .input_shape = options.input_shape, .trainable = options.trainable}, where);
}

Layer Softmax(const AxisOptions& options, Layer::Where where) {
  return Layer("fusebox/softmax", {{"axis", ToInts(options.axis)}},
               {.name = options.name, .input_shape = options.input_shape}, where);
}

Layer LayerNormalization(LayerNormalizationOptions options, Layer::Where where) {
  return Layer("fusebox/layer_normalization",
               WithGammaAndBeta(options, {{"axis", ToInts(options.axis)}, {"epsilon", options.epsilon}}),
               {.name = options.name, .input_shape = options.input_shape, .trainable = options.trainable}, where);
}

Layer GroupNormalization(GroupNormalizationOptions options, Layer::Where where) {
  return Layer(
      "fusebox/group_normalization",
      WithGammaAndBeta(options, {{"groups", options.groups}, {"axis", options.axis}, {"epsilon", options.epsilon}}),
      {.name = options.name, .input_shape = options.input_shape, .trainable = options.trainable}, where);
}

Layer RMSNormalization(RMSNormalizationOptions options, Layer::Where where) {
  return Layer("fusebox/rms_normalization", {{"axis", ToInts(options.axis)}, {"epsilon", options.epsilon}},
               {.name = options.name, .input_shape = options.input_shape, .trainable = options.trainable}, where);
}

Layer UnitNormalization(const AxisOptions& options, Layer::Where where) {
  return Layer("fusebox/unit_normalization", {{"axis", ToInts(options.axis)}},
               {.name = options.name, .input_shape = options.input_shape}, where);
}

Layer AlphaDropout(double rate, DropoutOptions options, Layer::Where where) {
  return Noise("fusebox/alpha_dropout", "rate", rate, std::move(options), where);
}
Layer SpatialDropout1D(double rate, DropoutOptions options, Layer::Where where) {
  return Noise("fusebox/spatial_dropout1d", "rate", rate, std::move(options), where);
}
Layer GaussianDropout(double rate, DropoutOptions options, Layer::Where where) {
  return Noise("fusebox/gaussian_dropout", "rate", rate, std::move(options), where);
}
Layer GaussianNoise(double stddev, DropoutOptions options, Layer::Where where) {
  return Noise("fusebox/gaussian_noise", "stddev", stddev, std::move(options), where);
}

Layer internal::MakeLambda(ItemFunction function, LayerOptions options, Layer::Where where) {
  ItemSpec item = FunctionItem("lambda", "", std::move(function), where);
  return Layer(std::move(item), std::move(options), where);
}

Layer Reshape(const std::vector<int64_t>& target_shape, LayerOptions options, Layer::Where where) {
  return Layer("fusebox/reshape", {{"target_shape", ToInts(target_shape)}}, std::move(options), where);
}
Layer Permute(const std::vector<int64_t>& dims, LayerOptions options, Layer::Where where) {
  return Layer("fusebox/permute", {{"dims", ToInts(dims)}}, std::move(options), where);
}
Layer RepeatVector(int64_t n, LayerOptions options, Layer::Where where) {
  return Layer("fusebox/repeat_vector", {{"n", n}}, std::move(options), where);
}

}  // namespace fusebox
