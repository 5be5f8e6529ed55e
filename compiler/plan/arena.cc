// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/plan/arena.h"

#include <algorithm>
#include <iterator>

#include "fusebox/graph/check.h"

namespace fusebox {

int64_t Arena::RoundUp(int64_t bytes) {
  constexpr int64_t kLine = 64;
  return (bytes + kLine - 1) / kLine * kLine;
}

int64_t Arena::Keep(int64_t bytes) {
  Check(blocks_.empty(), "what is kept comes first in the arena");
  const int64_t size = RoundUp(bytes);
  int64_t offset = kept_bytes_;
  kept_bytes_ += size;
  if (guard_bytes_ > 0) {
    offset = Guarded(bytes);
  } else {
    bytes_ = end_ = kept_bytes_;
  }
  return offset;
}

size_t Arena::Take(int64_t bytes, int64_t first, int64_t last) {
  const int64_t size = RoundUp(bytes);
  if (guard_bytes_ > 0) {
    blocks_.push_back({Guarded(bytes), size, last});
    return blocks_.size() - 1;
  }
  FreeUntil(first);
  blocks_.push_back({FirstFit(size), size, last});
  ending_[last].push_back(blocks_.size() - 1);
  bytes_ = std::max(bytes_, end_);
  return blocks_.size() - 1;
}

void Arena::Extend(size_t block, int64_t last) { blocks_[block].last = std::max(blocks_[block].last, last); }

// Reserves memory that ends where a guard begins. It is aligned only as its elements need.
int64_t Arena::Guarded(int64_t bytes) {
  const int64_t end = (bytes_ + bytes + guard_bytes_ - 1) / guard_bytes_ * guard_bytes_;
  guards_.push_back(end);
  bytes_ = end + guard_bytes_;
  return end - bytes;
}

int64_t Arena::FirstFit(int64_t size) {
  for (auto gap = gaps_.begin(); gap != gaps_.end(); ++gap) {
    const auto [offset, length] = *gap;
    if (length < size) continue;
    gaps_.erase(gap);
    if (length > size) gaps_[offset + size] = length - size;
    return offset;
  }
  end_ += size;
  return end_ - size;
}

void Arena::FreeUntil(int64_t phase) {
  while (!ending_.empty() && ending_.begin()->first < phase) {
    const std::vector<size_t> ended = std::move(ending_.begin()->second);
    ending_.erase(ending_.begin());
    for (const size_t block : ended) {
      if (blocks_[block].last >= phase) {
        ending_[blocks_[block].last].push_back(block);
      } else {
        Free(blocks_[block]);
      }
    }
  }
}

void Arena::Free(const Block& block) {
  int64_t begin = block.offset, end = block.offset + block.size;
  const auto after = gaps_.lower_bound(begin);
  if (after != gaps_.begin()) {
    if (const auto before = std::prev(after); before->first + before->second == begin) {
      begin = before->first;
      gaps_.erase(before);
    }
  }
  if (after != gaps_.end() && after->first == end) {
    end += after->second;
    gaps_.erase(after);
  }
  if (end == end_) {
    end_ = begin;
  } else {
    gaps_[begin] = end - begin;
  }
}

}  // namespace fusebox
