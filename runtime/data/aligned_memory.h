// SPDX-License-Identifier: Apache-2.0
// Memory for arrays.
#pragma once
#include <cstddef>

namespace fusebox {

// Allocates at least `bytes` bytes, aligned to 64 (a cache line, and a vector) and not initialized; std::free frees
// them. nullptr if there is no memory, or if the system has promised
// what it has. From 1 MiB on the memory has huge pages where the system supports them: rows of
// a data set are read in random order, and with 4 KiB pages each row would miss the TLB.
void* AllocateAligned(size_t bytes);

}  // namespace fusebox
