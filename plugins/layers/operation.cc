// SPDX-License-Identifier: Apache-2.0
// An operation of keras.ops as a layer: Keras's functional models list operations on values among their layers. The
// attribute `call` is the operation as Keras serialises it, with {"value": i} in place of the i-th input:
//     {"class_name": "Sum", "config": {"axis": -1, "keepdims": true}, "args": [{"value": 0}], "kwargs": {}}
//     {"class_name": "Subtract", "config": {}, "args": [1.0, {"value": 0}], "kwargs": {}}
// In C++ a fb::Lambda says the same in fewer words.
#include "fusebox/plugins/layers/operation.h"

#include <algorithm>
#include <array>

namespace fusebox {
namespace {

using Json = nlohmann::json;

const Json kNone;

const Json& Member(const Json& object, std::string_view name) {
  if (!object.is_object()) return kNone;
  const auto found = object.find(name);
  return found != object.end() ? *found : kNone;
}

bool IsValue(const Json& json) { return json.is_object() && json.size() == 1 && json.contains("value"); }

// "true_divide" for TrueDivide, "log1p" for Log1p.
std::string SnakeCase(std::string_view class_name) {
  std::string name;
  for (const char c : class_name) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper && !name.empty()) name += '_';
    name += upper ? char(c - 'A' + 'a') : c;
  }
  return name;
}

// The sizes of an array of arrays, and its numbers in order. False if it is not regular.
bool Unfold(const Json& array, size_t depth, Dims& sizes, std::vector<double>& numbers) {
  if (!array.is_array()) {
    if (!array.is_number() && !array.is_boolean()) return false;
    numbers.push_back(array.is_boolean() ? array.get<bool>() : array.get<double>());
    return depth == sizes.size();
  }
  if (sizes.size() == depth && numbers.empty()) sizes.push_back(int64_t(array.size()));
  if (sizes.size() <= depth || sizes[depth] != int64_t(array.size())) return false;
  return std::ranges::all_of(array, [&](const Json& each) { return Unfold(each, depth + 1, sizes, numbers); });
}

const OperationEntry* Find(std::string_view name) {
  for (const auto family : {ElementwiseOperations(), ReducingOperations(), MovingOperations()}) {
    const auto entry = std::ranges::find(family, name, &OperationEntry::name);
    if (entry != family.end()) return &*entry;
  }
  return nullptr;
}

class Operation final : public sdk::MergeLayer {
 public:
  explicit Operation(const sdk::Attributes& attributes)
      : call_(Json::parse(attributes.String("call"), nullptr, /*allow_exceptions=*/false)),
        activation_(attributes.Activation("activation")) {}

  Value Expand(sdk::Scope& scope, const Values& inputs) const override {
    const Json& class_name = Member(call_, "class_name");
    if (!class_name.is_string()) return scope.Error("expects a call with a class_name, got {}", call_.dump(-1));
    if (activation_.text() != "linear") return activation_(inputs[0]);
    const std::string name = SnakeCase(class_name.get<std::string>());
    const OperationEntry* const entry = Find(name);
    if (entry == nullptr) return scope.Error("does not know the operation keras.ops.{}", name);
    return entry->expand(OperationCall(scope, call_, inputs));
  }

 private:
  Json call_;
  sdk::Reference activation_;
};

FUSEBOX_PLUGIN(
    Operation,
    {.id = "fusebox/operation",
     .doc = "An operation of keras.ops on values of a model.",
     .attributes = {
         sdk::String("call").Doc("the operation as Keras serialises it, with {\"value\": i} for the i-th input"),
         sdk::ActivationRef("activation", "linear").Doc("the activation that the operation is, if it is one: \"gelu\""),
     }});

}  // namespace

const Json& OperationCall::Setting(std::string_view name) const {
  const Json& in_config = Member(Member(call_, "config"), name);
  return in_config.is_null() ? Member(Member(call_, "kwargs"), name) : in_config;
}

bool OperationCall::Flag(std::string_view name, bool otherwise) const {
  const Json& flag = Setting(name);
  return flag.is_boolean() ? flag.get<bool>() : otherwise;
}

int64_t OperationCall::Int(std::string_view name, int64_t otherwise) const {
  const Json& number = Setting(name);
  return number.is_number_integer() ? number.get<int64_t>() : otherwise;
}

double OperationCall::Number(std::string_view name, double otherwise) const {
  const Json& number = Setting(name);
  return number.is_number() ? number.get<double>() : otherwise;
}

std::optional<Dims> OperationCall::Ints(std::string_view name) const {
  const Json* list = &Setting(name);
  if (list->is_number_integer()) return Dims{list->get<int64_t>()};
  if (list->is_object()) list = &Member(*list, "items");  // A tuple.
  if (!list->is_array()) return std::nullopt;
  Dims ints;
  for (const Json& each : *list) {
    if (!each.is_number_integer()) return std::nullopt;
    ints.push_back(each.get<int64_t>());
  }
  return ints;
}

std::optional<int64_t> OperationCall::Axis(int64_t axis, int64_t rank) const {
  if (axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  Error("expects an axis from {} to {}, got {}", -rank, rank - 1, axis);
  return std::nullopt;
}

std::optional<Dims> OperationCall::Axes(Value x) const {
  if (!x.ok()) return std::nullopt;
  std::optional<Dims> axes = Ints("axis");
  if (!axes) axes = Ints("axes");
  if (!axes) {
    axes.emplace();
    for (int64_t i = 0; i < x.rank(); ++i) axes->push_back(i);
  }
  for (int64_t& axis : *axes) {
    const std::optional<int64_t> from_front = Axis(axis, x.rank());
    if (!from_front) return std::nullopt;
    axis = *from_front;
  }
  if (std::ranges::find(*axes, 0) != axes->end()) {
    Error("folds the batch of {}, expected axes of a sample", x.type());
    return std::nullopt;
  }
  return axes;
}

std::optional<Value> OperationCall::ReadArray(const Json& array) const {
  constexpr size_t kMaxNumbers = 4096;  // Each becomes a node of the graph.
  Dims sizes;
  std::vector<double> numbers;
  if (!Unfold(array, 0, sizes, numbers) || numbers.empty() || numbers.size() > kMaxNumbers) return std::nullopt;
  Values parts;
  for (const double number : numbers) parts.push_back(Reshape(scope_.Constant(number), {1}));
  return Reshape(parts.size() == 1 ? parts[0] : Concatenate(parts, 0), sizes);
}

std::optional<At> OperationCall::Read(const Json& argument) const {
  if (argument.is_number()) return At(argument.get<double>());
  if (argument.is_boolean()) return At(scope_.Constant(argument.get<bool>(), FB_BOOL));
  if (IsValue(argument) && argument["value"].is_number_unsigned()) {
    const auto i = argument["value"].get<uint64_t>();
    if (i < values_.size()) return At(values_[i]);
  }
  const Json& held = Member(Member(argument, "config"), "value");  // Of {"class_name": "__numpy__", ...}.
  std::optional<Value> array = ReadArray(held.is_null() ? argument : held);
  if (array) return At(*array);
  return std::nullopt;
}

At OperationCall::Operand(size_t place, std::string_view name) const {
  const Json& args = Member(call_, "args");
  const Json& argument = args.is_array() && place < args.size() ? args[place] : Setting(name);
  std::optional<At> read = Read(argument);
  if (read) return *read;
  return Error("expects a value or numbers as argument {}, '{}', got {}", place + 1, name, argument.dump(-1));
}

Value OperationCall::Operand1(size_t place, std::string_view name) const {
  const At operand = Operand(place, name);
  return operand.is_number ? scope_.Constant(operand.number) : operand.value;
}

Values OperationCall::List(size_t place, std::string_view name) const {
  const Json& args = Member(call_, "args");
  const Json& list = args.is_array() && place < args.size() ? args[place] : Setting(name);
  Values all;
  for (const Json& each : list.is_array() ? list : Json::array({list})) {
    const std::optional<At> read = Read(each);
    if (!read || read->is_number) {
      Error("expects a list of values as argument {}, '{}', got {}", place + 1, name, list.dump(-1));
      return {};
    }
    all.push_back(read->value);
  }
  return all;
}

}  // namespace fusebox
