// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/type.h"

#include <algorithm>

namespace fusebox {
namespace {

struct DTypeInfo {
  const char* name;
  int64_t size;
};
constexpr DTypeInfo kDTypes[] = {{"error", 0}, {"f32", 4}, {"f64", 8}, {"i32", 4}, {"i64", 8}, {"u8", 1}, {"bool", 1}};

}  // namespace

const char* Name(DType dtype) { return kDTypes[size_t(dtype)].name; }
int64_t SizeOf(DType dtype) { return kDTypes[size_t(dtype)].size; }

std::optional<DType> DTypeFromName(std::string_view name) {
  for (size_t i = 1; i < std::size(kDTypes); ++i) {
    if (name == kDTypes[i].name) return DType(i);
  }
  return std::nullopt;
}

int64_t NumElements(const Shape& shape, int64_t batch) {
  int64_t count = 1;
  for (const int64_t d : shape) count *= Resolve(d, batch);
  return count;
}

std::optional<int64_t> SymbolicProduct(const Shape& shape) {
  int64_t product = 1;
  bool symbolic = false;
  for (const int64_t d : shape) {
    if (d < 0 && std::exchange(symbolic, true)) return std::nullopt;
    if (__builtin_mul_overflow(product, d, &product)) return std::nullopt;
  }
  // -0 is 0: a shape without elements has none for any batch.
  return product;
}

std::string ToString(const Shape& shape) {
  std::string text = "[";
  for (const int64_t d : shape) {
    if (text.size() > 1) text += ',';
    if (d >= 0) {
      text += std::to_string(d);
    } else {
      text += d == -1 ? "N" : std::to_string(-d) + "*N";
    }
  }
  return text += ']';
}

std::string ToString(const Type& type) { return Name(type.dtype) + ToString(type.shape); }

std::optional<Type> FromAbi(const FbType& type) {
  if (type.dtype < FB_F32 || type.dtype > FB_BOOL || type.rank < 0 || type.rank > FB_MAX_RANK) return std::nullopt;
  return Type{DType(type.dtype), Shape(type.dims, type.dims + type.rank)};
}

FbType ToAbi(const Type& type) {
  FbType out{sizeof(FbType), uint32_t(type.dtype), type.rank(), {}};
  std::copy(type.shape.begin(), type.shape.end(), out.dims);
  return out;
}

}  // namespace fusebox
