// SPDX-License-Identifier: Apache-2.0
// How fusebox reads every file: into memory under a byte budget, then front to back, with every length checked before
// use.
#pragma once
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace fusebox {

// The most bytes of one file that a reader holds, packed or unpacked.
inline constexpr uint64_t kByteBudget = uint64_t{16} << 30;

// Reads a whole regular file. Errors name it: missing, a folder, larger than the budget, shorter than it said.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path, uint64_t budget = kByteBudget);

// The bytes that an array takes; nullopt if a dimension is negative or the product does not fit an int64.
std::optional<uint64_t> CheckedBytes(std::span<const int64_t> shape, uint64_t element_bytes);

// A cursor over bytes that outlive it. `who` begins every message: a file's name in quotes.
class BoundedReader {
 public:
  BoundedReader(std::string_view bytes, std::string who) : bytes_(bytes), who_(std::move(who)) {}

  const std::string& who() const { return who_; }
  uint64_t offset() const { return offset_; }
  uint64_t remaining() const { return bytes_.size() - offset_; }

  // The next `count` bytes. Error: "WHO: truncated: the shape needs 12 bytes at offset 4, found 3".
  absl::StatusOr<std::string_view> Take(uint64_t count, std::string_view what);
  // The next 1, 2, 4 or 8 bytes as an unsigned number.
  absl::StatusOr<uint64_t> TakeUint(int bytes, std::endian order, std::string_view what);
  // Error if bytes are left.
  absl::Status ExpectEnd() const;

 private:
  std::string_view bytes_;
  std::string who_;
  uint64_t offset_ = 0;
};

}  // namespace fusebox
