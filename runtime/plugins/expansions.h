// SPDX-License-Identifier: Apache-2.0
// The symbols that plugins wrote for a model, kept with the model, so that it still predicts and trains where a plugin is
// missing. Those of our own items (fusebox/...) are not kept: they come with the library.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/builder.h"
#include "fusebox/runtime/describe/item_spec.h"

namespace fusebox {

// One use of an item.
struct ItemUse {
  uint32_t kind = 0;      // FB_LAYER, ...
  ItemSpec item;          // The full key and all attributes.
  bool training = false;  // Whether the program trains.
  bool frozen = false;    // A layer that is not trained.
};

// Texts (.fbg) by what was asked for: kind, item, attributes, types of the inputs. In such a graph the inputs are named
// "0", "1", ..., the output "y" (others are losses that it adds), and states as the item itself names them; those that
// an optimizer has once for all variables lie in the scope "optimizer".
inline constexpr char kSharedScope[] = "optimizer";
// See above.
struct Expansions {
  std::map<std::string, std::string> texts;  // By ExpansionKey.

  bool operator==(const Expansions&) const = default;
};

// "layer acme/gated@1:units=30 training (f32[N,784])"; of a frozen layer "training frozen"
std::string ExpansionKey(const ItemUse& use, const std::vector<Type>& inputs);

// Writes an expansion's symbols into the scope at work. Error: inputs of other types than it was made for.
Value InlineExpansion(GraphBuilder& builder, const Graph& expansion, const std::vector<Value>& inputs);

}  // namespace fusebox
