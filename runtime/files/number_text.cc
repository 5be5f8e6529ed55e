// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/number_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <system_error>

#include "fmt/format.h"

namespace fusebox {

std::string PythonRepr(double value) {
  if (std::isnan(value)) return "nan";
  std::string text = fmt::format("{}", value);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";  // fmt prints 1, Python 1.0.
  return text;
}

namespace {

// Whether a decimal number is 1 or more, by the place of its first digit that is not 0.
bool IsLarge(std::string_view text) {
  const size_t e = std::min(text.find_first_of("eE"), text.size());
  const std::string_view digits = text.substr(0, e);
  const size_t first = digits.find_first_of("123456789"), point = std::min(digits.find('.'), digits.size());
  if (first == std::string_view::npos) return false;
  const int64_t place = first < point ? int64_t(point - first) - 1 : int64_t(point) - int64_t(first);
  std::string_view exponent_text = text.substr(std::min(e + 1, text.size()));
  if (exponent_text.starts_with('+')) exponent_text.remove_prefix(1);
  int64_t exponent = 0;
  const std::errc error =
      std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent).ec;
  if (error == std::errc::result_out_of_range) return !exponent_text.starts_with('-');
  return exponent >= -place;
}

}  // namespace

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
  // What no double holds is infinite or zero, as Python reads it.
  const double limit = IsLarge(text) ? INFINITY : 0;
  return text.starts_with('-') ? -limit : limit;
}

}  // namespace fusebox
