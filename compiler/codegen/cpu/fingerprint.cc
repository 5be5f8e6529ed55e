// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/codegen/cpu/fingerprint.h"

#include <algorithm>
#include <bit>
#include <iterator>

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

}  // namespace fusebox::codegen
