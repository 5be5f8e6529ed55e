// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/data/arrays.h"

#include <algorithm>

#include "fusebox/graph/status.h"

namespace fusebox {

Arrays::Arrays(Tensor one) { all_.push_back({"", std::move(one)}); }
Arrays::Arrays(std::vector<Tensor> in_order) {
  for (Tensor& array : in_order) all_.push_back({"", std::move(array)});
}
Arrays::Arrays(std::initializer_list<std::pair<std::string, Tensor>> named) {
  for (const auto& [name, value] : named) all_.push_back({name, value});
}

const Tensor& Arrays::operator[](std::string_view name) const {
  static const Tensor none;
  const auto it = std::ranges::find(all_, name, &NamedTensor::name);
  return it != all_.end() ? it->value : none;
}

absl::StatusOr<std::vector<Tensor>> Arrays::InOrder(const std::vector<std::string>& names, const std::string& model,
                                                    const char* what, std::string_view alias) const {
  const auto expected = [&] {
    return fmt::format("model '{}' has {} {}{}: {}", model, names.size(), what, names.size() == 1 ? "" : "s",
                       QuotedNames(names));
  };
  std::vector<Tensor> ordered;
  if (std::ranges::all_of(all_, [](const NamedTensor& array) { return array.name.empty(); })) {
    if (all_.size() != names.size()) {
      return Refuse("{}; got {} array{}", expected(), all_.size(), all_.size() == 1 ? "" : "s");
    }
    for (const NamedTensor& array : all_) ordered.push_back(array.value);
    return ordered;
  }
  if (names.size() == 1 && all_.size() == 1 && all_[0].name == alias) return std::vector<Tensor>{all_[0].value};
  std::vector<std::string> given;
  for (const NamedTensor& array : all_) given.push_back(array.name);
  for (const std::string& name : names) {
    const auto same = [&](const NamedTensor& array) { return array.name == name; };
    if (std::ranges::count_if(all_, same) == 1) ordered.push_back(std::ranges::find_if(all_, same)->value);
  }
  if (ordered.size() == names.size() && all_.size() == names.size()) return ordered;
  if (names.size() > 1) return Refuse("{}; given are {}", expected(), QuotedNames(given));
  return Refuse("model '{}' has the {} '{}' (or '{}'), given are {}", model, what, names[0], alias, QuotedNames(given));
}

std::string QuotedNames(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += fmt::format("{}'{}'", text.empty() ? "" : ", ", name);
  return text.empty() ? "none" : text;
}

}  // namespace fusebox
