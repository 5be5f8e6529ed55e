// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/idx.h"

#include <optional>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "fusebox/runtime/files/gzip.h"
#include "fusebox/runtime/files/numeric_array.h"

namespace fusebox {
namespace {

constexpr uint64_t kMaxHeader = 4 + 4 * 255;  // The rank is one byte.

struct Header {
  ElementFormat format;
  std::vector<int64_t> shape;
  uint64_t header_bytes = 0;
  uint64_t file_bytes = 0;  // Header and data.

  std::string TypeText() const { return ToString(Type{NearestDType(format), Shape(shape.begin(), shape.end())}); }
};

std::optional<ElementFormat> FormatOf(uint64_t code) {
  switch (code) {
    case 0x08:
      return ElementFormat{NumberKind::kUnsigned, 1, std::endian::big};
    case 0x09:
      return ElementFormat{NumberKind::kSigned, 1, std::endian::big};
    case 0x0b:
      return ElementFormat{NumberKind::kSigned, 2, std::endian::big};
    case 0x0c:
      return ElementFormat{NumberKind::kSigned, 4, std::endian::big};
    case 0x0d:
      return ElementFormat{NumberKind::kFloat, 4, std::endian::big};
    case 0x0e:
      return ElementFormat{NumberKind::kFloat, 8, std::endian::big};
    default:
      return std::nullopt;
  }
}

absl::StatusOr<Header> ParseHeader(std::string_view bytes, const std::string& who) {
  BoundedReader reader(bytes, who);
  const auto magic = reader.TakeUint(4, std::endian::big, "the IDX header");
  if (!magic.ok()) return magic.status();
  const std::optional<ElementFormat> format = FormatOf(*magic >> 8 & 0xff);
  if (*magic >> 16 != 0 || !format) {
    return Refuse("{}: not an IDX file: it starts with {:08x}, expected 0000, a type of 08 09 0b 0c 0d 0e and the rank",
                  who, *magic);
  }
  Header header{.format = *format, .shape = {}};
  for (uint64_t axis = 0; axis < (*magic & 0xff); ++axis) {
    const auto dim = reader.TakeUint(4, std::endian::big, fmt::format("dimension {} of {}", axis + 1, *magic & 0xff));
    if (!dim.ok()) return dim.status();
    header.shape.push_back(int64_t(*dim));
  }
  const std::optional<uint64_t> data = CheckedBytes(header.shape, uint64_t(format->bytes));
  if (!data || *data > kByteBudget) return Refuse("{}: the array {} is too large to be read", who, header.TypeText());
  header.header_bytes = reader.offset();
  header.file_bytes = header.header_bytes + *data;
  return header;
}

}  // namespace

absl::StatusOr<Tensor> ParseIdx(std::string_view bytes, const std::string& who) {
  Gunzipped unpacked;
  const bool packed = IsGzip(bytes);
  if (packed) unpacked = Gunzip(bytes, kMaxHeader);
  absl::StatusOr<Header> header = ParseHeader(packed ? unpacked.bytes : bytes, who);
  if (!header.ok()) {
    if (unpacked.problem.empty()) return header.status();
    return Refuse("{} ({})", Message(header.status()), unpacked.problem);
  }
  if (packed) {
    unpacked = Gunzip(bytes, header->file_bytes + 1);
    bytes = unpacked.bytes;
  }
  if (bytes.size() < header->file_bytes) {
    return Refuse("{}: truncated: {} needs {} bytes, found {}{}", who, header->TypeText(), header->file_bytes,
                  bytes.size(), unpacked.problem.empty() ? "" : " (" + unpacked.problem + ")");
  }
  if (!unpacked.problem.empty()) return Refuse("{}: {}", who, unpacked.problem);
  if (bytes.size() > header->file_bytes) {
    return Refuse("{}: too long: {} needs {} bytes, found {}", who, header->TypeText(), header->file_bytes,
                  packed ? "more" : std::to_string(bytes.size()));
  }
  return DecodeArray(header->format, std::move(header->shape), bytes.substr(header->header_bytes), false, who);
}

absl::StatusOr<Tensor> ReadIdx(const std::string& path) {
  const absl::StatusOr<std::string> bytes = ReadWholeFile(path);
  if (!bytes.ok()) return bytes.status();
  return ParseIdx(*bytes, fmt::format("'{}'", path));
}

}  // namespace fusebox
