// SPDX-License-Identifier: Apache-2.0
// The symbols that third-party plugins and C++ functions wrote for a model, kept with the model, so that it still
// predicts and trains where they are missing. Those of our own items (fusebox/...) are not kept: they come with the
// library.
//
// They are recorded while programs are written (ExpansionRecorder), stand beside the model in files (the metadata of
// .keras files, what a model's library says, programs' texts), and are written into a graph again by InlineExpansion.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"
#include "fusebox/runtime/expand/item_use.h"

namespace fusebox {

class HostBuilder;

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
Value InlineExpansion(HostBuilder& builder, const Graph& expansion, const std::vector<Value>& inputs);

// Records, while it lives, the symbols that ExpandUse writes in this thread for third-party items and C++ functions.
// Only the innermost recorder does.
class ExpansionRecorder {
 public:
  ExpansionRecorder();
  ~ExpansionRecorder();
  ExpansionRecorder(const ExpansionRecorder&) = delete;
  ExpansionRecorder& operator=(const ExpansionRecorder&) = delete;

  static ExpansionRecorder* Innermost();  // Null without one.

  Expansions expansions;  // The symbols that were recorded.

 private:
  ExpansionRecorder* outer_;
};

// Adds the member "expansions" to a JSON object: {"layer acme/gated@1:units=30 (f32[N,784])": "%0 = ...", ...}.
// Changes nothing if there are none.
std::string WithExpansions(const std::string& json, const Expansions& expansions);
// Reads that member. Error: it is malformed.
absl::StatusOr<Expansions> ExpansionsIn(std::string_view json, const std::string& who);

// The same for a program's text, where the expansions are one of its facts.
void WriteExpansions(const Expansions& expansions, Graph& program);
absl::StatusOr<Expansions> ReadExpansions(const Graph& program);

}  // namespace fusebox
