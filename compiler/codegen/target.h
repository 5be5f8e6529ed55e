// SPDX-License-Identifier: Apache-2.0
// What the emitters know of the machine that they write code for. No LLVM header is needed to see it.
#pragma once
#include <cstdint>

#include "fusebox/compiler/native/cache_sizes.h"

namespace fusebox::codegen {

struct Target {
  int64_t vector_bytes = 16;  // 16 SSE2 and NEON, 32 AVX2, 64 AVX-512.
  int64_t registers = 16;     // Vector registers.
  bool fma = false;
  CacheSizes caches;
};

}  // namespace fusebox::codegen
