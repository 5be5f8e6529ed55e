// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/labels.h"

#include "fusebox/graph/literal.h"
#include "fusebox/graph/status.h"

namespace fusebox {

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
