// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/data/labels.h"

#include <algorithm>
#include <cmath>

#include "fusebox/graph/literal.h"
#include "fusebox/graph/status.h"

namespace fusebox {

namespace {

// The first of values that are floats for which this holds; -1 if there is none.
template <class Is>
int64_t FirstFloat(const Tensor& y, Is is) {
  return WithDType(y.dtype(), [&]<class T>(T) -> int64_t {
    if constexpr (!std::is_floating_point_v<T>) return -1;
    const std::span<const T> values = y.values<T>();
    // Block by block: within one there is no branch, so it is as fast as memory.
    constexpr size_t kBlock = 1024;
    for (size_t begin = 0; begin < values.size(); begin += kBlock) {
      const std::span<const T> block = values.subspan(begin, std::min(kBlock, values.size() - begin));
      bool any = false;
      for (const T v : block) any |= is(v);
      if (any) return int64_t(begin) + (std::ranges::find_if(block, is) - block.begin());
    }
    return -1;
  });
}

int64_t SampleOf(const Tensor& y, int64_t element) { return element / (y.size() / y.rows()); }

}  // namespace

absl::Status CheckNoNan(const Tensor& y, std::string_view who) {
  const int64_t found = FirstFloat(y, [](auto v) { return v != v; });
  if (found < 0) return absl::OkStatus();
  return Refuse("{}: NaN in sample {}, expected a number", who, SampleOf(y, found));
}

absl::Status CheckWhole(const Tensor& y, std::string_view metric) {
  const int64_t found = FirstFloat(y, [](auto v) { return !(std::floor(v) == v); });
  if (found < 0) return absl::OkStatus();
  const Tensor wide = y.Cast(DType::kF64);
  return Refuse("{}: y of sample {} is {}, expected a class, which is a whole number", metric, SampleOf(y, found),
                wide.values<double>()[size_t(found)]);
}

absl::Status CheckClassLabels(const Tensor& y, int64_t classes, std::string_view loss, std::optional<int64_t> ignored) {
  return WithDType(y.dtype(), [&]<class T>(T) -> absl::Status {
    const std::span<const T> values = y.values<T>();
    const int64_t in_a_row = y.rows() > 0 ? y.size() / y.rows() : 1;
    for (size_t i = 0; i < values.size(); ++i) {
      const double v = double(values[i]);
      if (ignored && v == double(*ignored)) continue;
      if (v >= 0 && v < double(classes) && v == double(int64_t(v))) continue;
      return Refuse("{}: y of sample {} is {}, expected a class from 0 to {}", loss, int64_t(i) / in_a_row, v,
                    classes - 1);
    }
    return absl::OkStatus();
  });
}

}  // namespace fusebox
