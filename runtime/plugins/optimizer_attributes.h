// SPDX-License-Identifier: Apache-2.0
// What Keras's base class gives every optimizer: attributes that plugins need not declare, because the host carries
// them out.
#pragma once
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "fusebox/runtime/describe/item_spec.h"
#include "fusebox/runtime/plugins/plugin_item.h"

namespace fusebox {

// The schema of these attributes. An optimizer's own attribute of the same name (AdamW's weight_decay) replaces one.
std::vector<AttributeInfo> OptimizerAttributes();

// Whether the item is an optimizer that scales the loss for another one. Then these attributes belong to that other
// one.
bool ScalesLoss(const PluginItem& item);

// Takes "lr" for "learning_rate". Error: both are given.
absl::Status ResolveAliases(ItemAttributes& given);
// Checks rules between attributes: at most one kind of clipping.
absl::Status CheckTogether(const ItemAttributes& optimizer);

// The values of these attributes; nullopt if not given. Source: keras.optimizers.Optimizer.
struct OptimizerOptions {
  std::optional<double> weight_decay;  // Before each update, variable -= variable * weight_decay * learning_rate.
  std::optional<double> clipnorm, clipvalue, global_clipnorm;
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<int64_t> ema_overwrite_frequency;
  std::optional<double> loss_scale_factor;
  int64_t gradient_accumulation_steps = 1;
};
OptimizerOptions ReadOptimizerOptions(const ItemAttributes& optimizer);

}  // namespace fusebox
