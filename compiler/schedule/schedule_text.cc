// SPDX-License-Identifier: Apache-2.0
// Shapes and schedules of products as text, and back.
#include <algorithm>
#include <charconv>
#include <map>

#include "absl/strings/str_split.h"
#include "fmt/format.h"
#include "fusebox/compiler/schedule/product_schedule.h"

namespace fusebox {
namespace {

std::optional<int64_t> Number(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

}  // namespace

std::string ToString(const ProductShape& shape) {
  constexpr const char* kLayouts[] = {"", " padded", " in panels"};
  const Shape a = shape.transposed ? Shape{shape.k, shape.m} : Shape{shape.m, shape.k};
  std::string text = fmt::format("{} {}{}{} {}{}", Name(shape.dtype), ToString(a), shape.transposed ? "T" : "",
                                 shape.rows_of_data ? " of a data set" : kLayouts[size_t(shape.layout_of_a)],
                                 ToString(Shape{shape.k, shape.n}), kLayouts[size_t(shape.layout_of_b)]);
  if (shape.in_panels && shape.layout_of_b != Layout::kPanels) text += " to panels";
  if (std::min({shape.m, shape.k, shape.n}) < 0) text += fmt::format(", N = {}", shape.rows);
  if (shape.tile_rows != 0) text += fmt::format(", tiles of {} rows", shape.tile_rows);
  return text;
}

std::string ToString(const ProductSchedule& schedule) {
  std::string text = fmt::format("tile={}x{}", schedule.tile_rows, schedule.tile_vectors);
  for (const auto& [name, value] :
       {std::pair("k", schedule.k), std::pair("rows", schedule.rows), std::pair("columns", schedule.columns),
        std::pair("a", int64_t(schedule.copies_a)), std::pair("b", schedule.copied_panels)}) {
    if (value != 0) text += fmt::format(" {}={}", name, value);
  }
  return text;
}

std::optional<ProductSchedule> ParseProductSchedule(std::string_view text) {
  ProductSchedule schedule;
  int64_t a = 0;
  const std::map<std::string_view, int64_t*> numbers = {{"k", &schedule.k},
                                                        {"rows", &schedule.rows},
                                                        {"columns", &schedule.columns},
                                                        {"a", &a},
                                                        {"b", &schedule.copied_panels}};
  for (const std::string& word :
       std::vector<std::string>(absl::StrSplit(absl::string_view(text.data(), text.size()), ' '))) {
    const size_t equals = word.find('='), x = word.find('x', equals == std::string::npos ? 0 : equals);
    if (equals == std::string::npos) return std::nullopt;
    const std::string_view name = std::string_view(word).substr(0, equals),
                           value = std::string_view(word).substr(equals + 1);
    if (name == "tile" && x != std::string::npos) {
      const auto rows = Number(value.substr(0, x - equals - 1)), vectors = Number(value.substr(x - equals));
      if (!rows || !vectors) return std::nullopt;
      schedule.tile_rows = *rows, schedule.tile_vectors = *vectors;
      continue;
    }
    const auto at = numbers.find(name);
    const std::optional<int64_t> number = Number(value);
    if (at == numbers.end() || !number) return std::nullopt;
    *at->second = *number;
  }
  schedule.copies_a = a != 0;
  // Only the form that ToString writes is taken.
  return ToString(schedule) == text ? std::optional(schedule) : std::nullopt;
}

const char* Name(ScheduleOrigin origin) {
  constexpr const char* kNames[] = {"model", "search", "given"};
  return kNames[size_t(origin)];
}

}  // namespace fusebox
