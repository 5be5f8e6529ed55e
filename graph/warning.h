// SPDX-License-Identifier: Apache-2.0
// Lines on stderr; above all warnings, for what goes on but not as the user may expect.
#pragma once
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "fmt/format.h"
#include "fusebox/graph/printable.h"

namespace fusebox {

// Prints a line on stderr. Does nothing if stderr takes no more.
inline void PrintError(std::string_view line) { std::fputs((Printable(line) + "\n").c_str(), stderr); }

// Prints "fusebox: warning: 'm.keras': ..." on stderr.
template <class... Args>
void Warn(fmt::format_string<Args...> format, Args&&... args) {
  PrintError("fusebox: warning: " + fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace fusebox
