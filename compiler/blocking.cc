// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/blocking.h"

namespace fusebox {
namespace {

constexpr int64_t kFewRows = 6;
constexpr int64_t kStreams = 8;              // More than that no processor follows well.
constexpr int64_t kBlock = 128;              // Of k, for many rows: a panel of B takes 8 KiB then.
constexpr int64_t kNear = 256 * 1024;        // Bytes of B that need no care: they stay in the second-level cache.
constexpr int64_t kSumsInCache = 16 * 1024;  // Bytes of sums: half of a first-level cache.

}  // namespace

Blocking ChooseBlocking(int64_t m, int64_t n, int64_t k, Layout of_b, DType dtype) {
  // In panels, B is one stream.
  if (m <= 0 || n <= 0 || of_b == Layout::kPanels || n * k * SizeOf(dtype) <= kNear) return {};
  if (m <= kFewRows) {
    if (k <= kStreams) return {};
    return {.k = kStreams, .columns = kSumsInCache / (SizeOf(dtype) * m)};
  }
  return {.k = k < 2 * kBlock ? 0 : kBlock};
}

int64_t PartialSums(int64_t m, int64_t n) { return m * (n + kWidestTile); }

}  // namespace fusebox
