// SPDX-License-Identifier: Apache-2.0
// A reference to a plugin's item with attributes: a layer in a model's description, an optimizer, a loss.
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

using ItemAttributes = std::map<std::string, AttributeValue, std::less<>>;

struct ItemSpec {
  // "dense", "acme/gated" or "acme/gated@1". A bare name means fusebox/name, else the only plugin item so named.
  std::string id;
  ItemAttributes
      attributes;  // Those given; the item's schema has the rest. A reference to another item is its text form.

  bool operator==(const ItemSpec&) const = default;
};

// The text form "name" or "name:key=value,key=value". Values: true, false, integers, numbers, [1;2;3] for lists, else
// strings; a string with , = : or blanks stands in single quotes. Error: what was found where.
absl::StatusOr<ItemSpec> ParseItemSpec(std::string_view text);
std::string Print(const ItemSpec& spec);

}  // namespace fusebox
