// SPDX-License-Identifier: Apache-2.0
#include "tests/support/guarded_buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "fusebox/graph/check.h"

namespace fusebox::testing {

GuardedBuffer::GuardedBuffer(size_t bytes) : size_(bytes) {
  const size_t page = size_t(sysconf(_SC_PAGESIZE));
  const size_t inner = (bytes + page - 1) / page * page;
  map_size_ = inner + 2 * page;
  void* map = mmap(nullptr, map_size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  Check(map != MAP_FAILED, "no memory for a guarded buffer");
  map_ = static_cast<std::byte*>(map);
  if (inner > 0) {
    Check(mprotect(map_ + page, inner, PROT_READ | PROT_WRITE) == 0, "no access to a guarded buffer");
    std::memset(map_ + page, 0xFF, inner);
  }
  data_ = map_ + page + inner - bytes;
}

GuardedBuffer::~GuardedBuffer() {
  if (map_ != nullptr) munmap(map_, map_size_);
}

GuardedBuffer::GuardedBuffer(GuardedBuffer&& other) noexcept
    : map_(std::exchange(other.map_, nullptr)), map_size_(other.map_size_), size_(other.size_), data_(other.data_) {}

void GuardedBuffer::Fill(std::span<const std::byte> bytes) {
  Check(bytes.size() == size_, "a guarded buffer filled with another size");
  std::copy(bytes.begin(), bytes.end(), data_);
}

bool GuardedBuffer::FrontUntouched() const {
  const std::byte* begin = map_ + sysconf(_SC_PAGESIZE);
  return std::all_of(begin, const_cast<const std::byte*>(data_), [](std::byte b) { return b == std::byte{0xFF}; });
}

}  // namespace fusebox::testing
