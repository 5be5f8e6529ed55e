// SPDX-License-Identifier: Apache-2.0
// Numbers as text, whatever the locale.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace fusebox {

// As Python's repr prints a float: the shortest text that reads back to the same number. 0.01, 1.0, 1e-07, nan, -inf.
std::string PythonRepr(double value);

// Parses the whole text as a number: decimal or scientific, with a sign, inf, nan. What is too large or too small for a
// double is infinite or 0, as in Python. nullopt for anything else.
std::optional<double> ParseNumber(std::string_view text);

}  // namespace fusebox
