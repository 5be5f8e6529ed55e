// SPDX-License-Identifier: Apache-2.0
// Memory for arrays.
#pragma once
#include <cstddef>

namespace fusebox {

// At least `bytes` bytes aligned to 64, a cache line and a vector; the content is anything. From 1 MiB on in huge pages
// where the system has them: rows of a data set are read in an order that jumps, and each jump would miss the
// processor's table of 4 KiB pages. nullptr if there is no memory. std::free frees it.
void* AllocateAligned(size_t bytes);

}  // namespace fusebox
