// SPDX-License-Identifier: Apache-2.0
// HostBuilder: the host's side of the plugin door. A GraphBuilder that layers, losses, metrics and optimizers write
// into: it knows what they ask for beyond nodes and states.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "fusebox/graph/builder.h"

namespace fusebox {

class HostBuilder final : public GraphBuilder {
 public:
  HostBuilder() : GraphBuilder(Api()) {}

  // GraphBuilder's table with this class's expand, preimage, add_loss and set_mask.
  static const FbApi& Api();
  // The builder behind a value made by Api(); nullptr if another one made the value.
  static HostBuilder* Of(const Value& value);

  // GraphBuilder's, but for `shared` and `again`.
  Value State(const std::string& name, uint32_t kind, const Type& type, const std::string& initializer,
              const StateTraits& traits, const FbSource* source = nullptr) override;
  using GraphBuilder::State;
  // GraphBuilder's; a value that `again` has given out in a state's stead is that state.
  void Assign(Value state, Value next) override;

  // Expands the item that another one refers to. Set while an item is expanded by its plugin.
  using ExpandHook =
      std::function<NodeId(HostBuilder&, uint32_t kind, std::string_view reference, std::vector<NodeId> inputs)>;
  ExpandHook expand;

  // While set, scalars, counters and shared slots belong to all calls together: each is declared once, in this scope.
  // So an optimizer that is asked variable by variable has one momentum. `states` has those declared, and may have
  // others in their stead from the start.
  struct Shared {
    std::string scope;
    std::map<std::string, NodeId, std::less<>> states;
  };
  Shared* shared = nullptr;

  // While set, a layer is called that was called before: each of these states that it declares again, with the same
  // type, is the one that it has, as the earlier call leaves it.
  using StatesByName = std::map<std::string, NodeId, std::less<>>;
  const StatesByName* again = nullptr;

  // Adds f32[] to the loss of the program.
  void AddLoss(Value value);
  std::vector<Value> losses;  // Those added so far.

  // The masks of the inputs of the layer or metric that is expanded next: which of their steps count, 0 where all do.
  // Taken when the expansion begins.
  std::vector<NodeId> masks;
  // The mask that a layer has set for its result since `mask` was last set to 0.
  NodeId mask = 0;
  void SetMask(Value mask);

  // Remembers that `output` is activation(`input`), for losses that work from logits.
  void RecordActivation(const std::string& activation, NodeId input, NodeId output);
  // The input of this activation that made `output`; 0 if it did not.
  NodeId Preimage(NodeId output, std::string_view activation) const;

 private:
  struct Activation {
    std::string name;
    NodeId input, output;
  };
  std::vector<Activation> activations_;
  std::map<NodeId, NodeId> current_of_;  // States by the values that were given out in their stead, see `again`.
};

}  // namespace fusebox
