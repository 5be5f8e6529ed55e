// SPDX-License-Identifier: Apache-2.0
// The machine that code is generated for, as schedules, plans and emitters see it. native/machine.h fills it in from
// what LLVM and the operating system know.
#pragma once
#include <cstdint>

namespace fusebox {

// Sizes of the data caches in bytes, each level at least as large as the one before. Schedules depend on them, results
// do not.
struct CacheSizes {
  int64_t l1d = int64_t{32} << 10;  // Of one core.
  int64_t l2 = int64_t{512} << 10;  // Of one core, or of a few.
  int64_t l3 = int64_t{8} << 20;    // Of all cores that share it; equals l2 where there is no third level.
  bool operator==(const CacheSizes&) const = default;
};

struct Target {
  int64_t vector_bytes = 16;  // 16 SSE2 and NEON, 32 AVX2, 64 AVX-512.
  int64_t registers = 16;     // Vector registers.
  bool fma = false;
  CacheSizes caches;
};

}  // namespace fusebox
