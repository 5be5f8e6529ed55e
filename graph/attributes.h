// SPDX-License-Identifier: Apache-2.0
// The attributes of a node: numbers, strings and lists that are part of what it means, by name.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace fusebox {

// What an attribute may hold.
using Ints = std::vector<int64_t>;
using AttributeValue = std::variant<bool, int64_t, double, std::string, Ints>;

// A node's attributes by name, in alphabetical order, so that printing has one result.
class AttributeMap {
 public:
  // Adds an attribute, or replaces it; finds one, or returns nullptr.
  void Set(std::string name, AttributeValue value) { values_[std::move(name)] = std::move(value); }
  const AttributeValue* Find(std::string_view name) const;
  // The value, or its type's zero if there is none: the verifier has checked that required ones exist.
  bool Flag(std::string_view name) const;
  int64_t Int(std::string_view name) const;
  double Float(std::string_view name) const;
  const std::string& String(std::string_view name) const;
  const Ints& List(std::string_view name) const;

  bool operator==(const AttributeMap&) const = default;
  // Pairs of a name and a value.
  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }

 private:
  std::map<std::string, AttributeValue, std::less<>> values_;
};

}  // namespace fusebox
