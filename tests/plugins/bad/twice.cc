// SPDX-License-Identifier: Apache-2.0
// Defines one key twice. The same name for a loss and a metric is allowed.
#include "fusebox/plugins/sdk/sdk.h"

namespace bad {
using namespace fusebox;

struct AsLoss final : sdk::Loss {
  Value Expand(sdk::Scope&, Value, Value y_pred) const override { return y_pred; }
};
struct AsMetric final : sdk::Metric {
  Value Update(sdk::Scope&, Value, Value y_pred) const override { return y_pred; }
};
struct Again final : sdk::Metric {
  Value Update(sdk::Scope&, Value, Value y_pred) const override { return y_pred; }
};
FUSEBOX_PLUGIN(AsLoss, {.id = "bad/error"});
FUSEBOX_PLUGIN(AsMetric, {.id = "bad/error"});
FUSEBOX_PLUGIN(Again, {.id = "bad/error"});

}  // namespace bad
FUSEBOX_LIBRARY("twice", "1.0.0")
