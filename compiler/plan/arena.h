// SPDX-License-Identifier: Apache-2.0
// Places blocks in the arena: first fit, in the order of the phases in which they begin to be used.
//
//     offset     phase 0   1   2   3
//       0           [ a      ][ c      ]         c takes the place of a, which is used in phases 0 and 1
//     256               [ b      ][ d  ]
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace fusebox {

class Arena {
 public:
  // If guard_bytes is not 0, no blocks share memory, and guard_bytes unused bytes follow each block.
  explicit Arena(int64_t guard_bytes) : guard_bytes_(guard_bytes) {}

  // Reserves memory for the program's lifetime. Call before any Take.
  int64_t Keep(int64_t bytes);

  struct Block {
    int64_t offset, size, last;  // The last phase in which it is in use.
  };
  // Reserves a block for the phases from `first` to `last`, and returns its number. `first` never falls from one call
  // to the next.
  size_t Take(int64_t bytes, int64_t first, int64_t last);
  // Keeps a block in use until phase `last`.
  void Extend(size_t block, int64_t last);
  const Block& operator[](size_t block) const { return blocks_[block]; }

  int64_t bytes() const { return bytes_; }  // Of the whole arena.
  const std::vector<int64_t>& guards() const { return guards_; }

  // Blocks are whole cache lines.
  static int64_t RoundUp(int64_t bytes);

 private:
  int64_t Guarded(int64_t bytes);
  int64_t FirstFit(int64_t size);
  void FreeUntil(int64_t phase);
  void Free(const Block& block);

  const int64_t guard_bytes_;
  int64_t bytes_ = 0, kept_bytes_ = 0;
  std::vector<int64_t> guards_;
  std::vector<Block> blocks_;
  std::map<int64_t, std::vector<size_t>> ending_;  // Blocks by the last phase that they were said to be used in.
  std::map<int64_t, int64_t> gaps_;                // Between blocks in use: sizes by offset.
  int64_t end_ = 0;                                // Of the last block in use.
};

}  // namespace fusebox
