// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/blocking.h"

#include <algorithm>

namespace fusebox {
namespace {

constexpr int64_t kFewRows = 6;
constexpr int64_t kStreams = 8;              // More than that no processor follows well.
constexpr int64_t kBlock = 128;              // Of k, for many rows: a panel of B takes 8 KiB then.
constexpr int64_t kScattered = 64;           // Rows of A, here and there, from which on they are read from a copy.
constexpr int64_t kNear = 256 * 1024;        // Bytes of B that need no care: they stay in the second-level cache.
constexpr int64_t kCopyOfA = 96 * 1024;      // Bytes of a block of A: a part of a second-level cache,
constexpr int64_t kRowsOfA = 64 * 1024;      // and of its rows over all of k.
constexpr int64_t kSumsInCache = 16 * 1024;  // Bytes of sums: half of a first-level cache.

}  // namespace

Blocking ChooseBlocking(int64_t m, int64_t n, int64_t k, Layout of_b, DType dtype, bool scattered_a) {
  const int64_t element = SizeOf(dtype);
  if (m <= 0 || n <= 0 || k <= 0) return {};
  if (of_b == Layout::kPanels) {
    // B is one stream already. Rows of A stay in the second-level cache while all panels go over them.
    return {.rows = m * k * element > 2 * kRowsOfA ? std::max<int64_t>(kRowsOfA / (k * element), 1) : 0};
  }
  if (scattered_a && k >= kScattered && k < 2 * kBlock) return {.k = k, .rows = kCopyOfA / (k * element)};
  if (n * k * element <= kNear) return {};
  if (m <= kFewRows) {
    if (k <= kStreams) return {};
    return {.k = kStreams, .columns = kSumsInCache / (element * m)};
  }
  if (k < 2 * kBlock) return {};
  return {.k = kBlock, .rows = kCopyOfA / (kBlock * element)};
}

int64_t PartialSums(int64_t m, int64_t n) { return m * (n + kWidestTile); }

}  // namespace fusebox
