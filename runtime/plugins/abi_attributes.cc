// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/plugins/abi_attributes.h"

namespace fusebox {

AbiAttributes::AbiAttributes(const PluginItem& item, const ItemAttributes& from) {
  for (const AttributeInfo& info : item.attributes) {
    FbAttribute a = {sizeof a, info.type, info.name.c_str(), 0, 0, "", nullptr, 0};
    const auto given = from.find(info.name);
    if (given == from.end()) continue;  // An optional one.
    const AttributeValue& value = given->second;
    if (const bool* v = std::get_if<bool>(&value)) a.integer = *v;
    if (const int64_t* v = std::get_if<int64_t>(&value)) a.integer = *v;
    if (const double* v = std::get_if<double>(&value)) a.real = *v;
    if (const std::string* v = std::get_if<std::string>(&value)) a.string = v->c_str();
    if (const Ints* v = std::get_if<Ints>(&value)) {
      a.ints = v->data();
      a.ints_count = v->size();
    }
    all_.push_back(a);
  }
}

}  // namespace fusebox
