// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/plugins/optimizer_attributes.h"

#include <cmath>
#include <string>
#include <utility>

#include "fmt/ranges.h"
#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

AttributeInfo Optional(const char* name, uint32_t type, double min, double max, AttributeValue none, const char* doc) {
  return {.name = name,
          .doc = doc,
          .type = type,
          .optional = true,
          .min = min,
          .max = max,
          .default_value = std::move(none)};
}
AttributeInfo OptionalFloat(const char* name, double max, const char* doc) {
  return Optional(name, FB_FLOAT, 0, max, 0.0, doc);
}
AttributeInfo OptionalInt(const char* name, double min, const char* doc) {
  return Optional(name, FB_INT, min, HUGE_VAL, int64_t{0}, doc);
}

std::optional<double> Number(const ItemAttributes& attributes, std::string_view name) {
  const auto it = attributes.find(name);
  if (it == attributes.end()) return std::nullopt;
  if (const int64_t* v = std::get_if<int64_t>(&it->second)) return double(*v);
  if (const double* v = std::get_if<double>(&it->second)) return *v;
  return std::nullopt;
}

}  // namespace

std::vector<AttributeInfo> OptimizerAttributes() {
  return {
      OptionalFloat("weight_decay", HUGE_VAL, "takes this part of each variable away, times the learning rate"),
      OptionalFloat("clipnorm", HUGE_VAL, "the greatest norm of one variable's gradient"),
      OptionalFloat("clipvalue", HUGE_VAL, "the greatest magnitude of an element of a gradient"),
      OptionalFloat("global_clipnorm", HUGE_VAL, "the greatest norm of all gradients together"),
      Optional("use_ema", FB_FLAG, -HUGE_VAL, HUGE_VAL, false, "Fit leaves the variables' moving averages"),
      OptionalFloat("ema_momentum", 1, "weight of the past in the moving averages, 0.99 unless given"),
      OptionalInt("ema_overwrite_frequency", 1, "puts the averages into the variables after so many steps"),
      OptionalFloat("loss_scale_factor", HUGE_VAL, "of the loss before gradients are taken, and out of them again"),
      OptionalInt("gradient_accumulation_steps", 2, "updates once in so many steps, with the mean gradient"),
      Optional("name", FB_STRING, -HUGE_VAL, HUGE_VAL, std::string(), "in Keras's files"),
  };
}

bool ScalesLoss(const PluginItem& item) {
  const AttributeInfo* const inner = item.kind == FB_OPTIMIZER ? item.Find("inner_optimizer") : nullptr;
  return inner != nullptr && inner->type == FB_ITEM && inner->item_kind == FB_OPTIMIZER;
}

absl::Status ResolveAliases(ItemAttributes& given) {
  auto alias = given.extract("lr");
  if (alias.empty()) return absl::OkStatus();
  if (given.contains("learning_rate")) return Refuse("learning_rate and its alias lr are both given");
  alias.key() = "learning_rate";
  given.insert(std::move(alias));
  return absl::OkStatus();
}

absl::Status CheckTogether(const ItemAttributes& optimizer) {
  std::vector<std::string> clips;
  for (const char* name : {"clipnorm", "clipvalue", "global_clipnorm"}) {
    if (const std::optional<double> v = Number(optimizer, name)) clips.push_back(fmt::format("{}={}", name, *v));
  }
  if (clips.size() > 1) {
    return Refuse("only one of clipnorm, clipvalue and global_clipnorm may be given, got {}", fmt::join(clips, ", "));
  }
  if (Number(optimizer, "loss_scale_factor") == 0) return Refuse("attribute 'loss_scale_factor' must not be 0");
  return absl::OkStatus();
}

OptimizerOptions ReadOptimizerOptions(const ItemAttributes& optimizer) {
  OptimizerOptions options;
  options.weight_decay = Number(optimizer, "weight_decay");
  // 0 means none, as in Keras.
  const auto positive = [&](std::string_view name) {
    const std::optional<double> v = Number(optimizer, name);
    return v && *v > 0 ? v : std::nullopt;
  };
  options.clipnorm = positive("clipnorm");
  options.clipvalue = positive("clipvalue");
  options.global_clipnorm = positive("global_clipnorm");
  if (const auto it = optimizer.find("use_ema"); it != optimizer.end()) {
    options.use_ema = it->second == AttributeValue(true);
  }
  options.ema_momentum = Number(optimizer, "ema_momentum").value_or(options.ema_momentum);
  if (const auto v = Number(optimizer, "ema_overwrite_frequency")) options.ema_overwrite_frequency = int64_t(*v);
  options.loss_scale_factor = Number(optimizer, "loss_scale_factor");
  options.gradient_accumulation_steps = int64_t(Number(optimizer, "gradient_accumulation_steps").value_or(1));
  return options;
}

}  // namespace fusebox
