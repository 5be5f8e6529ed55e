// SPDX-License-Identifier: Apache-2.0
// A program while it is written: what its parts (forward.h, losses.h, metrics.h, penalties.h, optimizer_program.h)
// share.
#pragma once
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fusebox/graph/state_kind.h"
#include "fusebox/runtime/describe/model_config.h"
#include "fusebox/runtime/expand/host_builder.h"
#include "fusebox/runtime/expand/kept_symbols.h"

namespace fusebox {

struct ProgramDraft {
  const ModelConfig& model;
  const Expansions& embedded;
  const bool training, has_loss;
  HostBuilder b = {};
  // What the layers have left for the other parts: the masks of the outputs, 0 where all steps count; the states of
  // layers that are not trained; the values that AddMetric has named.
  std::vector<NodeId> masks = {};
  std::set<NodeId> frozen = {};
  std::vector<std::pair<std::string, Value>> added_metrics = {};

  Value Fail(std::string message) { return b.Wrap(b.Fail(std::move(message))); }
  // Whether a node is a weight that the optimizer changes.
  bool IsTrained(NodeId id) const {
    const Node& node = b.graph()[id];
    return IsState(node, FB_WEIGHT) && node.attributes.Flag("trainable") && !frozen.contains(id);
  }
};

}  // namespace fusebox
