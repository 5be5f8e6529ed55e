// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/numeric_array.h"

#include <limits>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/bounded_reader.h"

namespace fusebox {
namespace {

template <class Bits>
Bits LoadBits(const char* from, bool swap) {
  Bits bits;
  std::memcpy(&bits, from, sizeof bits);
  if constexpr (sizeof(Bits) == 2) return swap ? __builtin_bswap16(bits) : bits;
  if constexpr (sizeof(Bits) == 4) return swap ? __builtin_bswap32(bits) : bits;
  if constexpr (sizeof(Bits) == 8) return swap ? __builtin_bswap64(bits) : bits;
  return bits;
}

// IEEE binary16: 1 sign, 5 exponent (bias 15), 10 mantissa bits.
float FromHalf(uint16_t half) {
  const uint32_t sign = uint32_t(half & 0x8000) << 16;
  const uint32_t exponent = half >> 10 & 0x1f;
  const uint32_t mantissa = half & 0x3ff;
  if (exponent == 0) {
    const float magnitude = float(mantissa) * 0x1p-24f;  // Zero and subnormals.
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
  }
  const uint32_t wide = exponent == 31 ? 255 : exponent + 127 - 15;
  return std::bit_cast<float>(sign | wide << 23 | mantissa << 13);
}

// Calls visit(index in row-major order, address) for each element.
template <class Visit>
void ForEach(const std::vector<int64_t>& shape, const char* data, int64_t element_bytes, int64_t count, bool fortran,
             Visit visit) {
  if (!fortran || shape.size() < 2) {
    for (int64_t i = 0; i < count; ++i) visit(i, data + i * element_bytes);
    return;
  }
  std::vector<int64_t> strides(shape.size()), index(shape.size(), 0);
  for (int64_t axis = 0, stride = element_bytes; axis < int64_t(shape.size()); ++axis) {
    strides[size_t(axis)] = stride;
    stride *= shape[size_t(axis)];
  }
  const char* at = data;
  for (int64_t i = 0; i < count; ++i) {
    visit(i, at);
    for (size_t axis = shape.size(); axis-- > 0;) {  // Step to the next index, as an odometer does.
      at += strides[axis];
      if (++index[axis] < shape[axis]) break;
      at -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

template <class To, class Bits, class Convert>
Tensor Decode(const ElementFormat& format, std::vector<int64_t> shape, std::string_view bytes, bool fortran,
              Convert convert) {
  Tensor out(DTypeOf<To>(), std::move(shape));
  const auto values = out.mutable_values<To>();
  const bool swap = format.order != std::endian::native;
  ForEach(out.shape(), bytes.data(), format.bytes, out.size(), fortran,
          [&](int64_t i, const char* from) { values[size_t(i)] = convert(LoadBits<Bits>(from, swap)); });
  return out;
}

}  // namespace

DType NearestDType(const ElementFormat& format) {
  switch (format.kind) {
    case NumberKind::kBool:
      return DType::kBool;
    case NumberKind::kSigned:
      return format.bytes == 8 ? DType::kI64 : DType::kI32;
    case NumberKind::kUnsigned:
      return format.bytes == 1 ? DType::kU8 : format.bytes == 2 ? DType::kI32 : DType::kI64;
    case NumberKind::kFloat:
      return format.bytes == 8 ? DType::kF64 : DType::kF32;
    case NumberKind::kBfloat16:
      return DType::kF32;
  }
  return DType::kError;
}

absl::StatusOr<Tensor> DecodeArray(const ElementFormat& format, std::vector<int64_t> shape, std::string_view bytes,
                                   bool fortran, const std::string& who) {
  Check(CheckedBytes(shape, uint64_t(format.bytes)) == bytes.size(), "an array's bytes do not fill its shape");
  const auto decode = [&]<class To, class Bits>(auto convert) {
    return Decode<To, Bits>(format, std::move(shape), bytes, fortran, convert);
  };
  switch (format.kind) {
    case NumberKind::kBool:
      return decode.operator()<bool, uint8_t>([](uint8_t b) { return b != 0; });
    case NumberKind::kBfloat16:
      return decode.operator()<float, uint16_t>([](uint16_t b) { return std::bit_cast<float>(uint32_t(b) << 16); });
    case NumberKind::kFloat:
      if (format.bytes == 2) return decode.operator()<float, uint16_t>(FromHalf);
      if (format.bytes == 4) return decode.operator()<float, uint32_t>(std::bit_cast<float, uint32_t>);
      return decode.operator()<double, uint64_t>(std::bit_cast<double, uint64_t>);
    case NumberKind::kSigned:
      if (format.bytes == 1) return decode.operator()<int32_t, uint8_t>([](uint8_t b) { return int8_t(b); });
      if (format.bytes == 2) return decode.operator()<int32_t, uint16_t>([](uint16_t b) { return int16_t(b); });
      if (format.bytes == 4) return decode.operator()<int32_t, uint32_t>([](uint32_t b) { return int32_t(b); });
      return decode.operator()<int64_t, uint64_t>([](uint64_t b) { return int64_t(b); });
    case NumberKind::kUnsigned:
      if (format.bytes == 1) return decode.operator()<uint8_t, uint8_t>([](uint8_t b) { return b; });
      if (format.bytes == 2) return decode.operator()<int32_t, uint16_t>([](uint16_t b) { return b; });
      if (format.bytes == 4) return decode.operator()<int64_t, uint32_t>([](uint32_t b) { return b; });
      break;
  }
  Tensor out = decode.operator()<int64_t, uint64_t>([](uint64_t b) { return int64_t(b); });
  const auto values = out.values<int64_t>();
  const auto negative = std::ranges::find_if(values, [](int64_t v) { return v < 0; });
  if (negative == values.end()) return out;
  return Refuse("{}: element {} is {}, which no 64-bit signed integer holds", who, negative - values.begin(),
                uint64_t(*negative));
}

std::optional<Tensor> ArrayInPlace(const ElementFormat& format, const std::vector<int64_t>& shape,
                                   std::string_view bytes, bool fortran, std::shared_ptr<const void> owner) {
  const DType dtype = NearestDType(format);
  const bool same_numbers = format.kind != NumberKind::kBool && SizeOf(dtype) == format.bytes;
  const bool same_order = format.bytes == 1 || format.order == std::endian::native;
  const bool same_place = (!fortran || shape.size() < 2) && uintptr_t(bytes.data()) % uintptr_t(format.bytes) == 0;
  // A u64 is no i64, though as wide.
  const bool too_large = format.kind == NumberKind::kUnsigned && format.bytes == 8;
  if (!same_numbers || !same_order || !same_place || too_large) return std::nullopt;
  return Tensor::Share(dtype, shape, bytes.data(), std::move(owner));
}

}  // namespace fusebox
