// SPDX-License-Identifier: Apache-2.0
// Random choices that are the same for the same seed, on every machine.
#pragma once
#include <cstdint>
#include <random>
#include <vector>

namespace fusebox::testing {

// The standard's engines give the same numbers everywhere, its distributions do not.
class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed * 0x9E3779B97F4A7C15 + 1) {}
  size_t Below(size_t n) { return size_t(engine_() % n); }
  bool Chance(int percent) { return Below(100) < size_t(percent); }
  double Unit() { return double(engine_() >> 11) * 0x1p-53; }
  template <class T>
  const T& Pick(const std::vector<T>& from) {
    return from[Below(from.size())];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace fusebox::testing
