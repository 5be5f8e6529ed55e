// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/codegen/cpu/fingerprint.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <unordered_map>

namespace fusebox::codegen {
namespace {

std::string ToText(const AttributeValue& value) {
  // By its bits: a NaN equals itself, and 0 and -0 differ.
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{:x}", std::bit_cast<uint64_t>(*real));
  if (const auto* text = std::get_if<std::string>(&value)) return fmt::format("{}:{}", text->size(), *text);
  if (const auto* list = std::get_if<Ints>(&value)) return fmt::format("[{}]", fmt::join(*list, ","));
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  return std::to_string(std::get<int64_t>(value));
}

class Writer {
 public:
  Writer(const FusedProgram& program, const Plan& plan, const Kernel& kernel)
      : program_(program), graph_(program.graph), plan_(plan), kernel_(kernel) {}

  Fingerprint Write() && {
    Add("{} {} outer {} run {}{}\n", Name(kernel_.kind), ToString(kernel_.space), kernel_.outer_rank, kernel_.run_rank,
        ByRows() ? " by rows" : "");
    for (size_t i = 0; i < kernel_.members.size(); ++i) Member(i);
    for (const NodeId id : kernel_.stored) {
      Add("stored {} ", IndexOf(id));
      Storage(id);
      Add("\n");
    }
    return std::move(out_);
  }

 private:
  template <class... Args>
  void Add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_.text), format, std::forward<Args>(args)...);
  }

  // "#3", and whether it is new.
  bool Number(NumberKind kind, NodeId id, int64_t number) {
    const auto [at, is_new] = out_.index.emplace(NumberKey(kind, id), out_.numbers.size());
    if (is_new) out_.numbers.push_back(number);
    Add("#{}", at->second);
    return is_new;
  }

  bool ByRows() const { return plan_.by_rows[size_t(&kernel_ - program_.kernels.data())]; }

  size_t IndexOf(NodeId member) const {
    return size_t(std::ranges::lower_bound(kernel_.members, member) - kernel_.members.begin());
  }

  void Member(size_t i) {
    const NodeId id = kernel_.members[i];
    const Node& node = graph_[id];
    Add("{} {} {} {{", i, node.info().name, ToString(node.type));
    const bool is_random = node.info().kind == OpKind::kRandom;
    for (const auto& [name, value] : node.attributes) {
      if (name == "name" || (is_random && name == "stream")) continue;
      Add(" {}={}", name, ToText(value));
    }
    Add(" }}");
    if (is_random) {
      Add(" stream ");
      Number(NumberKind::kStream, id, node.attributes.Int("stream"));
    }
    if (node.info().binding == Binding::kDataSet) {
      Add(" of ");
      Number(NumberKind::kPort, id, PortOfRows(node));
    }
    for (const NodeId input : DataInputs(node)) Operand(input);
    if (const auto at = plan_.products.find(id); at != plan_.products.end()) {
      Add(" {}, sums ", fusebox::ToString(at->second.schedule));
      Number(NumberKind::kPartialSums, id, at->second.partial_sums);
    }
    Add("\n");
  }

  int64_t PortOfRows(const Node& node) const {
    const auto port = std::ranges::find_if(plan_.ports, [&](const Port& p) {
      return p.kind == Port::Kind::kRows && p.name == node.attributes.String("name");
    });
    return port - plan_.ports.begin();
  }

  void Operand(NodeId value) {
    const NodeId storage = StorageOf(graph_, value);
    const Node& source = graph_[storage];
    Add(" ");
    if (kernel_.Has(storage)) {
      Add("{}", IndexOf(storage));
    } else if (source.op == Op::kConstant) {
      Add("constant {} {}", ToText(source.attributes.Float("value")), ToString(source.type));
    } else if (source.op == Op::kExtent) {
      Add("extent [{}] of {} {}", fmt::join(source.attributes.List("axes"), ","),
          ToString(graph_[source.inputs[0]].type), ToString(source.type));
    } else {
      Storage(storage);
    }
    if (value != storage) Add(" as {}", ToString(graph_[value].type));
    Add(";");
  }

  void Storage(NodeId id) {
    constexpr const char* kLayouts[] = {"exact", "padded", "in panels"};
    constexpr const char* kPorts[] = {"input", "rows", "state", "output"};
    const fusebox::Place& place = plan_.places[id];
    const bool in_port = place.kind == fusebox::Place::Kind::kPort;
    if (!Number(NumberKind::kStorage, id, in_port ? place.port : place.offset)) return;
    Add(" {} {}", ToString(graph_[id].type), kLayouts[size_t(place.layout)]);
    if (in_port) {
      const Port& port = plan_.ports[size_t(place.port)];
      Add(" port {} {}", kPorts[size_t(port.kind)], ToString(port.type));
    } else {
      Add(" {}", place.kind == fusebox::Place::Kind::kArena ? "arena" : "nowhere");
    }
  }

  const FusedProgram& program_;
  const Graph& graph_;
  const Plan& plan_;
  const Kernel& kernel_;  // Of the program's.
  Fingerprint out_;
};

}  // namespace

Fingerprint FingerprintOf(const FusedProgram& program, const Plan& plan, const Kernel& kernel) {
  return Writer(program, plan, kernel).Write();
}

Fingerprint FingerprintOf(const FusedProgram& program, const Plan& plan, const Plan::Packed& packed, bool pack) {
  return {.text = fmt::format("{} {}\n", pack ? "pack" : "unpack", ToString(program.graph[packed.state].type)),
          .numbers = {packed.port, plan.places[packed.state].offset},
          .index = {{{NumberKind::kPort, packed.state}, 0}, {{NumberKind::kStorage, packed.state}, 1}}};
}

std::string ProgramText(const FusedProgram& program, const Plan& plan, int64_t row_capacity, const Target& target,
                        bool profile) {
  const auto& [vector_bytes, registers, fma, caches] = target;
  const auto& [tile_rows, row_tiles, tall] = plan.row_cut;
  std::string text = fmt::format("rows {} profile {} vectors {} x {} fma {} caches {} {} {}\n", row_capacity, profile,
                                 registers, vector_bytes, fma, caches.l1d, caches.l2, caches.l3);
  const auto add = [&text]<class... Args>(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
  };
  std::unordered_map<std::string, size_t> known;
  const auto add_use = [&](Fingerprint fingerprint, const std::string& name) {
    const auto [at, is_new] = known.emplace(std::move(fingerprint.text), known.size());
    if (is_new) add("function {} {}\n{}", at->second, name, at->first);
    add("use {} {}\n", at->second, fmt::join(fingerprint.numbers, " "));
  };
  for (const Kernel& kernel : program.kernels) add_use(FingerprintOf(program, plan, kernel), NameOf(program, kernel));
  for (const Plan::Packed& packed : plan.packed) {
    const Node& state = program.graph[packed.state];
    add_use(FingerprintOf(program, plan, packed, true), state.attributes.String("name"));
    if (packed.updated) add_use(FingerprintOf(program, plan, packed, false), state.attributes.String("name"));
  }
  for (const auto& [id, control] : plan.controls) {
    add("control {} arena {} goes on {}\n", id, control.arena, control.goes_on);
    for (const auto& [node, here, other] : control.results) add("result {} {} {}\n", node, here, other);
    for (const NodeId operand : program.graph[id].inputs) {
      const fusebox::Place& place = plan.places[StorageOf(program.graph, operand)];
      add("operand {} at {} {} {}\n", ToString(program.graph[operand].type), int(place.kind), place.port, place.offset);
    }
    for (size_t i = 0; i < control.regions.size(); ++i) {
      const Plan& region = control.regions[i];
      for (const Port& port : region.ports) add("port {} {}\n", int(port.kind), port.name);
      text += ProgramText(program.regions.at(id)[i], region, row_capacity, target, profile);
    }
  }
  for (const auto& phase : plan.phases) add("phase {}\n", fmt::join(phase, " "));
  add("tiles of rows {} {} {}\n", tile_rows, row_tiles, tall);
  for (const Plan::Copy& copy : plan.copies) {
    add("copy {} from {} to {}\n", ToString(program.graph[copy.from].type), plan.places[copy.from].offset,
        copy.to_port);
  }
  return text;
}

}  // namespace fusebox::codegen
