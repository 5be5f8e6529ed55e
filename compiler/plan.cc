// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/plan.h"

#include <algorithm>
#include <map>
#include <set>

#include "fusebox/graph/check.h"

namespace fusebox {
namespace {

constexpr int64_t kAlignment = 64;

class Planner {
 public:
  Planner(const FusedProgram& program, const PlanOptions& options)
      : graph_(program.graph), kernels_(program.kernels), options_(options) {
    plan_.places.resize(graph_.size());
  }

  Plan Run() {
    AssignPorts();
    FindEdges();
    PackStates();
    PadValues();
    AssignPhases();
    AssignArena();
    return std::move(plan_);
  }

 private:
  // ---- Ports: sources, outputs and states.

  void AssignPorts() {
    const std::vector<bool> needed = Reachable(graph_);
    for (NodeId id = 1; id < graph_.size(); ++id) {
      const Node& node = graph_[id];
      if (!needed[id]) continue;
      const std::string& name = node.attributes.String("name");
      if (node.op == Op::kInput) AddPort(Port::Kind::kInput, name, node.type, id);
      if (node.op == Op::kState) AddPort(Port::Kind::kState, name, node.type, id);
      // The port is the whole data set, so it is no place of the node, which holds the rows taken from it.
      if (node.op == Op::kRows) AddPort(Port::Kind::kRows, name, node.type, 0);
    }
    for (const auto& output : graph_.outputs()) {
      const NodeId value = StorageOf(graph_, output.value);
      const int64_t port = AddPort(Port::Kind::kOutput, output.name, graph_[output.value].type, value);
      plan_.ports[size_t(port)].written = true;
    }
    for (const auto& update : graph_.updates()) plan_.ports[size_t(plan_.places[update.state].port)].written = true;
  }

  int64_t AddPort(Port::Kind kind, const std::string& name, const Type& type, NodeId node) {
    if (kind == Port::Kind::kRows) {
      for (size_t i = 0; i < plan_.ports.size(); ++i) {
        if (plan_.ports[i].kind == kind && plan_.ports[i].name == name) return int64_t(i);
      }
    }
    plan_.ports.push_back({kind, name, type, false});
    const auto port = int64_t(plan_.ports.size()) - 1;
    if (node != 0) plan_.places[node] = {Place::Kind::kPort, port, -1};
    return port;
  }

  // ---- Edges between kernels: what has to be in memory before, and what must have been read before it is overwritten.

  void FindEdges() {
    std::map<NodeId, size_t> made_by;
    for (size_t k = 0; k < kernels_.size(); ++k) {
      for (const NodeId id : kernels_[k].stored) made_by[id] = k;
    }
    before_.resize(kernels_.size());
    readers_.resize(graph_.size());
    for (size_t k = 0; k < kernels_.size(); ++k) {
      for (const NodeId id : kernels_[k].members) {
        for (const NodeId input : DataInputs(graph_[id])) {
          const NodeId storage = StorageOf(graph_, input);
          if (kernels_[k].Has(storage)) continue;
          readers_[storage].insert(k);
          if (const auto it = made_by.find(storage); it != made_by.end()) before_[k].insert(it->second);
        }
      }
    }
    for (const auto& update : graph_.updates()) {
      const NodeId value = StorageOf(graph_, update.value);
      const int64_t port = plan_.places[update.state].port;
      const auto maker = made_by.find(value);
      Check(maker != made_by.end() && plan_.places[value].kind == Place::Kind::kNone,
            "an update without memory of its own");
      if (CanOverwrite(maker->second, value, update.state)) {
        plan_.places[value] = {Place::Kind::kPort, port, -1};
        for (const size_t reader : readers_[update.state]) {
          if (reader != maker->second) before_[maker->second].insert(reader);
        }
      } else {
        plan_.copies.push_back({value, port});
      }
    }
  }

  // Whether kernel k may write `value` over `old`: whoever else reads the old one can run before it, and k itself reads
  // only the element that it is about to write.
  bool CanOverwrite(size_t k, NodeId value, NodeId old) const {
    if (!ReadsOnlyOwnElement(kernels_[k], value, old)) return false;
    return std::ranges::none_of(readers_[old], [&](size_t reader) { return reader != k && Depends(reader, k); });
  }

  bool ReadsOnlyOwnElement(const Kernel& kernel, NodeId value, NodeId old) const {
    const bool value_is_element = IsElement(graph_, kernel, value);
    for (const NodeId id : kernel.members) {
      const Node& node = graph_[id];
      for (const NodeId input : DataInputs(node)) {
        if (StorageOf(graph_, input) != old) continue;
        if (node.info().kind != OpKind::kElementwise || graph_[input].type.shape != node.type.shape) return false;
        if (node.type.shape != graph_[value].type.shape || IsElement(graph_, kernel, id) != value_is_element)
          return false;
        // Between a row's reductions elements are computed again, from operands that must still be there.
        if (value_is_element && kernel.run_rank > 0) return false;
      }
    }
    return true;
  }

  bool Depends(size_t from, size_t to) const {
    std::vector<size_t> open = {from};
    std::set<size_t> seen;
    while (!open.empty()) {
      const size_t k = open.back();
      open.pop_back();
      if (k == to) return true;
      for (const size_t next : before_[k]) {
        if (seen.insert(next).second) open.push_back(next);
      }
    }
    return false;
  }

  // ---- Packed states: at the arena's start, as they are there all the time; with guards, anywhere.

  void PackStates() {
    for (const NodeId state : StatesForPanels(graph_, kernels_, options_.pack_from_bytes)) {
      const int64_t port = plan_.places[state].port;
      const NodeId next = graph_.update_of(state);
      const NodeId updated = next != 0 ? StorageOf(graph_, next) : 0;
      // An update must be written where the state lies, as a matrix of the same rows, by a kernel that follows the layout.
      if (updated != 0 && (plan_.places[updated].port != port ||
                           graph_[updated].type.shape != graph_[state].type.shape || !MadeInPanels(updated))) {
        continue;
      }
      plan_.places[state].layout = Layout::kPanels;
      const int64_t bytes = BytesOf(state);
      const int64_t offset = options_.guard_bytes > 0 ? Guarded(bytes) : plan_.packed_bytes;
      const Place place = {Place::Kind::kArena, -1, offset, Layout::kPanels};
      plan_.places[state] = place;
      if (updated != 0) plan_.places[updated] = place;
      plan_.packed.push_back({state, port});
      plan_.packed_bytes += RoundUp(bytes);
    }
    plan_.arena_bytes = std::max(plan_.arena_bytes, plan_.packed_bytes);
  }

  bool MadeInPanels(NodeId id) const {
    for (const Kernel& kernel : kernels_) {
      if (std::ranges::find(kernel.stored, id) == kernel.stored.end()) continue;
      const bool by_row = kernel.kind == KernelKind::kRows && kernel.outer_rank == 1;
      return (kernel.kind == KernelKind::kMatMul || by_row) && kernel.space == graph_[id].type.shape &&
             IsElement(graph_, kernel, id) && readers_[id].empty();
    }
    return false;
  }

  void PadValues() {
    for (const NodeId id : ValuesToPad(graph_, kernels_)) {
      const bool is_copied =
          std::ranges::any_of(plan_.copies, [id](const Plan::Copy& copy) { return copy.from == id; });
      if (plan_.places[id].kind == Place::Kind::kNone && !is_copied) plan_.places[id].layout = Layout::kPadded;
    }
  }

  static int64_t RoundUp(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

  // ---- Phases: each kernel as early as its edges allow.

  void AssignPhases() {
    phase_.assign(kernels_.size(), -1);
    std::vector<size_t> open(kernels_.size());
    for (size_t k = 0; k < open.size(); ++k) open[k] = k;
    while (!open.empty()) {
      const size_t count = open.size();
      std::erase_if(open, [&](size_t k) {
        int64_t phase = 0;
        for (const size_t b : before_[k]) {
          if (phase_[b] < 0) return false;
          phase = std::max(phase, phase_[b] + 1);
        }
        phase_[k] = phase;
        return true;
      });
      Check(open.size() < count, "kernels wait for each other in a circle");
    }
    for (size_t k = 0; k < kernels_.size(); ++k) {
      const auto phase = size_t(phase_[k]);
      if (plan_.phases.size() <= phase) plan_.phases.resize(phase + 1);
      plan_.phases[phase].push_back(k);
    }
  }

  // ---- The arena: first fit by phase.

  struct Block {
    int64_t offset, size, first, last;  // The phases in which it is in use.
  };

  int64_t BytesOf(NodeId id) const {
    const Type& type = graph_[id].type;
    return NumElements(type.shape, options_.row_capacity, plan_.places[id].layout) * SizeOf(type.dtype);
  }

  int64_t LastUse(NodeId id) const {
    int64_t last = 0;
    for (const size_t reader : readers_[id]) last = std::max(last, phase_[reader]);
    for (const auto& copy : plan_.copies) {
      if (copy.from == id) last = int64_t(plan_.phases.size());
    }
    return last;
  }

  void AssignArena() {
    std::map<NodeId, size_t> block_of;
    for (size_t phase = 0; phase < plan_.phases.size(); ++phase) {
      for (const size_t k : plan_.phases[phase]) {
        AssignPartialSums(kernels_[k], int64_t(phase));
        for (const NodeId id : kernels_[k].stored) {
          if (plan_.places[id].kind != Place::Kind::kNone) continue;
          const int64_t last = std::max(int64_t(phase), LastUse(id));
          plan_.intermediate_bytes += RoundUp(std::max<int64_t>(BytesOf(id), 1));
          if (const NodeId dying = DyingOperand(k, id, block_of); dying != 0) {
            Block& block = blocks_[block_of[dying]];
            block.last = std::max(block.last, last);
            block_of[id] = block_of[dying];
          } else {
            block_of[id] = NewBlock(std::max<int64_t>(BytesOf(id), 1), int64_t(phase), last);
          }
          plan_.places[id] = {Place::Kind::kArena, -1, blocks_[block_of[id]].offset, plan_.places[id].layout};
        }
      }
    }
  }

  // A block that is in use in these phases.
  size_t NewBlock(int64_t bytes, int64_t first, int64_t last) {
    const int64_t size = RoundUp(bytes);
    const int64_t offset = options_.guard_bytes > 0 ? Guarded(bytes) : FindGap(size, first, last);
    plan_.arena_bytes = std::max(plan_.arena_bytes, offset + size);
    blocks_.push_back({offset, size, first, last});
    return blocks_.size() - 1;
  }

  void AssignPartialSums(const Kernel& kernel, int64_t phase) {
    if (kernel.kind != KernelKind::kMatMul) return;
    for (const NodeId id : kernel.members) {
      const Node& node = graph_[id];
      if (node.op != Op::kMatMul) continue;
      const Shape& a = graph_[node.inputs[0]].type.shape;
      const int64_t m = Resolve(node.type.shape[0], options_.row_capacity);
      const int64_t k = Resolve(a[node.attributes.Flag("transpose_a") ? 0 : 1], options_.row_capacity);
      const Layout layout = plan_.places[StorageOf(graph_, node.inputs[1])].layout;
      const Blocking blocking = ChooseBlocking(m, node.type.shape[1], k, layout, node.type.dtype);
      Plan::Blocked& blocked = plan_.blocked[id] = {blocking};
      if (blocking.k == 0) continue;
      const int64_t bytes = PartialSums(m, node.type.shape[1]) * SizeOf(node.type.dtype);
      blocked.partial_sums = blocks_[NewBlock(bytes, phase, phase)].offset;
    }
  }

  // A place of its own that ends where a guard begins, and is aligned only as its elements need.
  int64_t Guarded(int64_t bytes) {
    const int64_t guard = options_.guard_bytes;
    const int64_t end = (plan_.arena_bytes + bytes + guard - 1) / guard * guard;
    plan_.guards.push_back(end);
    plan_.arena_bytes = end + guard;
    return end - bytes;
  }

  // An operand that only this kernel still reads, element by element, and whose place the result can take.
  NodeId DyingOperand(size_t k, NodeId id, const std::map<NodeId, size_t>& block_of) const {
    if (options_.guard_bytes > 0) return 0;  // Nothing shares memory then.
    for (const auto& [operand, block] : block_of) {
      if (!readers_[operand].contains(k) || blocks_[block].last != phase_[k] || BytesOf(operand) != BytesOf(id))
        continue;
      if (plan_.places[operand].layout != plan_.places[id].layout) continue;
      const bool alone =
          std::ranges::none_of(readers_[operand], [&](size_t r) { return r != k && phase_[r] == phase_[k]; });
      const bool taken = std::ranges::any_of(block_of, [&](const auto& other) {
        return other.first != operand && other.second == block && LastUse(other.first) >= phase_[k];
      });
      if (alone && !taken && SizeOf(graph_[operand].type.dtype) == SizeOf(graph_[id].type.dtype) &&
          ReadsOnlyOwnElement(kernels_[k], id, operand)) {
        return operand;
      }
    }
    return 0;
  }

  int64_t FindGap(int64_t size, int64_t first, int64_t last) const {
    std::vector<const Block*> busy;
    for (const Block& b : blocks_) {
      if (b.first <= last && first <= b.last) busy.push_back(&b);
    }
    std::ranges::sort(busy, {}, &Block::offset);
    int64_t offset = plan_.packed_bytes;
    for (const Block* b : busy) {
      if (b->offset - offset >= size) break;
      offset = std::max(offset, b->offset + b->size);
    }
    return offset;
  }

  const Graph& graph_;
  const std::vector<Kernel>& kernels_;
  const PlanOptions options_;
  Plan plan_;
  std::vector<std::set<size_t>> before_;   // By kernel.
  std::vector<std::set<size_t>> readers_;  // By stored node or source.
  std::vector<int64_t> phase_;
  std::vector<Block> blocks_;
};

std::string Print(const Plan& plan, const Place& place) {
  constexpr const char* kLayouts[] = {"", ", padded", ", in panels"};
  if (place.kind == Place::Kind::kArena)
    return fmt::format("arena + {}{}", place.offset, kLayouts[size_t(place.layout)]);
  return place.kind == Place::Kind::kPort ? "port " + plan.ports[size_t(place.port)].name : "none";
}

}  // namespace

Graph OwnMemory(const Graph& graph) {
  const auto own = [](Graph& copy, NodeId value) {
    return copy.Add({.op = Op::kStopGradient, .type = copy[value].type, .inputs = {value}, .scope = copy[value].scope});
  };
  Graph copy = Rewrite(graph, [&](Graph& to, const Node& node, std::vector<NodeId> inputs) {
    const bool pointwise =
        node.info().kind == OpKind::kElementwise || node.op == Op::kBroadcast || node.op == Op::kReshape;
    for (NodeId& input : inputs) {
      const Op source = to[StorageOf(to, input)].op;
      if (!pointwise && (source == Op::kConstant || source == Op::kExtent)) input = own(to, input);
    }
    return Keep(to, node, std::move(inputs));
  });
  std::set<NodeId> taken;
  const auto own_result = [&](NodeId value) {
    const NodeId storage = StorageOf(copy, value);
    return !IsLeaf(copy[storage]) && taken.insert(storage).second ? value : own(copy, value);
  };
  std::vector<Graph::Update> updates = copy.updates();
  std::vector<Graph::Output> outputs = copy.outputs();
  for (auto& update : updates) update.value = own_result(update.value);
  for (auto& output : outputs) output.value = own_result(output.value);
  copy.ReplaceResults(std::move(outputs), std::move(updates));
  return copy;
}

Plan MakePlan(const FusedProgram& program, const PlanOptions& options) { return Planner(program, options).Run(); }

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
      text += fmt::format("  kernel {} {} {}\n", k, Name(kernel.kind), ToString(kernel.space));
    }
  }
  return text;
}

}  // namespace fusebox
