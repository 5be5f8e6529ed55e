// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/bounded_reader.h"

#include <unistd.h>

#include <algorithm>
#include <limits>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/mapped_file.h"
#include "fusebox/runtime/files/system_error.h"

namespace fusebox {
absl::StatusOr<std::string> ReadWholeFile(const std::string& path, uint64_t budget) {
  const std::string who = fmt::format("'{}'", path);
  FUSEBOX_ASSIGN_OR_RETURN(const OpenedFile file, OpenRegularFile(path, who));
  const uint64_t size = file.bytes;
  if (size > budget) return Refuse("{}: at most {} bytes can be read, got {}", who, budget, size);
  std::string bytes(size, '\0');
  uint64_t found = 0;
  while (found < size) {
    const ssize_t n = ::read(file.fd.get(), bytes.data() + found, std::min<uint64_t>(size - found, uint64_t{1} << 30));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError(who, "cannot read", errno);
    if (n == 0) return Refuse("{}: truncated while it was read: {} bytes expected, found {}", who, size, found);
    found += uint64_t(n);
  }
  return bytes;
}

std::optional<uint64_t> CheckedBytes(std::span<const int64_t> shape, uint64_t element_bytes) {
  // Zeros count as ones here: a product taken in order must not overflow before the zero comes.
  int64_t bound = int64_t(element_bytes);
  bool empty = false;
  for (const int64_t dim : shape) {
    if (dim < 0) return std::nullopt;
    if (dim == 0) empty = true;
    if (__builtin_mul_overflow(bound, std::max<int64_t>(dim, 1), &bound)) return std::nullopt;
  }
  return empty ? 0 : uint64_t(bound);
}

absl::StatusOr<std::string_view> BoundedReader::Take(uint64_t count, std::string_view what) {
  if (count > remaining()) {
    return Refuse("{}: truncated: {} needs {} bytes at offset {}, found {}", who_, what, count, offset_, remaining());
  }
  const std::string_view taken = bytes_.substr(offset_, count);
  offset_ += count;
  return taken;
}

absl::StatusOr<uint64_t> BoundedReader::TakeUint(int bytes, std::endian order, std::string_view what) {
  const absl::StatusOr<std::string_view> taken = Take(uint64_t(bytes), what);
  if (!taken.ok()) return taken.status();
  uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) {
    const int position = order == std::endian::big ? i : bytes - 1 - i;  // The most significant byte first.
    value = value << 8 | uint8_t((*taken)[size_t(position)]);
  }
  return value;
}

absl::Status BoundedReader::ExpectEnd() const {
  if (remaining() == 0) return absl::OkStatus();
  return Refuse("{}: {} bytes expected, found {}", who_, offset_, bytes_.size());
}

}  // namespace fusebox
