// SPDX-License-Identifier: Apache-2.0
// Plans as text, for `fusebox dump`.
#include "fmt/format.h"
#include "fusebox/compiler/plan/plan.h"

namespace fusebox {
namespace {

std::string Print(const Plan& plan, const Place& place) {
  constexpr const char* kLayouts[] = {"", ", padded", ", in panels"};
  if (place.kind == Place::Kind::kArena)
    return fmt::format("arena + {}{}", place.offset, kLayouts[size_t(place.layout)]);
  return place.kind == Place::Kind::kPort ? "port " + plan.ports[size_t(place.port)].name : "none";
}

}  // namespace

std::string PrintMemory(const FusedProgram& program, const Plan& plan) {
  std::string text =
      fmt::format("arena {} bytes for {} bytes of intermediates\n", plan.arena_bytes, plan.intermediate_bytes);
  for (const Kernel& kernel : program.kernels) {
    for (const NodeId id : kernel.stored) {
      text += fmt::format("%{} : {} in {}\n", id, ToString(program.graph[id].type), Print(plan, plan.places[id]));
    }
  }
  for (const auto& packed : plan.packed) {
    text += fmt::format("%{} in {}\n", program.graph[packed.state].attributes.String("name"),
                        Print(plan, plan.places[packed.state]));
  }
  for (const auto& copy : plan.copies) {
    text += fmt::format("%{} copied to port {}\n", copy.from, plan.ports[size_t(copy.to_port)].name);
  }
  return text;
}

std::string PrintSchedule(const FusedProgram& program, const Plan& plan) {
  std::string text;
  for (size_t phase = 0; phase < plan.phases.size(); ++phase) {
    text += fmt::format("phase {}\n", phase);
    for (const size_t k : plan.phases[phase]) {
      const Kernel& kernel = program.kernels[k];
      text += fmt::format("  kernel {} {} {}{}\n", k, Name(kernel.kind), ToString(kernel.space),
                          plan.by_rows[k] ? " by rows" : "");
    }
  }
  return text;
}

}  // namespace fusebox
