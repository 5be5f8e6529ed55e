// SPDX-License-Identifier: Apache-2.0
// The type of a value: a dtype and a shape whose dimensions are numbers or multiples of one symbol, the batch size N.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "fmt/format.h"
#include "fusebox/graph/builder_abi.h"

namespace fusebox {

// What the elements of a value are. kError: there is no value.
enum class DType : uint32_t { kError = 0, kF32 = FB_F32, kF64, kI32, kI64, kU8, kBool };

const char* Name(DType dtype);  // "f32", as in .fbg files.
// nullopt if there is no such dtype.
std::optional<DType> DTypeFromName(std::string_view name);
int64_t SizeOf(DType dtype);  // In bytes; a bool takes one.
// f32 or f64; i32, i64 or u8.
inline bool IsFloat(DType dtype) { return dtype == DType::kF32 || dtype == DType::kF64; }
inline bool IsInteger(DType dtype) { return dtype == DType::kI32 || dtype == DType::kI64 || dtype == DType::kU8; }

// A dimension d >= 0 is a number, d < 0 is -d times the batch: -1 is N, -28 is 28*N. The same encoding as in the ABI.
using Shape = absl::InlinedVector<int64_t, 4>;

// A dtype and a shape: f32[N,28].
struct Type {
  DType dtype = DType::kError;  // Of the elements.
  Shape shape;                  // Dimensions, which may be multiples of the batch.

  // The number of dimensions.
  int64_t rank() const { return int64_t(shape.size()); }
  bool operator==(const Type&) const = default;
};

// A dimension, or the number of elements, once the batch size is known.
inline int64_t Resolve(int64_t dim, int64_t batch) { return dim >= 0 ? dim : -dim * batch; }
int64_t NumElements(const Shape& shape, int64_t batch);
// The product of dimensions, in the encoding of Shape; nullopt if N would be squared or the product overflows.
std::optional<int64_t> SymbolicProduct(const Shape& shape);

std::string ToString(const Shape& shape);  // "[N,28]"
std::string ToString(const Type& type);    // "f32[N,28]"

// A type that came through the C table; nullopt for an unknown dtype or a rank out of range.
std::optional<Type> FromAbi(const FbType& type);
FbType ToAbi(const Type& type);

}  // namespace fusebox

template <>
struct fmt::formatter<fusebox::Type> : formatter<std::string> {
  template <class Context>
  auto format(const fusebox::Type& type, Context& context) const {
    return formatter<std::string>::format(fusebox::ToString(type), context);
  }
};
