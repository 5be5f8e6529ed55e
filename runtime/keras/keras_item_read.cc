// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/keras/keras_item_read.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/files/number_text.h"

namespace fusebox {
namespace {

// Whether a member says nothing about an attribute: what Keras writes for every item, or a default.
bool SaysNothing(const std::string& key, const Json& value) {
  if (value.is_null() || key == "name" || key == "dtype" || key == "trainable" || key == "autocast") return true;
  if (key == "data_format") return value == "channels_last";
  if (key == "exclude_layers") return value.is_array() && value.empty();  // Muon's.
  if (key == "reduction") return value == "sum_over_batch_size";
  for (const char* unknown : {"use_ema", "renorm", "synchronized", "rms_scaling"}) {
    if (key == unknown) return value == false;
  }
  return key == "renorm_momentum";  // Without renorm it has no meaning.
}

// Keras keeps settings as float32 and writes them as doubles. The shortest number with the same float32 is what was
// meant: 0.01 for 0.009999999776482582.
double ShortestOfFloat32(double value) {
  const float narrow = static_cast<float>(value);
  if (double(narrow) != value) return value;
  return ParseNumber(fmt::format("{}", narrow)).value_or(value);
}

absl::StatusOr<AttributeValue> ListFromJson(const Json& list, const std::string& who) {
  const bool integers = std::ranges::all_of(list, [](const Json& v) { return v.is_number_integer(); });
  if (!integers && std::ranges::all_of(list, [](const Json& v) { return v.is_number(); })) {
    std::vector<double> numbers;
    for (const Json& value : list) numbers.push_back(ShortestOfFloat32(value.get<double>()));
    return NumbersText(numbers);
  }
  Ints values;
  for (const Json& value : list) {
    if (!value.is_number_integer() && !value.is_null())
      return Refuse("{}: a list of numbers expected, got {}", who, Excerpt(list));
    values.push_back(value.is_null() ? -1 : value.get<int64_t>());  // In a shape: any size.
  }
  return values;
}

// A list of lists: its numbers, and the sizes of the lists. Error: lists of unequal lengths.
absl::Status ArrayFromJson(const Json& list, size_t depth, const std::string& who, std::vector<double>& numbers,
                           Ints& shape) {
  if (list.is_array() && shape.size() == depth && numbers.empty()) shape.push_back(int64_t(list.size()));
  const bool fits = list.is_array() ? depth < shape.size() && shape[depth] == int64_t(list.size())
                                    : list.is_number() && depth == shape.size();
  if (!fits) return Refuse("{}: a number or a regular array of numbers expected, got {}", who, Excerpt(list));
  if (!list.is_array()) {
    numbers.push_back(ShortestOfFloat32(list.get<double>()));
    return absl::OkStatus();
  }
  for (const Json& each : list) FUSEBOX_RETURN_IF_ERROR(ArrayFromJson(each, depth + 1, who, numbers, shape));
  return absl::OkStatus();
}

// What Keras has packed: a tuple, or an array of NumPy or of a backend. Null if it is none of these.
const Json& Unpacked(const Json& value) {
  const std::string class_name = StringMember(value, "class_name");
  if (class_name == "__tuple__") return Member(value, "items");
  const bool is_array = class_name == "__numpy__" || class_name == "__tensor__";
  return Member(Member(value, "config"), is_array ? "value" : "");
}

// The attribute with the shape of an array that this one takes: fusebox has its numbers and its shape, Keras lists of
// lists. Empty if it takes no array.
std::string ShapeAttribute(std::string_view key) {
  if (key == "value") return "shape";
  for (const char* name : {"scale", "offset", "mean", "variance"}) {
    if (key == name) return std::string(name) + "_shape";
  }
  return "";
}

absl::Status AddArray(const std::string& key, const Json& value, const std::string& who, ItemSpec& item) {
  std::vector<double> numbers;
  Ints shape;
  FUSEBOX_RETURN_IF_ERROR(ArrayFromJson(value, 0, who, numbers, shape));
  if (numbers.size() == 1 && shape.size() <= 1) {  // An array of one number is that number.
    item.attributes.emplace(key, numbers[0]);
    return absl::OkStatus();
  }
  item.attributes.emplace(key, NumbersText(numbers));
  if (shape.size() > 1) item.attributes.emplace(ShapeAttribute(key), shape);
  return absl::OkStatus();
}

// The seed of a random item: a number, or the generator that has it.
const Json& Seed(const Json& seed) {
  const Json& held = Member(Member(seed, "config"), "seed");
  return seed.is_object() ? held : seed;
}

// Muon's exclude_layers: a list of texts becomes one text with ';' between.
absl::StatusOr<AttributeValue> TextsFromJson(const Json& list, const std::string& who) {
  std::string texts;
  for (const Json& value : list) {
    if (!value.is_string() || value.get<std::string>().find(';') != std::string::npos)
      return Refuse("{}: a list of texts without ';' expected, got {}", who, Excerpt(list));
    texts += (texts.empty() ? "" : ";") + value.get<std::string>();
  }
  return texts;
}

absl::StatusOr<AttributeValue> AttributeFromJson(const Json& value, const std::string& who, int nesting) {
  if (nesting > kMaxKerasNesting) return Refuse("{}: items are nested deeper than {}", who, kMaxKerasNesting);
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(INT64_MAX))
    return Refuse("{}: {} is too large", who, Excerpt(value));
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number_float()) return ShortestOfFloat32(value.get<double>());
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) return ListFromJson(value, who);
  if (const Json& held = Unpacked(value); !held.is_null()) return AttributeFromJson(held, who, nesting + 1);
  FUSEBOX_ASSIGN_OR_RETURN(const ItemSpec item, ItemFromJson(value, who, nesting + 1));
  // A reference to an item of ours is its bare name, as a user would write it.
  const ItemName name = SplitItemId(item.id);
  return Print({name.space == "fusebox" ? name.name : item.id, item.attributes});
}

// The key of the item that the object names by class.
std::string ItemId(const Json& json) {
  const std::string class_name = StringMember(json, "class_name");
  const std::string module = StringMember(json, "module");
  // Files of .h5 have the registered name in the place of the class.
  const std::string registered =
      class_name.find('>') != std::string::npos ? class_name : StringMember(json, "registered_name");
  if (const std::string id = StringMember(json, "fusebox_item"); !id.empty()) return id;
  if (const size_t split = registered.find('>'); split != std::string::npos) {
    return registered.substr(0, split) + "/" + ItemNameOfClass(registered.substr(split + 1));
  }
  if (module.empty() || module == "keras" || module.starts_with("keras."))
    return "fusebox/" + ItemNameOfClass(class_name);
  return module + "/" + ItemNameOfClass(class_name);  // Whether it is known is asked later, of all classes at once.
}

// The attributes that Keras lacks, which stand beside its config.
absl::Status AddOwnAttributes(const Json& json, const std::string& who, int nesting, ItemSpec& item) {
  for (const auto& [key, value] : Member(json, "fusebox_attributes").items()) {
    FUSEBOX_ASSIGN_OR_RETURN(AttributeValue attribute,
                             AttributeFromJson(value, fmt::format("{}: '{}'", who, key), nesting));
    item.attributes.emplace(key, std::move(attribute));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ItemSpec> ItemFromJson(const Json& json, const std::string& who, int nesting) {
  if (nesting > kMaxKerasNesting) return Refuse("{}: items are nested deeper than {}", who, kMaxKerasNesting);
  if (json.is_string()) return ItemSpec{json.get<std::string>(), {}};
  if (StringMember(json, "class_name").empty())
    return Refuse("{}: an object with class_name expected, got {}", who, Excerpt(json));
  const Json& config = Member(json, "config");
  if (StringMember(json, "class_name") == "function" && config.is_string()) {
    ItemSpec item{config.get<std::string>(), {}};
    FUSEBOX_RETURN_IF_ERROR(AddOwnAttributes(json, who, nesting, item));
    return item;
  }
  if (!config.is_object() && !config.is_null())
    return Refuse("{}: an object expected as config, got {}", who, Excerpt(config));
  ItemSpec item;
  item.id = ItemId(json);
  if (config.is_null()) return item;
  for (const auto& [key, value] : config.items()) {
    if (key == "class_aggregation" && value.is_null()) item.attributes.emplace(key, "none");  // Not the default.
    if (SaysNothing(key, value) || (key == "seed" && Seed(value).is_null())) continue;
    const std::string attribute_who = fmt::format("{}: '{}'", who, key);
    if (const Json& held = Unpacked(value); !ShapeAttribute(key).empty() && (value.is_array() || held.is_array())) {
      FUSEBOX_RETURN_IF_ERROR(AddArray(key, held.is_array() ? held : value, attribute_who, item));
      continue;
    }
    FUSEBOX_ASSIGN_OR_RETURN(AttributeValue attribute,
                             key == "exclude_layers"
                                 ? TextsFromJson(value, attribute_who)
                                 : AttributeFromJson(key == "seed" ? Seed(value) : value, attribute_who, nesting));
    item.attributes.emplace(key, std::move(attribute));
  }
  FUSEBOX_RETURN_IF_ERROR(AddOwnAttributes(json, who, nesting, item));
  if (!item.attributes.contains("use_ema"))
    item.attributes.erase("ema_momentum");  // Without use_ema it has no meaning.
  return item;
}

}  // namespace fusebox
