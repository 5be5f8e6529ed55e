// SPDX-License-Identifier: Apache-2.0
// The axes that a layer works along, and weights along these axes.
#pragma once
#include <algorithm>
#include <optional>

#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {

inline constexpr int64_t kLast[] = {-1};  // Default of an attribute.

// Returns the axes counted from the front, in ascending order. Nothing after an error: an axis that x lacks, that is
// given twice, or whose size is not fixed.
inline std::optional<Dims> FixedAxes(sdk::Scope& scope, Value x, Dims axes) {
  if (!x.ok()) return std::nullopt;
  for (int64_t& axis : axes) {
    const int64_t given = axis;
    if (axis < 0) axis += x.rank();
    if (axis < 0 || axis >= x.rank()) {
      scope.Error("expects an axis from {} to {} for {}, got {}", -x.rank(), x.rank() - 1, x.type(), given);
      return std::nullopt;
    }
    if (x.dim(axis) < 1) {
      scope.Error("expects an axis of fixed size, got axis {} of {}", given, x.type());
      return std::nullopt;
    }
  }
  std::ranges::sort(axes);
  if (axes.empty() || std::ranges::adjacent_find(axes) != axes.end()) {
    scope.Error("expects one or more axes without repetition, got {} axes", axes.size());
    return std::nullopt;
  }
  return axes;
}

// The sizes of x along axes, which are counted from the front.
inline Dims SizesOf(Value x, const Dims& axes) {
  Dims sizes;
  for (const int64_t axis : axes) sizes.push_back(x.dim(axis));
  return sizes;
}

// Reshapes a weight so that it broadcasts against x: [a, b] of axes 1 and 3, say, becomes [1, a, 1, b].
inline Value Along(Value weight, Value x, const Dims& axes) {
  Dims dims(size_t(x.rank()), 1);
  for (const int64_t axis : axes) dims[size_t(axis)] = x.dim(axis);
  const bool trailing = axes.front() == x.rank() - int64_t(axes.size());  // NumPy's rule broadcasts these.
  return trailing ? weight : Reshape(weight, dims);
}

// gamma and beta, if the attributes of a normalization layer ask for them.
struct ScaleAndShift {
  ScaleAndShift(sdk::Scope& scope, const sdk::Attributes& a, const Dims& sizes) {
    if (a.Bool("scale")) gamma = scope.Weight("gamma", sizes, a.Rules("gamma"));
    if (a.Bool("center")) beta = scope.Weight("beta", sizes, a.Rules("beta"));
  }
  Value Scaled(Value y, Value x, const Dims& axes) const { return gamma.ok() ? y * Along(gamma, x, axes) : y; }
  Value Shifted(Value y, Value x, const Dims& axes) const { return beta.ok() ? y + Along(beta, x, axes) : y; }

  Value gamma, beta;  // Not ok if absent.
};

// The remaining axes of x.
inline Dims OtherAxes(Value x, const Dims& axes) {
  Dims others;
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (std::ranges::find(axes, i) == axes.end()) others.push_back(i);
  }
  return others;
}

}  // namespace fusebox
