// SPDX-License-Identifier: Apache-2.0
// A dense array in row-major order without padding. It owns its memory or borrows the caller's without a copy.
//
// runtime/data/ is arrays in memory: tensors, arrays by name, labels, samples' weights, the variables of a layer. Of
// runtime/ it sees nothing else.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/type.h"

namespace fusebox {

// The dtype whose elements are T; kError if there is none.
template <class T>
constexpr DType DTypeOf() {
  if constexpr (std::is_same_v<T, float>) return DType::kF32;
  if constexpr (std::is_same_v<T, double>) return DType::kF64;
  if constexpr (std::is_same_v<T, int32_t>) return DType::kI32;
  if constexpr (std::is_same_v<T, int64_t>) return DType::kI64;
  if constexpr (std::is_same_v<T, uint8_t>) return DType::kU8;
  if constexpr (std::is_same_v<T, bool>) return DType::kBool;
  return DType::kError;
}

// Copies share the memory (as shared_ptr does); Clone makes a second array.
class Tensor {
 public:
  Tensor() = default;  // No array: dtype() is kError.
  // Owning, filled with zeros, aligned to 64 bytes. Dimensions are numbers >= 0.
  Tensor(DType dtype, std::vector<int64_t> shape);
  // Owning, a copy of `values`.
  template <class T>
  Tensor(std::vector<int64_t> shape, std::span<const T> values);
  // Borrows: `data` must outlive every copy of this Tensor and hold exactly `shape` elements. Not written through.
  static Tensor Borrow(DType dtype, std::vector<int64_t> shape, const void* data);
  // Borrows, and keeps `owner` alive.
  static Tensor Share(DType dtype, std::vector<int64_t> shape, const void* data, std::shared_ptr<const void> owner);

  // False if there is no array. An array may have no elements.
  bool empty() const { return dtype_ == DType::kError; }
  // What it holds, in which shape.
  DType dtype() const { return dtype_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  int64_t rank() const { return int64_t(shape_.size()); }
  int64_t size() const;  // In elements.
  // Size in memory; size of the first axis, 1 for a scalar; the elements.
  size_t bytes() const { return size_t(size() * SizeOf(dtype_)); }
  int64_t rows() const { return shape_.empty() ? 1 : shape_[0]; }
  const void* raw() const { return data_; }
  void* mutable_raw();  // Only of an owning Tensor.
  template <class T>
  std::span<const T> values() const;  // T must be the dtype.
  template <class T>
  std::span<T> mutable_values();  // Likewise, of an owning Tensor.

  // A second array with the same elements.
  Tensor Clone() const;
  // Rows [begin, end) of the first axis, without a copy.
  Tensor Rows(int64_t begin, int64_t end) const;
  // The same elements, cast one by one (C++ conversion; bool is != 0). Shares the memory if the dtype is the same.
  Tensor Cast(DType dtype) const;
  // The same memory under another shape of equal size.
  absl::StatusOr<Tensor> Reshape(std::vector<int64_t> shape) const;

 private:
  DType dtype_ = DType::kError;
  std::vector<int64_t> shape_;
  const void* data_ = nullptr;
  bool writable_ = false;
  std::shared_ptr<const void> owner_;
};

}  // namespace fusebox

#include "fusebox/runtime/data/tensor_inl.h"
