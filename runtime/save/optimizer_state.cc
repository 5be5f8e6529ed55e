// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/save/optimizer_state.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "fusebox/graph/state_kind.h"
#include "fusebox/graph/status.h"
#include "fusebox/graph/warning.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/programs/optimizer_program.h"

namespace fusebox {
namespace {

// How many of them stand before those that an optimizer makes of each weight.
size_t BeforeSlots(const std::vector<const Variable*>& variables) {
  const auto is_slot = [](const Variable* v) {
    return v != nullptr && v->kind == StateKindName(FB_SLOT) &&
           std::ranges::find(kScalingStates, v->name) == std::end(kScalingStates);
  };
  return size_t(std::ranges::find_if(variables, is_slot) - variables.begin());
}

// What the old optimizers of TensorFlow call a slot, by fusebox's name for it. Of two the one that the file has counts.
std::vector<std::string> OldNames(const std::string& slot) {
  static const std::map<std::string, std::vector<std::string>> kOldNames = {
      {"momentum", {"m", "momentum"}},
      {"velocity", {"v", "rms"}},
      {"velocity_hat", {"vhat"}},
      {"average_gradient", {"mg"}},
      {"accumulated_grad", {"accum_grad"}},
      {"accumulated_delta_var", {"accum_var"}},
      {"norm", {"v"}},
      {"u_product", {"momentum_cache"}},
  };
  const auto known = kOldNames.find(slot);
  return known != kOldNames.end() ? known->second : std::vector<std::string>{slot};
}

// "m" of "Adam/dense/kernel/m:0".
std::string LastPart(const std::string& name) {
  const size_t slash = name.rfind('/'), colon = name.rfind(':');
  return name.substr(slash == std::string::npos ? 0 : slash + 1, colon > slash ? colon - slash - 1 : colon);
}

// Whether the file is of an old optimizer of tf.keras; of Keras before it was TensorFlow's ("Adam/iterations:0", or
// "training/Adam/Variable:0").
bool IsOld(const OptimizerState& state) { return !state.names.empty() && LastPart(state.names[0]) == "iter"; }
bool IsOlder(const OptimizerState& state) {
  return !state.names.empty() && !IsOld(state) && LastPart(state.names[0]) != "iteration";
}

// The values of an old optimizer for these variables: it has a block of values for each slot. Nothing if one is missing.
std::optional<std::vector<Tensor>> FromOld(const OptimizerState& state, const std::vector<const Variable*>& variables) {
  std::map<std::string, std::vector<Tensor>> blocks;
  for (size_t i = 1; i < state.values.size() && i < state.names.size(); ++i) {
    blocks[LastPart(state.names[i])].push_back(state.values[i]);
  }
  std::vector<Tensor> values;
  std::map<std::string, size_t> taken;
  for (const Variable* variable : variables) {
    if (variable == nullptr) return std::nullopt;
    if (values.empty()) {
      values.push_back(state.values[0]);
      continue;
    }
    if (variable->name == "optimizer/learning_rate") {
      values.push_back(variable->value);
      continue;
    }
    const std::string slot = LastPart(variable->name + ":0");
    size_t& next = taken[slot];
    std::optional<Tensor> value;
    for (const std::string& name : OldNames(slot)) {
      const auto block = blocks.find(name);
      if (block != blocks.end() && next < block->second.size()) value = block->second[next];
    }
    if (!value) return std::nullopt;
    ++next;
    values.push_back(*value);
  }
  return values;
}

double Number(const ItemSpec& item, const char* name, double otherwise) {
  const auto found = item.attributes.find(name);
  const double* const number = found != item.attributes.end() ? std::get_if<double>(&found->second) : nullptr;
  return number != nullptr ? *number : otherwise;
}

// What Nadam has multiplied after so many steps: beta_1 (1 - 0.96^t / 2) for each.
Tensor ProductOfMomenta(const ItemSpec& nadam, const Tensor& iteration) {
  const int64_t steps = iteration.Cast(DType::kI64).values<int64_t>()[0];
  const double beta_1 = Number(nadam, "beta_1", 0.9), decay = Number(nadam, "schedule_decay", 1);
  double product = 1;
  for (int64_t t = 1; t <= steps && product > 0; ++t) product *= beta_1 * (1 - 0.5 * std::pow(0.96, decay * double(t)));
  Tensor out(DType::kF32, {});
  out.mutable_values<float>()[0] = float(product);
  return out;
}

// The values, one for each variable, or for the first of them; nothing if they do not fit.
std::optional<std::vector<Tensor>> Fitting(const Model::Impl& model, const OptimizerState& state,
                                           const std::vector<const Variable*>& variables) {
  if (IsOlder(state)) return std::nullopt;
  const bool scales = ScalesLoss(model);
  std::vector<Tensor> values = state.values;
  const size_t before_slots = BeforeSlots(variables);
  if (IsOld(state)) {
    std::optional<std::vector<Tensor>> old = FromOld(state, variables);
    if (!old) return std::nullopt;
    values = *std::move(old);
  } else {
    // Keras saves those before the slots alone before it has trained, and knows of no scale then.
    if (scales && values.size() + 2 == before_slots) {
      values.insert(values.begin() + 2, {variables[2]->value, variables[3]->value});
    }
    // Keras 2 has no variable of the learning rate.
    const bool lacks_rate = !scales && before_slots > 1 && (values.size() == 1 || values[1].rank() > 0);
    if (lacks_rate) values.insert(values.begin() + 1, variables[1]->value);
    // Its SGD has momenta behind the others even where it needs none.
    const ItemSpec& optimizer = model.config.compile->optimizer;
    if (ShortName(optimizer.id) == "sgd" && values.size() > variables.size()) values.resize(variables.size());
    // Its Nadam does not keep the product of its momenta.
    if (lacks_rate && ShortName(optimizer.id) == "nadam" && values.size() + 1 == variables.size()) {
      values.push_back(ProductOfMomenta(optimizer, values[0]));
    }
    // Its Adafactor goes on with the iteration alone, if no averages have to.
    const auto averages = optimizer.attributes.find("use_ema");
    const bool averaged = averages != optimizer.attributes.end() && averages->second == AttributeValue(true);
    if (lacks_rate && values.size() != variables.size() && !averaged) values.resize(before_slots);
  }
  if (values.size() != variables.size() && values.size() != before_slots) return std::nullopt;
  for (size_t i = 0; i < std::min(values.size(), variables.size()); ++i) {
    if (variables[i] != nullptr && values[i].shape() != variables[i]->value.shape()) return std::nullopt;
  }
  return values;
}

}  // namespace

bool HasOldOrder(const OptimizerState& state) { return IsOld(state) || IsOlder(state); }

bool ScalesLoss(const Model::Impl& model) {
  return model.config.compile && InnerOptimizer(model.config.compile->optimizer, model.embedded).has_value();
}

std::vector<const Variable*> OptimizerVariables(const Model::Impl& model) {
  const Variables& variables = model.variables;
  std::vector<const Variable*> all;
  const auto add = [&](std::string_view name) {
    if (const Variable* variable = variables.Find(name)) all.push_back(variable);
  };
  add("step");
  const bool scales = ScalesLoss(model);
  if (scales) {
    all.push_back(nullptr);
    std::ranges::for_each(kScalingStates, add);
  }
  add("optimizer/learning_rate");
  std::vector<const Variable*> slots = variables.OfKind(StateKindName(FB_SLOT));
  std::erase_if(slots, [&](const Variable* slot) { return std::ranges::find(all, slot) != all.end(); });
  std::ranges::stable_sort(slots, {}, &Variable::order);
  all.insert(all.end(), slots.begin(), slots.end());
  return all;
}

absl::Status SetOptimizer(Model::Impl& model, const OptimizerState& state, const std::string& who) {
  if (state.values.empty() || !model.config.compile) return absl::OkStatus();
  FUSEBOX_RETURN_IF_ERROR(model.EnsureOptimizer());
  const std::vector<const Variable*> variables = OptimizerVariables(model);
  const std::optional<std::vector<Tensor>> values = Fitting(model, state, variables);
  if (!values) {
    Warn(
        "{}: the state of the optimizer {} is left out, as it does not fit the model: {} variables expected, {} found. "
        "Training begins with a new one",
        who, ShortName(model.config.compile->optimizer.id), variables.size(), state.values.size());
    return absl::OkStatus();
  }
  std::vector<Assignment> assignments;
  for (size_t i = 0; i < std::min(values->size(), variables.size()); ++i) {
    if (variables[i] != nullptr) assignments.push_back({variables[i]->name, &(*values)[i]});
  }
  const absl::Status status = model.variables.SetAll(assignments);
  if (!status.ok()) return Refuse("{}: {}", who, Message(status));
  // Counters all tell the same.
  int64_t steps = (*values)[0].Cast(DType::kI64).values<int64_t>()[0];
  // Keras counts only those of the inner optimizer, which has skipped some.
  if (ScalesLoss(model)) steps = std::max(steps, (*values)[4].Cast(DType::kI64).values<int64_t>()[0]);
  for (const Variable* counter : model.variables.OfKind(StateKindName(FB_COUNTER)))
    model.variables.SetInteger(counter->name, steps);
  return absl::OkStatus();
}

}  // namespace fusebox
