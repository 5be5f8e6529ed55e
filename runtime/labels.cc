// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/labels.h"

#include <algorithm>

#include "fusebox/graph/literal.h"
#include "fusebox/graph/status.h"

namespace fusebox {

namespace {

template <class T>
int64_t FirstNan(std::span<const T> values) {
  // Block by block: within one there is no branch, so it is as fast as memory.
  constexpr size_t kBlock = 1024;
  for (size_t begin = 0; begin < values.size(); begin += kBlock) {
    const std::span<const T> block = values.subspan(begin, std::min(kBlock, values.size() - begin));
    bool any = false;
    for (const T v : block) any |= v != v;
    if (!any) continue;
    for (size_t i = 0;; ++i) {
      if (block[i] != block[i]) return int64_t(begin + i);
    }
  }
  return -1;
}

}  // namespace

absl::Status CheckNoNan(const Tensor& y, std::string_view who) {
  const int64_t found = y.dtype() == DType::kF32   ? FirstNan(y.values<float>())
                        : y.dtype() == DType::kF64 ? FirstNan(y.values<double>())
                                                   : -1;
  if (found < 0) return absl::OkStatus();
  return Refuse("{}: NaN in sample {}, expected a number", who, found / (y.size() / y.rows()));
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
