// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/number_text.h"

#include <charconv>
#include <cmath>

#include "fmt/format.h"

namespace fusebox {

std::string PythonRepr(double value) {
  if (std::isnan(value)) return "nan";
  std::string text = fmt::format("{}", value);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";  // fmt prints 1, Python 1.0.
  return text;
}

std::optional<double> ParseNumber(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc()) return value;
  if (error != std::errc::result_out_of_range) return std::nullopt;
  // What no double holds is infinite, or zero where the exponent is negative, as Python reads it.
  const size_t exponent = text.find_first_of("eE");
  const bool small = exponent != std::string_view::npos ? text.substr(exponent + 1).starts_with('-')
                                                        : text.starts_with("0.") || text.starts_with("-0.");
  const double limit = small ? 0 : INFINITY;
  return text.starts_with('-') ? -limit : limit;
}

}  // namespace fusebox
