// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/data/aligned_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

namespace fusebox {
namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kLarge = size_t{1} << 20;

// What the system can still give: more would be promised, and the process killed when it uses it. Asked only before
// arrays that are large.
bool IsThere(size_t bytes) {
  constexpr size_t kAsked = size_t{1} << 30;
  if (bytes < kAsked) return true;
  std::ifstream file("/proc/meminfo");
  size_t available = 0;
  for (std::string key, unit; file >> key;) {
    size_t kilobytes = 0;
    if (!(file >> kilobytes)) break;
    std::getline(file, unit);
    if (key == "MemAvailable:" || key == "SwapFree:") available += kilobytes << 10;
  }
  return available == 0 || bytes <= available;  // Where nothing is said, nothing is known against it.
}

}  // namespace

void* AllocateAligned(size_t bytes) {
  if (!IsThere(bytes)) return nullptr;
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
