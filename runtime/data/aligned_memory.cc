// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/data/aligned_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

namespace fusebox {
namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kLarge = size_t{1} << 20;

}  // namespace

void* AllocateAligned(size_t bytes) {
  const size_t alignment = bytes < kLarge ? kCacheLine : kHugePage;
  const size_t padded = (std::max<size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, padded);
#if defined(MADV_HUGEPAGE)
  // A hint: where it is refused, pages are small.
  if (memory != nullptr && alignment == kHugePage) (void)madvise(memory, padded, MADV_HUGEPAGE);
#endif
  return memory;
}

}  // namespace fusebox
