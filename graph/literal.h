// SPDX-License-Identifier: Apache-2.0
// Literal: a dense row-major array that owns its memory; all its sizes are numbers. The reference evaluator's values
// (the users' Tensor is runtime/'s, which graph/ does not see).
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "fusebox/graph/check.h"
#include "fusebox/graph/type.h"

namespace fusebox {

using Sizes = std::vector<int64_t>;

// The dtype of a C++ type: float, double, int32_t, int64_t, uint8_t, bool.
template <class T>
inline constexpr DType kDTypeOf = DType::kError;
template <>
inline constexpr DType kDTypeOf<float> = DType::kF32;
template <>
inline constexpr DType kDTypeOf<double> = DType::kF64;
template <>
inline constexpr DType kDTypeOf<int32_t> = DType::kI32;
template <>
inline constexpr DType kDTypeOf<int64_t> = DType::kI64;
template <>
inline constexpr DType kDTypeOf<uint8_t> = DType::kU8;
template <>
inline constexpr DType kDTypeOf<bool> = DType::kBool;

class Literal {
 public:
  Literal() = default;                // No array: dtype() is kError.
  Literal(DType dtype, Sizes shape);  // Zeros. Sizes are >= 0 and their product fits in memory.
  template <class T>
  static Literal Of(Sizes shape, const std::vector<T>& values);
  template <class T>
  static Literal Scalar(T value) {
    return Of<T>({}, std::vector<T>{value});
  }
  // Casts each number to the dtype as the op `cast` does.
  static Literal FromDoubles(DType dtype, Sizes shape, std::span<const double> values);

  DType dtype() const { return dtype_; }
  const Sizes& shape() const { return shape_; }
  int64_t rank() const { return int64_t(shape_.size()); }
  int64_t size() const { return size_; }  // In elements.

  template <class T>
  std::span<const T> values() const {
    Check(kDTypeOf<T> == dtype_, "a literal read as another dtype");
    return {reinterpret_cast<const T*>(bytes_.data()), size_t(size_)};
  }
  template <class T>
  std::span<T> mutable_values() {
    Check(kDTypeOf<T> == dtype_, "a literal written as another dtype");
    return {reinterpret_cast<T*>(bytes_.data()), size_t(size_)};
  }
  std::span<const std::byte> bytes() const { return bytes_; }
  std::span<std::byte> mutable_bytes() { return bytes_; }

  std::vector<double> ToDoubles() const;  // Exact, but for i64 beyond 2^53.
  std::vector<int64_t> ToInts() const;    // Of integers and bools.
  Literal Reshaped(Sizes shape) const;    // The same elements.

  // Bit for bit the same: a NaN equals itself, 0 and -0 differ.
  bool operator==(const Literal&) const = default;

 private:
  DType dtype_ = DType::kError;
  Sizes shape_;
  int64_t size_ = 0;
  std::vector<std::byte> bytes_;
};

// A shape for this batch size.
Sizes Resolve(const Shape& shape, int64_t batch);
// "f32[2,3]"
std::string TypeText(const Literal& literal);
// "f32[2,3] {1, 2, 3, ...}", with no more than `limit` elements.
std::string ToString(const Literal& literal, int64_t limit = 64);

// The arithmetic conversions of the op `cast`. To integers a float saturates, and NaN gives 0; an integer wraps.
// To bool: != 0, so NaN gives true.
template <class To, class From>
To CastTo(From from);

// Calls f(T{}) with the C++ type of the dtype.
template <class F>
decltype(auto) WithDType(DType dtype, F&& f) {
  switch (dtype) {
    case DType::kF32:
      return f(float{});
    case DType::kF64:
      return f(double{});
    case DType::kI32:
      return f(int32_t{});
    case DType::kI64:
      return f(int64_t{});
    case DType::kU8:
      return f(uint8_t{});
    default:
      return f(bool{});
  }
}

template <class T>
Literal Literal::Of(Sizes shape, const std::vector<T>& values) {
  Literal literal(kDTypeOf<T>, std::move(shape));
  Check(literal.size() == int64_t(values.size()), "a literal of another size than its shape");
  T* to = literal.mutable_values<T>().data();
  for (const T value : values) *to++ = value;
  return literal;
}

template <class To, class From>
To CastTo(From from) {
  if constexpr (std::is_same_v<To, bool>) {
    return from != From{};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    if (from != from) return 0;
    // The limits, where a float has them exactly: the upper one is a power of two above the greatest integer.
    constexpr double kLow = double(std::numeric_limits<To>::min());
    constexpr double kEnd = double(std::numeric_limits<To>::max() / 2 + 1) * 2;
    if (double(from) <= kLow) return std::numeric_limits<To>::min();
    if (double(from) >= kEnd) return std::numeric_limits<To>::max();
    return To(from);
  } else {
    return To(from);
  }
}

}  // namespace fusebox
