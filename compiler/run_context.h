// SPDX-License-Identifier: Apache-2.0
// What the threads of one run share: the struct through which callers, compiled programs and the barrier talk.
//
// Compiled programs read and write its fields by their offsets, so it is plain data with a fixed layout. It sees
// nothing of ours, and everything may see it.
#pragma once
#include <atomic>
#include <cstdint>
#include <type_traits>

namespace fusebox {

class Profile;

struct RunContext {
  void* const* ports = nullptr;  // One array for each port, in order, each aligned as its dtype needs.
  void* arena = nullptr;         // Executable::arena_bytes() bytes, aligned to 64; the content does not matter.
  int64_t threads = 1;           // How many threads enter, with ids 0 .. threads - 1.
  int64_t first_step = 0;        // Runs steps first_step, first_step + 1, ...,
  int64_t steps = 0;             // at most this many,
  int64_t batch = 0;             // each of this many rows, at most Executable::row_capacity(),
  int64_t rows = 0;              // but the last one ends at row `rows`.
  // Bit 0: the arena still holds states packed in panels (matrix_layout.h), as an earlier run of this program left
  // them, and their arrays have not changed since. Bit 1: leave them packed, and their arrays as they were. A run of no
  // steps with bit 0 alone unpacks them.
  int64_t states_are_packed = 0;
  const std::atomic<uint32_t>* yield = nullptr;  // Polled once a step: not 0 ends the run after that step. May be null.
  int64_t steps_done = 0;                        // Written by thread 0.
  Profile* profile = nullptr;                    // Not null for a program compiled with CompileOptions::profile.
  uint32_t stop[2] = {0, 0};                     // Thread 0's verdict after even and odd steps, for all threads.
  int64_t heeds_late = 0;                        // Not 0: `late` ends the run after the step, too.
  // Set when all threads waited for one that had lost its core to another process.
  std::atomic<uint32_t> late = 0;
  alignas(64) std::atomic<uint32_t> arrived = 0;  // The barrier: how many threads have reached it.
  std::atomic<int64_t> asleep_since = 0;  // When the first waiting thread fell asleep, in nanoseconds; 0: none did.
  alignas(64) std::atomic<uint32_t> generation = 0;
};
static_assert(std::is_standard_layout_v<RunContext>, "compiled programs find fields by their offsets");

}  // namespace fusebox
