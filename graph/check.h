// SPDX-License-Identifier: Apache-2.0
// Check: for invariants that only fusebox itself can break. What a caller, a file or a plugin can get wrong is an
// absl::Status.
#pragma once
#include <source_location>
#include <string_view>

namespace fusebox {

// Prints the message and the line on stderr, and aborts.
[[noreturn]] void CheckFailed(std::string_view message, std::source_location where);

// Aborts with the message unless the condition holds.
inline void Check(bool condition, std::string_view message,
                  std::source_location where = std::source_location::current()) {
  if (!condition) [[unlikely]]
    CheckFailed(message, where);
}

}  // namespace fusebox
