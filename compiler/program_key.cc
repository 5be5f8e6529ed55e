// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/program_key.h"

#include <bit>
#include <cmath>
#include <utility>

#include "fmt/ranges.h"
#include "fusebox/compiler/native/machine.h"
#include "fusebox/graph/text.h"

namespace fusebox {
namespace {

// The graph without what does not decide, in a form whose text tells everything else.
Graph Decisive(const Graph& graph) {
  Graph decisive = graph;
  decisive.metadata.clear();
  for (NodeId id = 1; id < decisive.size(); ++id) {
    Node& node = decisive.mutable_node(id);
    AttributeMap attributes;
    for (const auto& [name, value] : node.attributes) {
      if (node.op == Op::kState && name == "initializer") continue;
      const auto* const real = std::get_if<double>(&value);
      // All NaNs print alike, but a program may copy one's bits to its output.
      const bool is_nan = real != nullptr && std::isnan(*real);
      attributes.Set(name, is_nan ? AttributeValue(fmt::format("nan {:x}", std::bit_cast<uint64_t>(*real))) : value);
    }
    node.attributes = std::move(attributes);
    for (Graph& region : node.regions) region = Decisive(region);
  }
  return decisive;
}

}  // namespace

std::optional<std::string> ProgramKey(const Graph& program, const CompileOptions& options) {
  if (options.dump || options.profile || options.schedule || !options.cache || !options.link) return std::nullopt;
  const absl::StatusOr<const Machine*> machine = FindMachine(options.target_cpu, /*to_run=*/true);
  if (!machine.ok()) return std::nullopt;
  // A machine stays where it is for the life of the process.
  return fmt::format("machine {} row_capacity {} pack_from_bytes {} guard_bytes {} skip {}\n{}",
                     static_cast<const void*>(*machine), options.row_capacity, options.pack_from_bytes,
                     options.guard_bytes, options.skip, Print(Decisive(program)));
}

}  // namespace fusebox
