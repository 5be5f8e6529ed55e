// SPDX-License-Identifier: Apache-2.0
// Philox4x32-10: four random words from a counter and a key, without state, so that any element can be computed again
// anywhere.
// Source: Salmon, Moraes, Dror, Shaw (2011), Parallel random numbers: as easy as 1, 2, 3; the Random123 library.
#pragma once
#include <array>
#include <cstdint>

namespace fusebox {

using PhiloxCounter = std::array<uint32_t, 4>;
using PhiloxKey = std::array<uint32_t, 2>;

constexpr PhiloxCounter Philox4x32(PhiloxCounter counter, PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * counter[0], p1 = uint64_t{0xCD9E8D57} * counter[2];
    counter = {uint32_t(p1 >> 32) ^ counter[1] ^ key[0], uint32_t(p1), uint32_t(p0 >> 32) ^ counter[3] ^ key[1],
               uint32_t(p0)};
    key = {key[0] + 0x9E3779B9, key[1] + 0xBB67AE85};
  }
  return counter;
}

// The four words behind element i of a `random_uniform` node.
constexpr PhiloxCounter RandomWords(int64_t seed, int64_t step, int64_t stream, uint64_t i) {
  return Philox4x32({uint32_t(i), uint32_t(i >> 32), uint32_t(step), uint32_t(stream)},
                    {uint32_t(seed), uint32_t(uint64_t(seed) >> 32)});
}
// Uniform in [0, 1): the first 24 bits, and the first 53.
constexpr float UniformF32(const PhiloxCounter& words) { return float(words[0] >> 8) * 0x1p-24f; }
constexpr double UniformF64(const PhiloxCounter& words) {
  return (double(words[0] >> 5) * 0x1p26 + double(words[1] >> 6)) * 0x1p-53;
}

}  // namespace fusebox
