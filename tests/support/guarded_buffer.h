// SPDX-License-Identifier: Apache-2.0
// Memory for tests of generated code. It ends where an inaccessible page begins, and another such page precedes it, so
// that an access of a single byte beyond the end faults, at full speed and without instrumentation.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace fusebox::testing {

//     | no access | 0xFF ... 0xFF | data | no access |
//                 ^ page           ^ exact size ^ page
class GuardedBuffer {
 public:
  // Filled with 0xFF, which is NaN in every float dtype and -1 in every signed one.
  explicit GuardedBuffer(size_t bytes);
  ~GuardedBuffer();
  GuardedBuffer(GuardedBuffer&& other) noexcept;
  GuardedBuffer& operator=(GuardedBuffer&&) = delete;

  std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data_);
  }
  void Fill(std::span<const std::byte> bytes);  // Of the buffer's size.
  // Whether the bytes between the front page and the data are unchanged.
  bool FrontUntouched() const;

 private:
  std::byte* map_ = nullptr;
  size_t map_size_ = 0, size_ = 0;
  std::byte* data_ = nullptr;
};

}  // namespace fusebox::testing
