// SPDX-License-Identifier: Apache-2.0
// The order of the samples in an epoch.
#pragma once
#include <cstdint>
#include <span>

namespace fusebox {

// 0, 1, 2, ...
void FillInOrder(std::span<int32_t> order);

// A permutation of 0 .. order.size() - 1. It depends on the seed, the epoch and the size alone; all permutations are
// equally likely. Source: Durstenfeld (1964), Algorithm 235: Random permutation; the bounded numbers after Lemire
// (2019), Fast random integer generation in an interval.
void FillShuffled(std::span<int32_t> order, int64_t seed, int64_t epoch);

}  // namespace fusebox
