// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/fit/shuffle.h"

#include <numeric>
#include <utility>

#include "fusebox/graph/philox.h"

namespace fusebox {
namespace {

// The streams of a program's nodes count from 0, so no node has this one.
constexpr int64_t kShuffleStream = -1;

// A sequence of random words.
class Words {
 public:
  Words(int64_t seed, int64_t epoch) : seed_(seed), epoch_(epoch) {}

  uint32_t Next() {
    if (used_ == 4) {
      words_ = RandomWords(seed_, epoch_, kShuffleStream, block_++);
      used_ = 0;
    }
    return words_[used_++];
  }

  // Uniform in [0, end): the upper half of word * end. Words that would make some numbers likelier are drawn again.
  uint32_t Below(uint32_t end) {
    uint64_t product = uint64_t{Next()} * end;
    if (uint32_t(product) < end) {
      const uint32_t unfair = -end % end;
      while (uint32_t(product) < unfair) product = uint64_t{Next()} * end;
    }
    return uint32_t(product >> 32);
  }

 private:
  int64_t seed_, epoch_;
  uint64_t block_ = 0;
  PhiloxCounter words_ = {};
  int used_ = 4;
};

}  // namespace

void FillInOrder(std::span<int32_t> order) { std::iota(order.begin(), order.end(), 0); }

void FillShuffled(std::span<int32_t> order, int64_t seed, int64_t epoch) {
  FillInOrder(order);
  Words words(seed, epoch);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[words.Below(uint32_t(i))]);
}

}  // namespace fusebox
