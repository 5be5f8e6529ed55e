// SPDX-License-Identifier: Apache-2.0
// Warnings, for what goes on but not as the user may expect.
#pragma once
#include <cstdio>
#include <utility>

#include "fmt/format.h"
#include "fusebox/graph/printable.h"

namespace fusebox {

// Prints one line on stderr, "fusebox: warning: 'm.keras': ...".
template <class... Args>
void Warn(fmt::format_string<Args...> format, Args&&... args) {
  const std::string text = fmt::format(format, std::forward<Args>(args)...);
  fmt::print(stderr, "fusebox: warning: {}\n", Printable(text));
}

}  // namespace fusebox
