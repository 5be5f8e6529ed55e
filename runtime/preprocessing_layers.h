// SPDX-License-Identifier: Apache-2.0
// Layers that prepare data, and that may learn how from data before the model is trained:
//
//   auto norm = fb::Normalization();
//   absl::Status ok = norm.Adapt(x_train);
//   fb::Sequential model({norm, fb::Dense(30, "relu"), fb::Dense(1)});
//
// Adapt comes before a model takes the layer (or a call does): models copy what the layer is then. The statistics of one
// within a model are weights: SetLayerWeights("normalization", {mean, variance, count}).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fusebox/runtime/layer.h"

namespace fusebox {

// What Normalization may be told beyond its arguments.
struct NormalizationOptions {
  std::vector<int64_t> axis = {-1};  // With statistics for each index; none: one of each for all.
  // Given both, or found by Adapt: one number, or one for each index.
  std::vector<double> mean = {}, variance = {};
  bool invert = false;
  // See LayerOptions.
  std::string name = {};
  std::vector<int64_t> input_shape = {};
};

// What Normalization makes: a layer that learns mean and variance.
class NormalizationLayer : public Layer {
 public:
  NormalizationLayer(NormalizationOptions options, Where where);
  // Mean and variance of samples [n, ...] of any dtype, summed up in f64. Error: no samples; an axis that they lack, or
  // that is the batch; mean and variance were given; the layer is in use.
  absl::Status Adapt(const Tensor& data);
};

// (x - mean) / max(sqrt(variance), 1e-7), f32[N, ...]. Weights, which nothing trains: mean and variance, f32 of the sizes of
// the axes, and count, i32[], which is 0 as in Keras. Source: keras.layers.Normalization.
NormalizationLayer Normalization(NormalizationOptions options = {}, Layer::Where where = Layer::Where::current());

// What Discretization may be told beyond its arguments.
struct DiscretizationOptions {
  double epsilon = 0.01;            // How far from equal shares Adapt may be.
  std::string output_mode = "int";  // Or "one_hot", "multi_hot", "count": see CategoryEncoding.
  // See LayerOptions.
  std::string name = {};
  std::vector<int64_t> input_shape = {};
};

// What Discretization makes: a layer that learns boundaries.
class DiscretizationLayer : public Layer {
 public:
  using Layer::Layer;
  // Boundaries between ranges that have equal shares of the data, of any shape and dtype: Keras's quantiles. Error: no data;
  // boundaries were given; the layer is in use.
  absl::Status Adapt(const Tensor& data);
};

// The number of the range in which each element lies, i32[N, ...]; ranges begin at the boundaries. Source:
// keras.layers.Discretization.
DiscretizationLayer Discretization(std::vector<double> bin_boundaries, DiscretizationOptions options = {},
                                   Layer::Where where = Layer::Where::current());
// Ranges that Adapt finds.
DiscretizationLayer Discretization(int64_t num_bins, DiscretizationOptions options = {},
                                   Layer::Where where = Layer::Where::current());

// What CategoryEncoding may be told beyond its arguments.
struct CategoryEncodingOptions {
  std::string output_mode = "multi_hot";  // Or "one_hot", "count".
  // See LayerOptions.
  std::string name = {};
  std::vector<int64_t> input_shape = {};
};

// Categories by their numbers as vectors with an element for each: one_hot, a vector a number; multi_hot and count, one a
// sample [length], which numbers it has, and how often. Called with {x, count_weights}, count adds up weights. Source:
// keras.layers.CategoryEncoding.
Layer CategoryEncoding(int64_t num_tokens, CategoryEncodingOptions options = {},
                       Layer::Where where = Layer::Where::current());

}  // namespace fusebox
