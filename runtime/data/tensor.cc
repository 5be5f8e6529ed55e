// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/data/tensor.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <type_traits>

#include "fmt/ranges.h"
#include "fusebox/runtime/data/aligned_memory.h"
#include "fusebox/runtime/data/out_of_memory.h"

namespace fusebox {
namespace {

// Calls f with a null pointer of the C++ type that the dtype stands for.
template <class F>
void Visit(DType dtype, F f) {
  switch (dtype) {
    case DType::kF32:
      return f(static_cast<float*>(nullptr));
    case DType::kF64:
      return f(static_cast<double*>(nullptr));
    case DType::kI32:
      return f(static_cast<int32_t*>(nullptr));
    case DType::kI64:
      return f(static_cast<int64_t*>(nullptr));
    case DType::kU8:
      return f(static_cast<uint8_t*>(nullptr));
    case DType::kBool:
      return f(static_cast<bool*>(nullptr));
    case DType::kError:
      return;
  }
}

// The bytes of an array; nullopt if they are more than an int64_t holds.
std::optional<size_t> CheckedBytes(DType dtype, const std::vector<int64_t>& shape) {
  int64_t bytes = SizeOf(dtype);
  // An array with an axis of size 0 is empty, however long its other axes are.
  if (std::ranges::find(shape, 0) != shape.end() || dtype == DType::kError) return 0;
  for (const int64_t d : shape) {
    if (__builtin_mul_overflow(bytes, d, &bytes)) return std::nullopt;
  }
  return size_t(bytes);
}

}  // namespace

Tensor::Tensor(DType dtype, std::vector<int64_t> shape) : dtype_(dtype), shape_(std::move(shape)), writable_(true) {
  const std::optional<size_t> size = CheckedBytes(dtype_, shape_);
  void* const memory = size ? AllocateAligned(*size) : nullptr;
  if (memory == nullptr) {
    throw OutOfMemory(fmt::format("no memory for {} bytes of {}[{}]", size ? fmt::format("{}", *size) : "2^63 or more",
                                  Name(dtype_), fmt::join(shape_, ",")));
  }
  std::memset(memory, 0, *size);
  data_ = memory;
  owner_ = std::shared_ptr<const void>(memory, [](const void* p) { std::free(const_cast<void*>(p)); });
}

Tensor Tensor::Borrow(DType dtype, std::vector<int64_t> shape, const void* data) {
  return Share(dtype, std::move(shape), data, nullptr);
}

Tensor Tensor::Share(DType dtype, std::vector<int64_t> shape, const void* data, std::shared_ptr<const void> owner) {
  Tensor t;
  t.dtype_ = dtype;
  t.shape_ = std::move(shape);
  t.data_ = data;
  t.owner_ = std::move(owner);
  return t;
}

int64_t Tensor::size() const {
  int64_t count = dtype_ == DType::kError ? 0 : 1;
  for (const int64_t d : shape_) count *= d;
  return count;
}

void* Tensor::mutable_raw() {
  Check(writable_, "a borrowed tensor is written");
  return const_cast<void*>(data_);
}

Tensor Tensor::Clone() const {
  if (empty()) return {};
  Tensor copy(dtype_, shape_);
  std::memcpy(copy.mutable_raw(), data_, bytes());
  return copy;
}

Tensor Tensor::Rows(int64_t begin, int64_t end) const {
  Check(rank() > 0 && 0 <= begin && begin <= end && end <= shape_[0], "rows out of range");
  const int64_t row_bytes = shape_[0] == 0 ? 0 : int64_t(bytes()) / shape_[0];
  std::vector<int64_t> shape = shape_;
  shape[0] = end - begin;
  return Share(dtype_, std::move(shape), static_cast<const char*>(data_) + begin * row_bytes, owner_);
}

Tensor Tensor::Cast(DType dtype) const {
  if (dtype == dtype_) return *this;
  Tensor out(dtype, shape_);
  Visit(dtype_, [&](auto* from) {
    using From = std::remove_pointer_t<decltype(from)>;
    const auto source = values<From>();
    Visit(dtype, [&](auto* to) {
      using To = std::remove_pointer_t<decltype(to)>;
      std::ranges::transform(source, out.mutable_values<To>().begin(), [](From v) { return static_cast<To>(v); });
    });
  });
  return out;
}

absl::StatusOr<Tensor> Tensor::Reshape(std::vector<int64_t> shape) const {
  Tensor out = *this;
  out.shape_ = std::move(shape);
  if (out.size() == size()) return out;
  return absl::InvalidArgumentError(fmt::format("reshape: {} elements expected, got {}", size(), out.size()));
}

}  // namespace fusebox
