// SPDX-License-Identifier: Apache-2.0
// A reference to a plugin's item with attributes: a layer in a model's description, an optimizer, a loss.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"
#include "fusebox/graph/value.h"

namespace fusebox {

// A C++ function of the user's as an item. A layer's returns y; a loss's gets {y_true, y_pred} and returns one loss per
// sample; a metric's returns the numbers whose running mean is logged.
using ItemFunction = std::function<Value(const Values& inputs)>;

// Attributes by name.
using ItemAttributes = std::map<std::string, AttributeValue, std::less<>>;

// An item and its attributes: "sgd:learning_rate=0.1" as data.
struct ItemSpec {
  // "dense", "acme/gated" or "acme/gated@1". A bare name means fusebox/name, else the only plugin item so named.
  std::string id;
  ItemAttributes
      attributes;  // Those given; the schema has defaults for the rest. Another item is referred to by its text form.
  // The function of an item that no plugin provides: see FunctionItem.
  std::shared_ptr<const ItemFunction> function = {};
  // Why an item of a file cannot be used; empty: nothing is known against it. Nothing but a program that needs the item
  // is refused for it.
  std::string problem = {};
  // As the item stood in a Keras file, JSON. So it is written again if it cannot be used. Not compared.
  std::shared_ptr<const std::string> keras_json = {};

  // Whether both describe the same item. Compares all but keras_json.
  bool operator==(const ItemSpec& other) const {
    return id == other.id && attributes == other.attributes && function == other.function && problem == other.problem;
  }
};

// The text form "name" or "name:key=value,key=value". Values: true, false, integers, numbers, [1;2;3] for lists of
// integers or numbers, else strings; a string with , = : or blanks stands in single quotes. Error: what was found
// where.
absl::StatusOr<ItemSpec> ParseItemSpec(std::string_view text);
std::string Print(const ItemSpec& spec);

// The item that a function is, "function/lambda@1", "function/loss@1" or "function/metric@1". Its attribute `called` is
// the name, if it has one; `key` tells it from all others, so that the symbols that it writes can be kept (see
// runtime/expand/): a file holds no C++.
ItemSpec FunctionItem(const char* what, std::string name, ItemFunction function, std::source_location where);
inline bool IsFunction(const ItemSpec& item) { return item.id.starts_with("function/"); }
inline bool IsMetricFunction(const ItemSpec& item) { return item.id == "function/metric@1"; }

// The attribute's text; null if the attribute is not given or is no text.
const std::string* TextAttribute(const ItemSpec& item, std::string_view name);

// A list of numbers in the form that attributes have, "[0.5;0.001]", and back; nullopt for other texts.
std::string NumbersText(const std::vector<double>& numbers);
std::optional<std::vector<double>> ParseNumbers(std::string_view text);

}  // namespace fusebox
