// SPDX-License-Identifier: Apache-2.0
// Functions for common layers; any other is a fb::Layer by its id (layer.h).
#pragma once
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "fusebox/graph/control.h"  // IWYU pragma: export
#include "fusebox/graph/ops.h"
#include "fusebox/runtime/layer.h"
#include "fusebox/runtime/preprocessing_layers.h"  // IWYU pragma: export

namespace fusebox {

// What Dense may be told beyond its arguments.
struct DenseOptions {
  std::string activation = "linear";  // Any activation's name, or a spec, "acme/swish:beta=2".
  bool use_bias = true;               // Whether b is added.
  // First values of weights, "he_normal"; penalties that are added to the loss, "l2" or "l2:l2=0.1"; and constraints of
  // weights in training, "max_norm".
  std::string kernel_initializer = "glorot_uniform";
  std::string bias_initializer = "zeros";
  std::string kernel_regularizer = {}, bias_regularizer = {}, activity_regularizer = {};
  std::string kernel_constraint = {}, bias_constraint = {};
  // See LayerOptions.
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

// What Dropout may be told beyond its arguments.
struct DropoutOptions {
  std::optional<int64_t> seed = {};  // Of the masks; else the model's.
  // See LayerOptions.
  std::string name = {};
  std::vector<int64_t> input_shape = {};
};

// In training each element is 0 with this probability, else x / (1 - rate); otherwise x itself. No weights.
// Source: keras.layers.Dropout.
Layer Dropout(double rate, DropoutOptions options = {}, Layer::Where where = Layer::Where::current());

// What BatchNormalization may be told beyond its arguments.
struct BatchNormalizationOptions {
  int64_t axis = -1;       // Of the features.
  double momentum = 0.99;  // Weight of the past in the moving statistics.
  double epsilon = 1e-3;   // Added to the variance.
  // Whether there is beta, and whether gamma.
  bool center = true;
  bool scale = true;
  // First values of weights, "he_normal"; penalties that are added to the loss, "l2" or "l2:l2=0.1"; and constraints of
  // weights in training, "max_norm".
  std::string beta_initializer = "zeros", gamma_initializer = "ones";
  std::string moving_mean_initializer = "zeros", moving_variance_initializer = "ones";
  std::string beta_regularizer = {}, gamma_regularizer = {};
  std::string beta_constraint = {}, gamma_constraint = {};
  // See LayerOptions.
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

// What Rescaling may be told beyond its arguments.
struct RescalingOptions {
  double offset = 0;  // Added to the product.
  // See LayerOptions.
  std::string name = {};
  std::vector<int64_t> input_shape = {};
};

// y = x * scale + offset, f32[N, ...]. As first layer, fb::Rescaling(1.0 / 255, {.input_shape = {28, 28}}), it takes
// pixels of u8 to [0, 1], in the kernel that picks the rows of a batch. Source: keras.layers.Rescaling.
Layer Rescaling(double scale, RescalingOptions options = {}, Layer::Where where = Layer::Where::current());

// What Embedding may be told beyond its arguments.
struct EmbeddingOptions {
  // First values of weights, "he_normal"; penalties that are added to the loss, "l2" or "l2:l2=0.1"; and constraints of
  // weights in training, "max_norm".
  std::string embeddings_initializer = "uniform";
  std::string embeddings_regularizer = {}, activity_regularizer = {}, embeddings_constraint = {};
  bool mask_zero = false;  // Whether id 0 is padding, whose steps count neither in losses nor in metrics.
  Tensor weights = {};     // The first values of the table, else as the initializer makes them.
  // See LayerOptions.
  std::string name = {};
  std::vector<int64_t> input_shape = {};
  bool trainable = true;
};

// Rows of a table by their numbers: ids [N, ...] of any dtype -> f32[N, ..., output_dim]. Ids of data that are f32 are
// exact up to 2^24: declare the input i32 for more. Weights: embeddings f32[input_dim, output_dim]. An id outside
// [-input_dim, input_dim) gives NaN, as in Keras on JAX. Source: keras.layers.Embedding.
Layer Embedding(int64_t input_dim, int64_t output_dim, EmbeddingOptions options = {},
                Layer::Where where = Layer::Where::current());

// x itself. Source: keras.layers.Identity.
Layer Identity(LayerOptions options = {}, Layer::Where where = Layer::Where::current());

// What ActivityRegularization may be told beyond its arguments.
struct ActivityRegularizationOptions {
  double l1 = 0, l2 = 0;  // What magnitudes and squares count.
  // See LayerOptions.
  std::string name = {};
  std::vector<int64_t> input_shape = {};
};

// x itself, whose size, l1 sum |x| + l2 sum x^2 a sample, is added to the loss. Source:
// keras.layers.ActivityRegularization.
Layer ActivityRegularization(ActivityRegularizationOptions options = {}, Layer::Where where = Layer::Where::current());

// x [N, time, features], and steps whose features all are mask_value are 0 and count neither in losses nor in metrics.
// Source: keras.layers.Masking.
Layer Masking(double mask_value = 0, LayerOptions options = {}, Layer::Where where = Layer::Where::current());

// The layer on each step of [N, time, ...] by itself, with the same weights: TimeDistributed(Dense(8)). Source:
// keras.layers.TimeDistributed.
Layer TimeDistributed(const Layer& layer, LayerOptions options = {}, Layer::Where where = Layer::Where::current());
// Likewise a model with one input and one output, whose weights the layer shares. Errors: as
// with the model; it is a class (see Traced); it has penalties of what comes out of its layers, or what AddLoss or AddMetric
// has added.
Layer TimeDistributed(const Model& model, LayerOptions options = {}, Layer::Where where = Layer::Where::current());

// ---- Several inputs into one: fb::Concatenate()({a, b}).

// What Concatenate may be told beyond its arguments.
struct ConcatenateOptions {
  int64_t axis = -1;  // Along which they are put.
  // See LayerOptions.
  std::string name = {};
};

// The inputs one after another along an axis: [N, k], [N, m] -> [N, k + m]. All other dimensions have to agree. Source:
// keras.layers.Concatenate.
Layer Concatenate(ConcatenateOptions options = {}, Layer::Where where = Layer::Where::current());

// Element by element: a + b + ..., a - b, a * b * ..., the mean, the greatest, the least. Shapes broadcast. Source:
// keras.layers.Add, ...
Layer Add(LayerOptions options = {}, Layer::Where where = Layer::Where::current());
Layer Subtract(LayerOptions options = {}, Layer::Where where = Layer::Where::current());
Layer Multiply(LayerOptions options = {}, Layer::Where where = Layer::Where::current());
Layer Average(LayerOptions options = {}, Layer::Where where = Layer::Where::current());
Layer Maximum(LayerOptions options = {}, Layer::Where where = Layer::Where::current());
Layer Minimum(LayerOptions options = {}, Layer::Where where = Layer::Where::current());

// What Dot may be told beyond its arguments.
struct DotProductOptions {
  bool normalize = false;  // Along the axes first, so that the products are cosines.
  // See LayerOptions.
  std::string name = {};
};

// Products of two inputs along an axis of both, or along one of each, sample by sample: [N, k], [N, k] -> [N, 1]. Source:
// keras.layers.Dot.
Layer Dot(const std::vector<int64_t>& axes, DotProductOptions options = {},
          Layer::Where where = Layer::Where::current());

// ---- Activations with settings.

// What ReLU may be told beyond its arguments.
struct ReLUOptions {
  std::optional<double> max_value = {};      // The greatest result.
  double negative_slope = 0, threshold = 0;  // Below the threshold: negative_slope * (x - threshold).
  // See LayerOptions.
  std::string name = {};
  std::vector<int64_t> input_shape = {};
};

// max(x, 0), or as the settings say. Source: keras.layers.ReLU.
Layer ReLU(ReLUOptions options = {}, Layer::Where where = Layer::Where::current());

// x, and below 0 negative_slope * x. Source: keras.layers.LeakyReLU.
Layer LeakyReLU(double negative_slope = 0.3, LayerOptions options = {}, Layer::Where where = Layer::Where::current());

// x, and below 0 alpha * (exp(x) - 1). Source: keras.layers.ELU.
Layer ELU(double alpha = 1, LayerOptions options = {}, Layer::Where where = Layer::Where::current());

// What PReLU may be told beyond its arguments.
struct PReLUOptions {
  // First values of weights, "he_normal"; penalties that are added to the loss, "l2" or "l2:l2=0.1"; and constraints of
  // weights in training, "max_norm".
  std::string alpha_initializer = "zeros", alpha_regularizer = {}, alpha_constraint = {};
  std::vector<int64_t> shared_axes = {};  // Along which alpha is one number, counted from 1.
  // See LayerOptions.
  std::string name = {};
  std::vector<int64_t> input_shape = {};
  bool trainable = true;
};

// max(x, 0) + alpha min(x, 0), alpha being a weight. Source: keras.layers.PReLU.
Layer PReLU(PReLUOptions options = {}, Layer::Where where = Layer::Where::current());

// What Softmax and UnitNormalization may be told beyond its arguments.
struct AxisOptions {
  std::vector<int64_t> axis = {-1};  // Along which each sample is normalised.
  // See LayerOptions.
  std::string name = {};
  std::vector<int64_t> input_shape = {};
};

// exp(x) / sum(exp(x)) along axes. Source: keras.layers.Softmax.
Layer Softmax(const AxisOptions& options = {}, Layer::Where where = Layer::Where::current());

// ---- Normalization.

// What LayerNormalization may be told beyond its arguments.
struct LayerNormalizationOptions {
  std::vector<int64_t> axis = {-1};  // Along which each sample is normalised.
  double epsilon = 1e-3;             // Added to the variance.
  bool center = true, scale = true;  // Whether there is beta, and whether gamma.
  // First values of weights, "he_normal"; penalties that are added to the loss, "l2" or "l2:l2=0.1"; and constraints of
  // weights in training, "max_norm".
  std::string beta_initializer = "zeros", gamma_initializer = "ones";
  std::string beta_regularizer = {}, gamma_regularizer = {};
  std::string beta_constraint = {}, gamma_constraint = {};
  // See LayerOptions.
  std::string name = {};
  std::vector<int64_t> input_shape = {};
  bool trainable = true;
};

// (x - mean) / sqrt(variance + epsilon) along axes of each sample, times gamma, plus beta. Source:
// keras.layers.LayerNormalization.
Layer LayerNormalization(LayerNormalizationOptions options = {}, Layer::Where where = Layer::Where::current());

// What GroupNormalization may be told beyond its arguments.
struct GroupNormalizationOptions {
  int64_t groups = 32;               // -1: one a channel.
  int64_t axis = -1;                 // Of the channels.
  double epsilon = 1e-3;             // Added to the variance.
  bool center = true, scale = true;  // Whether there is beta, and whether gamma.
  // First values of weights, "he_normal"; penalties that are added to the loss, "l2" or "l2:l2=0.1"; and constraints of
  // weights in training, "max_norm".
  std::string beta_initializer = "zeros", gamma_initializer = "ones";
  std::string beta_regularizer = {}, gamma_regularizer = {};
  std::string beta_constraint = {}, gamma_constraint = {};
  // See LayerOptions.
  std::string name = {};
  std::vector<int64_t> input_shape = {};
  bool trainable = true;
};

// The same over groups of channels. Source: keras.layers.GroupNormalization.
Layer GroupNormalization(GroupNormalizationOptions options = {}, Layer::Where where = Layer::Where::current());

// What RMSNormalization may be told beyond its arguments.
struct RMSNormalizationOptions {
  std::vector<int64_t> axis = {-1};  // Along which each sample is normalised.
  double epsilon = 1e-6;             // Added to the mean of squares.
  // See LayerOptions.
  std::string name = {};
  std::vector<int64_t> input_shape = {};
  bool trainable = true;
};

// x / sqrt(mean(x^2) + epsilon) along axes of each sample, times scale. Source: keras.layers.RMSNormalization.
Layer RMSNormalization(RMSNormalizationOptions options = {}, Layer::Where where = Layer::Where::current());

// x by its length along axes of each sample. Source: keras.layers.UnitNormalization.
Layer UnitNormalization(const AxisOptions& options = {}, Layer::Where where = Layer::Where::current());

// ---- Noise in training, x itself else.

// Drops elements to selu's lower limit, and keeps mean and variance. Source: keras.layers.AlphaDropout.
Layer AlphaDropout(double rate, DropoutOptions options = {}, Layer::Where where = Layer::Where::current());
// Drops whole channels of [N, steps, channels]. Source: keras.layers.SpatialDropout1D.
Layer SpatialDropout1D(double rate, DropoutOptions options = {}, Layer::Where where = Layer::Where::current());
// x times normal noise of mean 1 and variance rate / (1 - rate). Source: keras.layers.GaussianDropout.
Layer GaussianDropout(double rate, DropoutOptions options = {}, Layer::Where where = Layer::Where::current());
// x plus normal noise of mean 0. Source: keras.layers.GaussianNoise.
Layer GaussianNoise(double stddev, DropoutOptions options = {}, Layer::Where where = Layer::Where::current());

// ---- Functions.

namespace internal {
template <class F, size_t... I>
Value CallWith(const F& function, const Values& inputs, std::index_sequence<I...>) {
  return function(inputs[I]...);
}
template <size_t kCount, class F>
ItemFunction Taking(F function) {
  return [function = std::move(function)](const Values& inputs) -> Value {
    if (inputs.size() == kCount) return CallWith(function, inputs, std::make_index_sequence<kCount>());
    return inputs[0].Error(fmt::format("takes {} input{}, got {}", kCount, kCount == 1 ? "" : "s", inputs.size()));
  };
}
Layer MakeLambda(ItemFunction function, LayerOptions options, Layer::Where where);
}  // namespace internal

// A function as a layer, of one value, of several, or of fb::Values, however many there are:
//
//   fb::Lambda([](fb::Value x) { return x * fb::Sigmoid(x); })(x)
//   fb::Lambda([](fb::Value a, fb::Value b) { return fb::Abs(a - b); })({a, b})
//
// It is called whenever the model's symbols are written, which are then differentiated, fused and compiled as all others:
// never while a program runs. No weights. A file keeps the symbols that it wrote, by which fusebox opens it again (for
// inputs of the same type), and Keras does not. Source: keras.layers.Lambda.
template <class F>
Layer Lambda(F function, LayerOptions options = {}, Layer::Where where = Layer::Where::current()) {
  ItemFunction any;
  if constexpr (std::is_invocable_v<const F&, Value>) {
    any = internal::Taking<1>(std::move(function));
  } else if constexpr (std::is_invocable_v<const F&, Value, Value>) {
    any = internal::Taking<2>(std::move(function));
  } else if constexpr (std::is_invocable_v<const F&, Value, Value, Value>) {
    any = internal::Taking<3>(std::move(function));
  } else {
    static_assert(std::is_invocable_r_v<Value, const F&, const Values&>,
                  "a Lambda is a function of one to three fb::Value, or of fb::Values, to fb::Value");
    any = std::move(function);
  }
  return internal::MakeLambda(std::move(any), std::move(options), where);
}

// ---- Other shapes.

// One size may be -1: what is left. Source: keras.layers.Reshape.
Layer Reshape(const std::vector<int64_t>& target_shape, LayerOptions options = {},
              Layer::Where where = Layer::Where::current());
// The axes of samples, counted from 1, in another order. Source: keras.layers.Permute.
Layer Permute(const std::vector<int64_t>& dims, LayerOptions options = {},
              Layer::Where where = Layer::Where::current());
// [N, features] -> [N, n, features]. Source: keras.layers.RepeatVector.
Layer RepeatVector(int64_t n, LayerOptions options = {}, Layer::Where where = Layer::Where::current());

}  // namespace fusebox
