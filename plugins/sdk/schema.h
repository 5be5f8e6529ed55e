// SPDX-License-Identifier: Apache-2.0
// Schema declares an item's attributes; Attributes reads their values.
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fusebox/graph/control.h"  // IWYU pragma: export
#include "fusebox/graph/ops.h"
#include "fusebox/plugins/sdk/plugin_abi.h"

template <>
struct fmt::formatter<FbType> : formatter<std::string> {
  template <class Context>
  auto format(const FbType& type, Context& context) const {
    return formatter<std::string>::format(fusebox::ToString(type), context);
  }
};

namespace fusebox::sdk {

// Declares an attribute, as a constant. An attribute without a default is required.
struct Schema : FbSchema {
  // Limits of a number, both ends included, and what the attribute means.
  constexpr Schema Range(double low, double high) const {
    Schema s = *this;
    s.min = low;
    s.max = high;
    return s;
  }
  constexpr Schema Min(double low) const { return Range(low, max); }
  constexpr Schema Doc(const char* text) const {
    Schema s = *this;
    s.doc = text;
    return s;
  }
  // None unless given: see Attributes::Has.
  constexpr Schema Optional() const {
    Schema s = *this;
    s.flags = (s.flags & ~uint32_t{FB_REQUIRED}) | FB_OPTIONAL;
    return s;
  }
  // Scope::Scalar reads it as an input of the program, so that a change of it never recompiles.
  constexpr Schema ProgramScalar() const {
    Schema s = *this;
    s.flags |= FB_PROGRAM_SCALAR;
    return s;
  }
};

// No limit.
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Keras's None, as the default of a Float or an Int. Files write it as null.
inline constexpr double kNone = kInfinity;
inline constexpr int64_t kNoInt = std::numeric_limits<int64_t>::min();

// Attributes of each type; a value given is the default.
constexpr Schema MakeSchema(uint32_t type, const char* name, bool required, uint32_t item_kind = 0) {
  const uint32_t flags = required ? uint32_t{FB_REQUIRED} : 0u;
  return {{sizeof(FbSchema), type, flags, item_kind, name, "", -kInfinity, kInfinity, 0, 0, "", nullptr, 0}};
}
constexpr Schema Int(const char* name, std::optional<int64_t> value = {}) {
  Schema s = MakeSchema(FB_INT, name, !value);
  s.default_integer = value.value_or(0);
  return s;
}
constexpr Schema Float(const char* name, std::optional<double> value = {}) {
  Schema s = MakeSchema(FB_FLOAT, name, !value);
  s.default_real = value.value_or(0);
  return s;
}
constexpr Schema Bool(const char* name, std::optional<bool> value = {}) {
  Schema s = MakeSchema(FB_FLAG, name, !value);
  s.default_integer = value.value_or(false);
  return s;
}
constexpr Schema String(const char* name, std::optional<const char*> value = {}) {
  Schema s = MakeSchema(FB_STRING, name, !value);
  s.default_string = value.value_or("");
  return s;
}
// A list of integers, or a shape.
constexpr Schema Ints(const char* name) { return MakeSchema(FB_INTS, name, true); }
constexpr Schema OptionalInts(const char* name) { return MakeSchema(FB_INTS, name, false); }  // Empty means none.
// With a default.
template <size_t N>
constexpr Schema Ints(const char* name, const int64_t (&value)[N]) {  // A static array.
  Schema s = MakeSchema(FB_INTS, name, false);
  s.default_ints = value;
  s.default_ints_count = N;
  return s;
}
// A list of numbers: 0.5, or [0.5;1e-3].
constexpr Schema Floats(const char* name, std::optional<const char*> value = {}) {
  Schema s = MakeSchema(FB_STRING, name, !value);
  s.default_string = value.value_or("");
  s.flags |= FB_NUMBERS;
  return s;
}
// A reference to another item: "relu", "acme/gate:slope=0.1". The default "" is none.
constexpr Schema ItemRef(uint32_t kind, const char* name, std::optional<const char*> value = {}) {
  Schema s = MakeSchema(FB_ITEM, name, !value, kind);
  s.default_string = value.value_or("");
  return s;
}
constexpr Schema ActivationRef(const char* name, std::optional<const char*> value = {}) {
  return ItemRef(FB_ACTIVATION, name, value);
}
constexpr Schema InitializerRef(const char* name, std::optional<const char*> value = {}) {
  return ItemRef(FB_INITIALIZER, name, value);
}

// A layer, as of TimeDistributed.
constexpr Schema LayerRef(const char* name) { return ItemRef(FB_LAYER, name); }

// None unless given.
constexpr Schema RegularizerRef(const char* name) { return ItemRef(FB_REGULARIZER, name).Optional(); }
constexpr Schema ConstraintRef(const char* name) { return ItemRef(FB_CONSTRAINT, name).Optional(); }

// The symbols of another item: activation(x). None is the identity.
class Reference {
 public:
  Reference(uint32_t kind, std::string text) : kind_(kind), text_(std::move(text)) {}

  // The item's symbols for x.
  Value operator()(Value x, std::source_location where = std::source_location::current()) const {
    if (text_.empty() || !x.ok()) return x;
    const FbSource source = MakeSource(where);
    return {x.api, x.builder, x.api->expand(x.builder, kind_, text_.c_str(), &x.id, 1, &source)};
  }
  // The reference as it was given: "relu".
  const std::string& text() const { return text_; }

 private:
  uint32_t kind_;
  std::string text_;
};

// How a layer makes a weight: references to items, "" for none.
struct WeightRules {
  std::string initializer;                        // "glorot_uniform"
  std::string regularizer = {}, constraint = {};  // "l2:l2=0.1", "max_norm"
};

// An item's attributes: the whole schema, already checked. An Optional() attribute is present only if it was given.
class Attributes {
 public:
  Attributes(const FbAttribute* attributes, uint64_t count) : all_(ReadArray(attributes, count)) {}

  // Whether an Optional() one was given.
  bool Has(std::string_view name) const {
    return std::ranges::any_of(all_, [&](const FbAttribute& a) { return a.name == name; });
  }
  // The value of an attribute, by the type in its schema.
  int64_t Int(std::string_view name) const { return Find(name, FB_INT).integer; }
  double Float(std::string_view name) const { return Find(name, FB_FLOAT).real; }
  bool Bool(std::string_view name) const { return Find(name, FB_FLAG).integer != 0; }
  std::string String(std::string_view name) const { return Find(name, FB_STRING).string; }
  std::vector<double> Floats(std::string_view name) const {
    std::vector<double> numbers;
    const char* text = Find(name, FB_STRING).string;
    while (*text != '\0' && *text != ']') {
      char* end = nullptr;
      numbers.push_back(std::strtod(text + 1, &end));  // After '[' or ';'.
      if (end == text + 1) numbers.pop_back();
      text = end;
      while (*text == ' ') ++text;
      if (*text != ';' && *text != ']') break;
    }
    return numbers;
  }
  Dims Ints(std::string_view name) const {
    const FbAttribute& a = Find(name, FB_INTS);
    return Dims(a.ints, a.ints + a.ints_count);
  }
  Reference Activation(std::string_view name) const { return {FB_ACTIVATION, Find(name, FB_ITEM).string}; }
  Reference Layer(std::string_view name) const { return {FB_LAYER, Find(name, FB_ITEM).string}; }
  std::string Initializer(std::string_view name) const { return Find(name, FB_ITEM).string; }
  // The rules of the weight "kernel" come from the attributes kernel_initializer, kernel_regularizer and
  // kernel_constraint.
  WeightRules Rules(const std::string& weight) const {
    const auto optional = [&](const std::string& name) {
      return Has(name) ? std::string(Find(name, FB_ITEM).string) : "";
    };
    return {Initializer(weight + "_initializer"), optional(weight + "_regularizer"), optional(weight + "_constraint")};
  }

 private:
  const FbAttribute& Find(std::string_view name, uint32_t type) const {
    for (const FbAttribute& a : all_) {
      if (a.name == name && a.type == type) return a;
    }
    throw std::logic_error(fmt::format("its schema has no attribute '{}' of this type", name));
  }

  std::vector<FbAttribute> all_;
};

}  // namespace fusebox::sdk
