// SPDX-License-Identifier: Apache-2.0
// The templates of tensor.h. Include that one.
#pragma once
#include <algorithm>
#include <cstring>

#include "fusebox/graph/check.h"
#include "fusebox/runtime/data/tensor.h"

namespace fusebox {

template <class T>
Tensor::Tensor(std::vector<int64_t> shape, std::span<const T> values) : Tensor(DTypeOf<T>(), std::move(shape)) {
  Check(int64_t(values.size()) == size(), "a tensor's values do not fill its shape");
  std::ranges::copy(values, mutable_values<T>().begin());
}

template <class T>
std::span<const T> Tensor::values() const {
  Check(dtype_ == DTypeOf<T>(), "a tensor is read as another dtype");
  return {static_cast<const T*>(data_), size_t(size())};
}

template <class T>
std::span<T> Tensor::mutable_values() {
  Check(dtype_ == DTypeOf<T>(), "a tensor is written as another dtype");
  return {static_cast<T*>(mutable_raw()), size_t(size())};
}

}  // namespace fusebox
