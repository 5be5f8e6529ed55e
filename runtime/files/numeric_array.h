// SPDX-License-Identifier: Apache-2.0
// Converts arrays of numbers, as other programs store them, to tensors.
#pragma once
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/data/tensor.h"

namespace fusebox {

enum class NumberKind { kBool, kSigned, kUnsigned, kFloat, kBfloat16 };

// The form of one element in a file. `bytes` is 1, 2, 4 or 8, as the kind allows.
struct ElementFormat {
  NumberKind kind = NumberKind::kFloat;
  int bytes = 4;
  std::endian order = std::endian::little;
};

// The dtype that holds every value of the format: f16 and bfloat16 become f32; i8, i16 and u16 i32; u32 and u64 i64.
DType NearestDType(const ElementFormat& format);

// The array in row-major order. `bytes` must be exactly CheckedBytes(shape, format.bytes) long; with `fortran_order`
// its first index runs fastest. Error: a u64 that no i64 holds, with its position.
absl::StatusOr<Tensor> DecodeArray(const ElementFormat& format, std::vector<int64_t> shape, std::string_view bytes,
                                   bool fortran_order, const std::string& who);

// The same in place, without a copy; `owner` keeps the bytes alive. nullopt if the form is not that of a tensor:
// another dtype or byte order, not aligned to its elements, or bools, whose bytes may be other than 0 and 1.
std::optional<Tensor> ArrayInPlace(const ElementFormat& format, const std::vector<int64_t>& shape,
                                   std::string_view bytes, bool fortran_order, std::shared_ptr<const void> owner);

}  // namespace fusebox
