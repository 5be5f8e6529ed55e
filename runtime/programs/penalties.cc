// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/programs/penalties.h"

#include "fusebox/graph/ops.h"
#include "fusebox/graph/status.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/expand/expand.h"

namespace fusebox {

Value WritePenalty(ProgramDraft& d, const std::string& text, Value x, const std::string& name) {
  absl::StatusOr<ItemSpec> regularizer = ParseItemSpec(text);
  if (regularizer.ok()) regularizer = ResolveItem(FB_REGULARIZER, *regularizer, d.embedded);
  if (!regularizer.ok()) return d.Fail(fmt::format("'{}', regularizer: {}", name, Message(regularizer.status())));
  const Value penalty = ExpandUse(d.b, {FB_REGULARIZER, *regularizer, d.training}, {x}, name, d.embedded);
  if (penalty.ok() && (penalty.dtype() != FB_F32 || penalty.rank() != 0)) {
    return d.Fail(fmt::format("'{}', regularizer {}: was to make a penalty, f32[], and made {}", name, regularizer->id,
                              ToString(penalty.type())));
  }
  return penalty;
}

Value WritePenalties(ProgramDraft& d) {
  const HostBuilder::Scope scope(d.b, "losses");
  Value sum = d.b.Wrap(0);
  const auto add = [&](Value penalty) { sum = sum.ok() && penalty.ok() ? sum + penalty : penalty; };
  const NodeId size = d.b.graph().size();
  for (NodeId i = 1; i < size; ++i) {
    const std::string text = d.b.graph()[i].attributes.String("regularizer");
    if (text.empty() || !d.IsTrained(i)) continue;
    add(WritePenalty(d, text, d.b.Wrap(i), d.b.graph()[i].attributes.String("name")));
  }
  for (const Value& penalty : d.b.losses) add(penalty);
  return sum;
}

}  // namespace fusebox
