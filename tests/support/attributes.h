// SPDX-License-Identifier: Apache-2.0
// Attributes of nodes that tests make.
#pragma once
#include <map>
#include <string>

#include "fusebox/graph/attributes.h"

namespace fusebox::testing {

inline AttributeMap With(std::map<std::string, AttributeValue> values) {
  AttributeMap map;
  for (auto& [name, value] : values) map.Set(name, value);
  return map;
}

}  // namespace fusebox::testing
