// SPDX-License-Identifier: Apache-2.0
// Functions for the common layers. Any other layer is a fb::Layer, made from its id (layer.h).
//
// Activations, initializers, regularizers and constraints are given by their names, or as specs with attributes: "l2",
// "l2:l2=0.1". An empty regularizer or constraint means none.
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

// Options of Dense.
struct DenseOptions {
  std::string activation = "linear";                  // The name of any activation, or a spec, "acme/swish:beta=2".
  bool use_bias = true;                               // Whether the layer has a bias.
  std::string kernel_initializer = "glorot_uniform";  // Initializer of the kernel.
  std::string bias_initializer = "zeros";             // Initializer of the bias.
  // Penalties that are added to the loss, "l2" or "l2:l2=0.1": on the kernel, the bias and the layer's output.
  std::string kernel_regularizer = {}, bias_regularizer = {}, activity_regularizer = {};
  // Constraints on the values of the kernel and the bias during training, "max_norm".
  std::string kernel_constraint = {}, bias_constraint = {};
  std::string name = {};                  // As in LayerOptions.
  std::vector<int64_t> input_shape = {};  // As in LayerOptions.
  bool trainable = true;                  // As in LayerOptions.
};

// Fully connected: y = activation(x W + b), f32[N, ..., in] -> f32[N, ..., units].
// Weights: kernel f32[in, units], bias f32[units]. Source: keras.layers.Dense.
Layer Dense(int64_t units, DenseOptions options = {}, Layer::Where where = Layer::Where::current());
// The same with an activation. A template, so that options in braces are never taken for text.
template <std::convertible_to<std::string> Text>
Layer Dense(int64_t units, Text activation, DenseOptions options = {}, Layer::Where where = Layer::Where::current()) {
  options.activation = std::move(activation);
  return Dense(units, std::move(options), where);
}

// Applies any activation: Activation("gelu"). Source: keras.layers.Activation.
Layer Activation(std::string activation, LayerOptions options = {}, Layer::Where where = Layer::Where::current());

// Options of Dropout and of the layers that add noise.
struct DropoutOptions {
  std::optional<int64_t> seed = {};       // Seed of the random numbers. By default the model's seed.
  std::string name = {};                  // As in LayerOptions.
  std::vector<int64_t> input_shape = {};  // As in LayerOptions.
};

// In training, sets each element to 0 with probability `rate`, and to x / (1 - rate) otherwise. Outside training, x
// itself. No weights. Source: keras.layers.Dropout.
Layer Dropout(double rate, DropoutOptions options = {}, Layer::Where where = Layer::Where::current());

// Options of BatchNormalization.
struct BatchNormalizationOptions {
  int64_t axis = -1;       // The axis of the features.
  double momentum = 0.99;  // The share of the moving statistics that a training step keeps.
  double epsilon = 1e-3;   // Added to the variance, so that its root is never 0.
  bool center = true;      // Whether the layer has the weight beta.
  bool scale = true;       // Whether the layer has the weight gamma.
  // Initializers of the weights.
  std::string beta_initializer = "zeros", gamma_initializer = "ones";
  std::string moving_mean_initializer = "zeros", moving_variance_initializer = "ones";
  // Penalties on beta and gamma, and constraints on their values.
  std::string beta_regularizer = {}, gamma_regularizer = {};
  std::string beta_constraint = {}, gamma_constraint = {};
  std::string name = {};                  // As in LayerOptions.
  std::vector<int64_t> input_shape = {};  // As in LayerOptions.
  // As in LayerOptions. If false, the layer also normalizes by the moving statistics in training, and does not update
  // them.
  bool trainable = true;
};

// y = gamma (x - mean) / sqrt(variance + epsilon) + beta. In training, mean and variance are those of the batch;
// otherwise they are the moving ones. Weights, each of the size of the axis: gamma, beta, moving_mean, moving_variance.
// Source: keras.layers.BatchNormalization.
Layer BatchNormalization(BatchNormalizationOptions options = {}, Layer::Where where = Layer::Where::current());

// Joins all axes but the batch into one: [N, a, b] -> [N, a*b]. Source: keras.layers.Flatten.
Layer Flatten(LayerOptions options = {}, Layer::Where where = Layer::Where::current());

// Options of Rescaling.
struct RescalingOptions {
  double offset = 0;                      // Added after scaling.
  std::string name = {};                  // As in LayerOptions.
  std::vector<int64_t> input_shape = {};  // As in LayerOptions.
};

// y = x * scale + offset, f32[N, ...]. As the first layer, fb::Rescaling(1.0 / 255, {.input_shape = {28, 28}}) maps u8
// pixels to [0, 1] within the kernel that gathers the rows of a batch. Source: keras.layers.Rescaling.
Layer Rescaling(double scale, RescalingOptions options = {}, Layer::Where where = Layer::Where::current());

// Options of Embedding.
struct EmbeddingOptions {
  std::string embeddings_initializer = "uniform";  // Initializer of the table.
  // Penalties on the table and on the layer's output, and the constraint on the table's values.
  std::string embeddings_regularizer = {}, activity_regularizer = {}, embeddings_constraint = {};
  bool mask_zero = false;  // Whether id 0 is padding. Padded steps count neither in losses nor in metrics.
  Tensor weights = {};     // Initial values of the table. If empty, the initializer makes them.
  std::string name = {};   // As in LayerOptions.
  std::vector<int64_t> input_shape = {};  // As in LayerOptions.
  bool trainable = true;                  // As in LayerOptions.
};

// Looks up rows of a table by their ids: ids [N, ...] of any dtype -> f32[N, ..., output_dim]. f32 ids are exact up to
// 2^24; declare the input as i32 for greater ones. Weights: embeddings f32[input_dim, output_dim]. An id outside
// [-input_dim, input_dim) gives NaN, as in Keras on JAX. Source: keras.layers.Embedding.
Layer Embedding(int64_t input_dim, int64_t output_dim, EmbeddingOptions options = {},
                Layer::Where where = Layer::Where::current());

// Returns x itself. Source: keras.layers.Identity.
Layer Identity(LayerOptions options = {}, Layer::Where where = Layer::Where::current());

// Options of ActivityRegularization.
struct ActivityRegularizationOptions {
  double l1 = 0, l2 = 0;                  // Factors of the sums of magnitudes and of squares.
  std::string name = {};                  // As in LayerOptions.
  std::vector<int64_t> input_shape = {};  // As in LayerOptions.
};

// Returns x itself, and adds the penalty l1 sum |x| + l2 sum x^2 per sample to the loss. Source:
// keras.layers.ActivityRegularization.
Layer ActivityRegularization(ActivityRegularizationOptions options = {}, Layer::Where where = Layer::Where::current());

// Masks steps of x [N, time, features] whose features all equal mask_value. Masked steps become 0 and count neither in
// losses nor in metrics. Source: keras.layers.Masking.
Layer Masking(double mask_value = 0, LayerOptions options = {}, Layer::Where where = Layer::Where::current());

// Applies a layer to each step of [N, time, ...] separately, with the same weights: TimeDistributed(Dense(8)). Shares
// the layer's variables. Source: keras.layers.TimeDistributed.
Layer TimeDistributed(const Layer& layer, LayerOptions options = {}, Layer::Where where = Layer::Where::current());
// Applies a model with one input and one output to each step. Shares the variables of the model's layers, so training
// either one trains both. Errors: those of the model; the model is a class (see Traced); it has activity regularizers;
// losses or metrics were added to it by AddLoss or AddMetric.
Layer TimeDistributed(const Model& model, LayerOptions options = {}, Layer::Where where = Layer::Where::current());

// ---- Several inputs merged into one value: fb::Concatenate()({a, b}).

// Options of Concatenate.
struct ConcatenateOptions {
  int64_t axis = -1;      // The axis along which inputs are joined.
  std::string name = {};  // As in LayerOptions.
};

// Joins the inputs along an axis: [N, k], [N, m] -> [N, k + m]. All other dimensions have to agree. Source:
// keras.layers.Concatenate.
Layer Concatenate(ConcatenateOptions options = {}, Layer::Where where = Layer::Where::current());

// The six layers below work element by element and broadcast shapes.

// a + b + ... Source: keras.layers.Add.
Layer Add(LayerOptions options = {}, Layer::Where where = Layer::Where::current());
// a - b. Source: keras.layers.Subtract.
Layer Subtract(LayerOptions options = {}, Layer::Where where = Layer::Where::current());
// a * b * ... Source: keras.layers.Multiply.
Layer Multiply(LayerOptions options = {}, Layer::Where where = Layer::Where::current());
// The mean of the inputs. Source: keras.layers.Average.
Layer Average(LayerOptions options = {}, Layer::Where where = Layer::Where::current());
// The greatest of the inputs. Source: keras.layers.Maximum.
Layer Maximum(LayerOptions options = {}, Layer::Where where = Layer::Where::current());
// The least of the inputs. Source: keras.layers.Minimum.
Layer Minimum(LayerOptions options = {}, Layer::Where where = Layer::Where::current());

// Options of Dot.
struct DotProductOptions {
  bool normalize = false;  // Whether to normalize along the axes first, so that the products are cosines.
  std::string name = {};   // As in LayerOptions.
};

// Dot products of two inputs, sample by sample: [N, k], [N, k] -> [N, 1]. `axes` is one axis of both inputs, or one
// axis of each. Source: keras.layers.Dot.
Layer Dot(const std::vector<int64_t>& axes, DotProductOptions options = {},
          Layer::Where where = Layer::Where::current());

// ---- Activations with settings.

// Options of ReLU.
struct ReLUOptions {
  std::optional<double> max_value = {};  // The greatest value of the output. By default there is no limit.
  // Values up to the threshold become negative_slope * (x - threshold).
  double negative_slope = 0, threshold = 0;
  std::string name = {};                  // As in LayerOptions.
  std::vector<int64_t> input_shape = {};  // As in LayerOptions.
};

// max(x, 0), unless the options say otherwise. Source: keras.layers.ReLU.
Layer ReLU(ReLUOptions options = {}, Layer::Where where = Layer::Where::current());

// x where x >= 0, negative_slope * x below. Source: keras.layers.LeakyReLU.
Layer LeakyReLU(double negative_slope = 0.3, LayerOptions options = {}, Layer::Where where = Layer::Where::current());

// x where x >= 0, alpha * (exp(x) - 1) below. Source: keras.layers.ELU.
Layer ELU(double alpha = 1, LayerOptions options = {}, Layer::Where where = Layer::Where::current());

// Options of PReLU.
struct PReLUOptions {
  // Initializer of alpha, penalty on it, and constraint on its values.
  std::string alpha_initializer = "zeros", alpha_regularizer = {}, alpha_constraint = {};
  std::vector<int64_t> shared_axes = {};  // The axes along which alpha is one number, counted from 1.
  std::string name = {};                  // As in LayerOptions.
  std::vector<int64_t> input_shape = {};  // As in LayerOptions.
  bool trainable = true;                  // As in LayerOptions.
};

// max(x, 0) + alpha min(x, 0), where alpha is a weight. Source: keras.layers.PReLU.
Layer PReLU(PReLUOptions options = {}, Layer::Where where = Layer::Where::current());

// Options of layers that work along axes: Softmax and UnitNormalization.
struct AxisOptions {
  std::vector<int64_t> axis = {-1};       // The axes.
  std::string name = {};                  // As in LayerOptions.
  std::vector<int64_t> input_shape = {};  // As in LayerOptions.
};

// exp(x) / sum(exp(x)), with the sum along the axes. Source: keras.layers.Softmax.
Layer Softmax(const AxisOptions& options = {}, Layer::Where where = Layer::Where::current());

// ---- Normalization.

// Options of LayerNormalization.
struct LayerNormalizationOptions {
  std::vector<int64_t> axis = {-1};  // The axes to normalize along.
  double epsilon = 1e-3;             // Added to the variance, so that its root is never 0.
  bool center = true, scale = true;  // Whether the layer has the weights beta and gamma.
  // Initializers of beta and gamma, penalties on them, and constraints on their values.
  std::string beta_initializer = "zeros", gamma_initializer = "ones";
  std::string beta_regularizer = {}, gamma_regularizer = {};
  std::string beta_constraint = {}, gamma_constraint = {};
  std::string name = {};                  // As in LayerOptions.
  std::vector<int64_t> input_shape = {};  // As in LayerOptions.
  bool trainable = true;                  // As in LayerOptions.
};

// gamma (x - mean) / sqrt(variance + epsilon) + beta, with mean and variance along axes of each sample. Source:
// keras.layers.LayerNormalization.
Layer LayerNormalization(LayerNormalizationOptions options = {}, Layer::Where where = Layer::Where::current());

// Options of GroupNormalization.
struct GroupNormalizationOptions {
  int64_t groups = 32;               // The number of groups. -1: one group for each channel.
  int64_t axis = -1;                 // The axis of the channels.
  double epsilon = 1e-3;             // Added to the variance, so that its root is never 0.
  bool center = true, scale = true;  // Whether the layer has the weights beta and gamma.
  // Initializers of beta and gamma, penalties on them, and constraints on their values.
  std::string beta_initializer = "zeros", gamma_initializer = "ones";
  std::string beta_regularizer = {}, gamma_regularizer = {};
  std::string beta_constraint = {}, gamma_constraint = {};
  std::string name = {};                  // As in LayerOptions.
  std::vector<int64_t> input_shape = {};  // As in LayerOptions.
  bool trainable = true;                  // As in LayerOptions.
};

// As LayerNormalization, with mean and variance over groups of channels. Source: keras.layers.GroupNormalization.
Layer GroupNormalization(GroupNormalizationOptions options = {}, Layer::Where where = Layer::Where::current());

// Options of RMSNormalization.
struct RMSNormalizationOptions {
  std::vector<int64_t> axis = {-1};       // The axes to normalize along.
  double epsilon = 1e-6;                  // Added to the mean square, so that its root is never 0.
  std::string name = {};                  // As in LayerOptions.
  std::vector<int64_t> input_shape = {};  // As in LayerOptions.
  bool trainable = true;                  // As in LayerOptions.
};

// scale x / sqrt(mean(x^2) + epsilon), with the mean along axes of each sample. Source: keras.layers.RMSNormalization.
Layer RMSNormalization(RMSNormalizationOptions options = {}, Layer::Where where = Layer::Where::current());

// x divided by its Euclidean length along axes of each sample. Source: keras.layers.UnitNormalization.
Layer UnitNormalization(const AxisOptions& options = {}, Layer::Where where = Layer::Where::current());

// ---- Noise in training. Outside training these layers return x itself.

// Sets elements to selu's lower limit with probability `rate`, and preserves mean and variance. Source:
// keras.layers.AlphaDropout.
Layer AlphaDropout(double rate, DropoutOptions options = {}, Layer::Where where = Layer::Where::current());
// Drops whole channels of [N, steps, channels] with probability `rate`. Source: keras.layers.SpatialDropout1D.
Layer SpatialDropout1D(double rate, DropoutOptions options = {}, Layer::Where where = Layer::Where::current());
// Multiplies x by normal noise of mean 1 and variance rate / (1 - rate). Source: keras.layers.GaussianDropout.
Layer GaussianDropout(double rate, DropoutOptions options = {}, Layer::Where where = Layer::Where::current());
// Adds normal noise of mean 0 and standard deviation `stddev` to x. Source: keras.layers.GaussianNoise.
Layer GaussianNoise(double stddev, DropoutOptions options = {}, Layer::Where where = Layer::Where::current());

// ---- Functions.

namespace internal {
// Calls a function with the inputs as separate arguments.
template <class F, size_t... I>
Value CallWith(const F& function, const Values& inputs, std::index_sequence<I...>) {
  return function(inputs[I]...);
}
// Makes a function of any number of inputs, which reports an error unless it gets kCount of them.
template <size_t kCount, class F>
ItemFunction Taking(F function) {
  return [function = std::move(function)](const Values& inputs) -> Value {
    if (inputs.size() == kCount) return CallWith(function, inputs, std::make_index_sequence<kCount>());
    return inputs[0].Error(fmt::format("takes {} input{}, got {}", kCount, kCount == 1 ? "" : "s", inputs.size()));
  };
}
// Makes the layer of Lambda.
Layer MakeLambda(ItemFunction function, LayerOptions options, Layer::Where where);
}  // namespace internal

// Makes a layer of a function. The function takes one value, several values, or fb::Values for any number of them:
//
//   fb::Lambda([](fb::Value x) { return x * fb::Sigmoid(x); })(x)
//   fb::Lambda([](fb::Value a, fb::Value b) { return fb::Abs(a - b); })({a, b})
//
// The function is called when the model's symbols are written, never while a program runs. Its symbols are
// differentiated, fused and compiled like all others. No weights. A file keeps the symbols that the function wrote, so
// fusebox can open the file again, for inputs of the same types. Keras cannot. Source: keras.layers.Lambda.
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

// Changes the shape of each sample. One size of target_shape may be -1; it is inferred from the others. Source:
// keras.layers.Reshape.
Layer Reshape(const std::vector<int64_t>& target_shape, LayerOptions options = {},
              Layer::Where where = Layer::Where::current());
// Reorders the axes of samples, which are counted from 1. Source: keras.layers.Permute.
Layer Permute(const std::vector<int64_t>& dims, LayerOptions options = {},
              Layer::Where where = Layer::Where::current());
// Repeats each sample n times: [N, features] -> [N, n, features]. Source: keras.layers.RepeatVector.
Layer RepeatVector(int64_t n, LayerOptions options = {}, Layer::Where where = Layer::Where::current());

}  // namespace fusebox
