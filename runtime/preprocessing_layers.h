// SPDX-License-Identifier: Apache-2.0
// Layers that preprocess data. Some can learn their settings from data before the model is trained:
//
//   auto norm = fb::Normalization();
//   absl::Status ok = norm.Adapt(x_train);
//   fb::Sequential model({norm, fb::Dense(30, "relu"), fb::Dense(1)});
//
// Call Adapt before a model takes the layer or the layer is called. At that moment the layer's description is copied
// into the model, so later changes to it have no effect; weights are shared, as with all layers. Once a model has the
// layer, change its statistics as weights: SetLayerWeights("normalization", {mean, variance, count}).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fusebox/runtime/layer.h"

namespace fusebox {

// Options of Normalization.
struct NormalizationOptions {
  std::vector<int64_t> axis = {-1};  // Axes with separate statistics for each index. Empty: one mean and one variance.
  // The statistics: one number, or one for each index. Give both, or neither and call Adapt.
  std::vector<double> mean = {}, variance = {};
  bool invert = false;                    // Whether to compute x * max(sqrt(variance), 1e-7) + mean, the inverse.
  std::string name = {};                  // As in LayerOptions.
  std::vector<int64_t> input_shape = {};  // As in LayerOptions.
};

// The layer that Normalization makes.
class NormalizationLayer : public Layer {
 public:
  // See Normalization.
  NormalizationLayer(NormalizationOptions options, Where where);
  // Sets the statistics to mean and variance of samples [n, ...] of any dtype, summed in f64. Errors: no samples; an
  // axis that the samples lack, or the batch axis; mean and variance were given; the layer is in use.
  absl::Status Adapt(const Tensor& data);
};

// (x - mean) / max(sqrt(variance), 1e-7), f32[N, ...]. Weights, which training does not change: mean and variance, f32
// of the sizes of the axes, and count, i32[], which is 0 as in Keras. Source: keras.layers.Normalization.
NormalizationLayer Normalization(NormalizationOptions options = {}, Layer::Where where = Layer::Where::current());

// Options of Discretization.
struct DiscretizationOptions {
  double epsilon = 0.01;                  // The error in the ranges' shares of the data that Adapt may make.
  std::string output_mode = "int";        // "int", "one_hot", "multi_hot" or "count": see CategoryEncoding.
  std::string name = {};                  // As in LayerOptions.
  std::vector<int64_t> input_shape = {};  // As in LayerOptions.
};

// The layer that Discretization makes.
class DiscretizationLayer : public Layer {
 public:
  using Layer::Layer;
  // Sets the boundaries so that the ranges have equal shares of the data, by Keras's quantiles. The data may have any
  // shape and dtype. Errors: no data; boundaries were given; the layer is in use.
  absl::Status Adapt(const Tensor& data);
};

// Replaces each element by the number of the range that it lies in, i32[N, ...]. A range includes its lower boundary.
// Source: keras.layers.Discretization.
DiscretizationLayer Discretization(std::vector<double> bin_boundaries, DiscretizationOptions options = {},
                                   Layer::Where where = Layer::Where::current());
// The same with num_bins ranges, which Adapt finds.
DiscretizationLayer Discretization(int64_t num_bins, DiscretizationOptions options = {},
                                   Layer::Where where = Layer::Where::current());

// Options of CategoryEncoding.
struct CategoryEncodingOptions {
  std::string output_mode = "multi_hot";  // "multi_hot", "one_hot" or "count".
  std::string name = {};                  // As in LayerOptions.
  std::vector<int64_t> input_shape = {};  // As in LayerOptions.
};

// Encodes category numbers as vectors with one element for each category. "one_hot" makes one vector for each number.
// For samples [length], "multi_hot" makes one vector for each sample, which marks the numbers that occur in it, and
// "count" one that counts them. Called with {x, count_weights}, "count" sums up the weights instead. Source:
// keras.layers.CategoryEncoding.
Layer CategoryEncoding(int64_t num_tokens, CategoryEncodingOptions options = {},
                       Layer::Where where = Layer::Where::current());

}  // namespace fusebox
