// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/attributes.h"

namespace fusebox {
namespace {

template <class T>
const T& Get(const AttributeMap& map, std::string_view name) {
  static const T kNone{};
  const AttributeValue* value = map.Find(name);
  const T* typed = value != nullptr ? std::get_if<T>(value) : nullptr;
  return typed != nullptr ? *typed : kNone;
}

}  // namespace

const AttributeValue* AttributeMap::Find(std::string_view name) const {
  const auto it = values_.find(name);
  return it != values_.end() ? &it->second : nullptr;
}
bool AttributeMap::Flag(std::string_view name) const { return Get<bool>(*this, name); }
int64_t AttributeMap::Int(std::string_view name) const { return Get<int64_t>(*this, name); }
double AttributeMap::Float(std::string_view name) const { return Get<double>(*this, name); }
const std::string& AttributeMap::String(std::string_view name) const { return Get<std::string>(*this, name); }
const Ints& AttributeMap::List(std::string_view name) const { return Get<Ints>(*this, name); }

}  // namespace fusebox
