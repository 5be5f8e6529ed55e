// SPDX-License-Identifier: Apache-2.0
// The numbers that fusebox and its peers compute on, so that results can be compared. Needs only the standard library:
// peers/native/ includes it, too, and peers/python/workload.py does the same in NumPy.
#pragma once
#include <cmath>
#include <cstdint>
#include <span>

namespace fusebox::benchmarks {

// Spreads values over [-scale, scale) by a hash of the index; another salt gives other values.
inline void Spread(std::span<float> values, uint32_t salt, float scale) {
  uint32_t index = salt * 0x9E3779B9u;
  for (float& value : values) {
    uint32_t hash = index++ * 0x9E3779B1u;
    hash = (hash ^ (hash >> 16)) * 0x85EBCA6Bu;
    value = (float(hash >> 8) / float(1 << 23) - 1) * scale;
  }
}

// The weights of layer 0, 1, ... of a network for inference, which is not trained.
inline void SpreadLayer(std::span<float> kernel, std::span<float> bias, uint32_t layer) {
  const auto inputs = float(kernel.size() / bias.size()), units = float(bias.size());
  Spread(kernel, 2 * layer + 2, std::sqrt(6 / (inputs + units)));
  Spread(bias, 2 * layer + 3, 0.1f);
}

// A number that distinguishes a result from a wrong one, by its values and their positions.
inline double Digest(std::span<const float> values) {
  double sum = 0;
  for (size_t i = 0; i < values.size(); ++i) sum += std::abs(values[i]) * double(1 + i % 7);
  return sum / double(values.size());
}

}  // namespace fusebox::benchmarks
