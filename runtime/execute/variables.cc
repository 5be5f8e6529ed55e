// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/execute/variables.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <unordered_set>
#include <utility>

#include "fusebox/graph/evaluate.h"
#include "fusebox/graph/state_kind.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/describe/item_spec.h"
#include "fusebox/runtime/execute/float_environment.h"
#include "fusebox/runtime/expand/host_builder.h"
#include "fusebox/runtime/expand/plugin_call.h"

namespace fusebox {
namespace {

std::vector<int64_t> Dims64(const Type& type) { return {type.shape.begin(), type.shape.end()}; }

// FNV-1a: the same on every machine.
uint64_t Hash(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : text) hash = (hash ^ uint8_t(c)) * 0x100000001B3;
  return hash;
}

// A large array of a Constant initializer, such as vectors of words: as symbols each number would be a node.
struct LargeArray {
  std::vector<double> numbers;  // Empty for all other initializers.
  Ints shape;
};
LargeArray LargeArrayOf(const ItemSpec& initializer) {
  constexpr size_t kMostSymbols = 1024;
  const absl::StatusOr<const PluginItem*> item = Registry::Default().Find(FB_INITIALIZER, initializer.id);
  if (!item.ok() || (*item)->id != "fusebox/constant") return {};
  const absl::StatusOr<ItemSpec> resolved = Registry::Default().Resolve(FB_INITIALIZER, initializer);
  const std::string* const text = resolved.ok() ? TextAttribute(*resolved, "value") : nullptr;
  std::vector<double> numbers =
      text != nullptr ? ParseNumbers(*text).value_or(std::vector<double>()) : std::vector<double>();
  if (numbers.size() <= kMostSymbols) return {};
  return {std::move(numbers), std::get<Ints>(resolved->attributes.at("shape"))};
}

// The array as one of the variable's type, by NumPy's rule for broadcasting.
absl::StatusOr<Tensor> BroadcastTo(const Variable& variable, const LargeArray& array) {
  const std::vector<double>& numbers = array.numbers;
  const Ints shape = array.shape.empty() ? Ints{int64_t(numbers.size())} : array.shape;
  const Shape& wanted = variable.type.shape;
  int64_t count = 1;
  bool fits = shape.size() <= wanted.size();
  std::vector<int64_t> step(wanted.size());  // Between neighbours along each axis of the result.
  for (size_t i = 0; fits && i < shape.size(); ++i) {
    const int64_t size = shape[shape.size() - 1 - i];
    const size_t axis = wanted.size() - 1 - i;
    fits = size == 1 || size == wanted[axis];
    step[axis] = size == 1 ? 0 : count;
    count *= size;
  }
  if (!fits || count != int64_t(numbers.size())) {
    return Refuse("'{}', initializer constant: {} numbers of shape {} do not broadcast to {}", variable.name,
                  numbers.size(), ToString(Shape(shape.begin(), shape.end())), ToString(variable.type));
  }
  Tensor made(DType::kF32, Dims64(variable.type));
  const std::span<float> values = made.mutable_values<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    int64_t rest = int64_t(i), from = 0;
    for (size_t axis = wanted.size(); axis-- > 0; rest /= wanted[axis]) from += rest % wanted[axis] * step[axis];
    values[i] = float(numbers[size_t(from)]);
  }
  return made.Cast(variable.type.dtype);
}

// Makes the initial value of a variable by its initializer, with random numbers of this seed.
absl::StatusOr<Tensor> Make(const Variable& variable, int64_t seed) {
  const FloatEnvironment environment;  // The same numbers, whatever rounding the caller has set.
  FUSEBOX_ASSIGN_OR_RETURN(const ItemSpec initializer, ParseItemSpec(variable.initializer));
  if (const LargeArray array = LargeArrayOf(initializer); !array.numbers.empty()) return BroadcastTo(variable, array);
  HostBuilder builder;
  builder.Output("value", ExpandInitializer(builder, Registry::Default(), initializer, variable.type, variable.name));
  if (!builder.status().ok()) return builder.status();
  Bindings bindings;
  bindings.states["seed"] = Literal::Scalar<int64_t>(int64_t(uint64_t(seed) ^ Hash(variable.name)));
  bindings.states["step"] = Literal::Scalar<int64_t>(0);
  FUSEBOX_ASSIGN_OR_RETURN(const Evaluation evaluation, Evaluate(builder.graph(), bindings));
  const Literal& value = evaluation.outputs.at("value");
  Tensor tensor(variable.type.dtype, Dims64(variable.type));
  std::memcpy(tensor.mutable_raw(), value.bytes().data(), tensor.bytes());
  return tensor;
}

// The value that the variable's layer has already; null if it has none.
const Tensor* Owned(const Variable& variable) {
  if (variable.layer == nullptr) return nullptr;
  const auto value = variable.layer->values.find(variable.name_in_layer);
  return value != variable.layer->values.end() ? &value->second : nullptr;
}

// Checks that the value that the layer has, if any, is of the variable's type.
absl::Status CheckOwned(const Variable& variable) {
  const Tensor* const owned = Owned(variable);
  if (owned == nullptr || (owned->dtype() == variable.type.dtype && owned->shape() == Dims64(variable.type))) {
    return absl::OkStatus();
  }
  const Type has = {owned->dtype(), Shape(owned->shape().begin(), owned->shape().end())};
  return Refuse("'{}': its layer is shared with a model that made this weight {}; expected {}", variable.name,
                ToString(has), ToString(variable.type));
}

// Sets a scalar of any dtype.
void Fill(Tensor& scalar, double number) {
  switch (scalar.dtype()) {
    case DType::kF32:
      scalar.mutable_values<float>()[0] = float(number);
      break;
    case DType::kF64:
      scalar.mutable_values<double>()[0] = number;
      break;
    case DType::kI64:
      scalar.mutable_values<int64_t>()[0] = int64_t(number);
      break;
    case DType::kI32:
      scalar.mutable_values<int32_t>()[0] = int32_t(number);
      break;
    default:
      break;
  }
}

}  // namespace

absl::Status Variables::Declare(const Graph& program, const FindWeightOwner& owner_of) {
  std::unordered_set<std::string> known;
  for (const Variable& variable : all_) known.insert(variable.name);
  std::vector<Variable> declared;
  for (NodeId i = 1; i < program.size(); ++i) {
    const Node& node = program[i];
    if (node.op != Op::kState) continue;
    const AttributeMap& a = node.attributes;
    if (a.String("kind") == StateKindName(FB_ACCUMULATOR) || !known.insert(a.String("name")).second) continue;
    Variable variable = {.name = a.String("name"),
                         .kind = a.String("kind"),
                         .type = node.type,
                         .scope = node.scope,
                         .initializer = a.String("initializer"),
                         .trainable = a.Flag("trainable"),
                         .order = a.Int("order"),
                         .value = {}};
    if (owner_of && variable.kind == StateKindName(FB_WEIGHT)) {
      WeightOwner owner = owner_of(variable.name);
      if (owner.layer != nullptr) {
        variable.layer = std::move(owner.layer);
        variable.name_in_layer = std::move(owner.name);
        FUSEBOX_RETURN_IF_ERROR(CheckOwned(variable));
      }
    }
    declared.push_back(std::move(variable));
  }
  for (Variable& variable : declared) {
    if (variable.layer != nullptr) {
      std::shared_ptr<SharingGroup>& group = variable.layer->group;
      if (group == nullptr) group = group_;
      SharingGroup::Merge(group_, group);
    }
    all_.push_back(std::move(variable));
  }
  return absl::OkStatus();
}

absl::Status Variables::Initialize(int64_t seed) {
  Touch();
  for (Variable& variable : all_) {
    if (!variable.value.empty()) continue;
    if (const Tensor* const owned = Owned(variable)) {
      FUSEBOX_RETURN_IF_ERROR(CheckOwned(variable));
      variable.value = *owned;
      continue;
    }
    if (variable.kind == StateKindName(FB_SLOT) && variable.initializer == "variable") {
      FUSEBOX_ASSIGN_OR_RETURN(variable.value, CopyOfWeight(variable));
      continue;
    }
    if (variable.kind == StateKindName(FB_WEIGHT) || variable.kind == StateKindName(FB_SLOT)) {
      FUSEBOX_ASSIGN_OR_RETURN(Tensor value, Make(variable, seed));
      Give(variable, std::move(value));
      continue;
    }
    variable.value = Tensor(variable.type.dtype, Dims64(variable.type));
    if (variable.kind == StateKindName(FB_SCALAR))
      Fill(variable.value, std::strtod(variable.initializer.c_str(), nullptr));
  }
  return absl::OkStatus();
}

void Variables::Give(Variable& variable, Tensor value) {
  variable.value = std::move(value);
  if (variable.layer != nullptr) variable.layer->values[variable.name_in_layer] = variable.value;
}

// The slot is named "optimizer/<weight>/<slot>".
absl::StatusOr<Tensor> Variables::CopyOfWeight(const Variable& slot) const {
  const size_t first = slot.name.find('/'), last = slot.name.rfind('/');
  const Variable* const weight = last > first ? Find(slot.name.substr(first + 1, last - first - 1)) : nullptr;
  if (weight == nullptr || weight->value.empty() || weight->type != slot.type) {
    return Refuse("'{}': its initializer 'variable' needs the weight that it belongs to", slot.name);
  }
  return weight->value.Clone();
}

Variable* Variables::Locate(std::string_view name) {
  const auto it = std::ranges::find(all_, name, &Variable::name);
  return it != all_.end() ? &*it : nullptr;
}
Variable* Variables::Find(std::string_view name) {
  Fetch();
  return Locate(name);
}
const Variable* Variables::Find(std::string_view name) const { return const_cast<Variables*>(this)->Find(name); }

std::vector<const Variable*> Variables::OfKind(std::string_view kind) const {
  Fetch();
  std::vector<const Variable*> some;
  for (const Variable& variable : all_) {
    if (variable.kind == kind) some.push_back(&variable);
  }
  return some;
}

absl::StatusOr<Variable*> Variables::FindFor(std::string_view name, const Tensor& value) {
  Variable* const variable = Find(name);
  if (variable == nullptr) return absl::NotFoundError(fmt::format("the model has no variable '{}'", name));
  const Shape got(value.shape().begin(), value.shape().end());
  if (got != variable->type.shape) {
    return Refuse("'{}': expected the shape {}, got {}", name, ToString(variable->type.shape), ToString(got));
  }
  if (variable->value.empty()) FUSEBOX_RETURN_IF_ERROR(CheckOwned(*variable));
  return variable;
}

void Variables::Assign(Variable& variable, const Tensor& value) {
  if (variable.value.empty()) {
    const Tensor* const owned = Owned(variable);
    Give(variable, owned != nullptr ? *owned : Tensor(variable.type.dtype, value.shape()));
  }
  const Tensor converted = value.Cast(variable.type.dtype);
  std::memcpy(variable.value.mutable_raw(), converted.raw(), converted.bytes());
  Touch();
}

absl::Status Variables::Set(std::string_view name, const Tensor& value) {
  FUSEBOX_ASSIGN_OR_RETURN(Variable* const variable, FindFor(name, value));
  Assign(*variable, value);
  return absl::OkStatus();
}

absl::Status Variables::SetAll(const std::vector<Assignment>& assignments) {
  std::vector<Variable*> found;
  for (const Assignment& each : assignments) {
    FUSEBOX_ASSIGN_OR_RETURN(Variable* const variable, FindFor(each.variable, *each.value));
    found.push_back(variable);
  }
  for (size_t i = 0; i < found.size(); ++i) Assign(*found[i], *assignments[i].value);
  return absl::OkStatus();
}

void Variables::SetScalar(std::string_view name, double number) {
  if (Variable* variable = Locate(name); variable != nullptr && !variable->value.empty()) Fill(variable->value, number);
}

void Variables::SetInteger(std::string_view name, int64_t number) {
  if (Variable* variable = Locate(name); variable != nullptr && !variable->value.empty()) {
    variable->value.mutable_values<int64_t>()[0] = number;
  }
}

void Variables::DropOptimizer() {
  std::erase_if(all_, [](const Variable& v) {
    return v.kind == StateKindName(FB_SLOT) || v.kind == StateKindName(FB_COUNTER) || v.name.starts_with("optimizer/");
  });
}

void Variables::DropLayer(std::string_view path) {
  Fetch();
  std::erase_if(all_, [&](const Variable& v) {
    return v.name.starts_with(path) && v.name.size() > path.size() && v.name[path.size()] == '/';
  });
}

void Variables::DropLossScalars() {
  std::erase_if(all_,
                [](const Variable& v) { return v.kind == StateKindName(FB_SCALAR) && v.name.starts_with("loss/"); });
}

}  // namespace fusebox
