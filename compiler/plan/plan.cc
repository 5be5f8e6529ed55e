// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/plan/plan.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "fusebox/compiler/plan/arena.h"
#include "fusebox/compiler/plan/dependencies.h"
#include "fusebox/compiler/plan/layouts.h"
#include "fusebox/compiler/plan/products.h"
#include "fusebox/compiler/plan/row_chains.h"
#include "fusebox/graph/regions.h"

namespace fusebox {
namespace {

// Work in chains, in flops or computed elements.
constexpr double kLittleWork = 64 * 1024;  // On one thread or on all, it takes no longer than a barrier or two.
constexpr double kMostWorkOfATile = 512 * 1024;
constexpr int64_t kEnoughTiles = 4;
constexpr int64_t kLeastTile = 4;  // Rows. Lower tiles would read operands too often.

class Planner {
 public:
  Planner(const FusedProgram& program, const PlanOptions& options)
      : program_(program),
        graph_(program.graph),
        kernels_(program.kernels),
        options_(options),
        all_(FindDependencies(program)),
        is_copied_(graph_.size()),
        arena_(options.guard_bytes) {
    plan_.places.resize(graph_.size());
  }

  Plan Run() {
    AssignPorts();
    AssignUpdates();
    PackStates();
    PadValues();
    AssignPhases();
    AssignArena();
    SumUnfused();
    plan_.packed_bytes = packed_bytes_;
    plan_.arena_bytes = arena_.bytes();
    plan_.guards = arena_.guards();
    return std::move(plan_);
  }

 private:
  // ---- Ports: sources, outputs and states.

  void AssignPorts() {
    const std::vector<bool> needed = Reachable(graph_);
    std::set<std::string> data_sets;
    for (NodeId id = 1; id < graph_.size(); ++id) {
      const Node& node = graph_[id];
      if (!needed[id]) continue;
      const std::string& name = node.attributes.String("name");
      switch (node.info().binding) {
        case Binding::kNone:
          break;
        case Binding::kInput:
          AddPort(Port::Kind::kInput, name, node.type, id);
          break;
        case Binding::kState:
          AddPort(Port::Kind::kState, name, node.type, id);
          break;
        case Binding::kDataSet:
          // The port is the whole data set, so it is no place of the node, which holds the rows taken from it.
          if (data_sets.insert(name).second) AddPort(Port::Kind::kRows, name, node.type, 0);
      }
    }
    for (const auto& output : graph_.outputs()) {
      const NodeId value = StorageOf(graph_, output.value);
      const int64_t port = AddPort(Port::Kind::kOutput, output.name, graph_[output.value].type, value);
      plan_.ports[size_t(port)].written = true;
    }
    for (const auto& update : graph_.updates()) plan_.ports[size_t(plan_.places[update.state].port)].written = true;
  }

  int64_t AddPort(Port::Kind kind, const std::string& name, const Type& type, NodeId node) {
    plan_.ports.push_back({kind, name, type, false});
    const auto port = int64_t(plan_.ports.size()) - 1;
    if (node != 0) plan_.places[node] = {Place::Kind::kPort, port, -1};
    return port;
  }

  // The new value of a state is written where the state lies, or copied there after the last phase.
  void AssignUpdates() {
    for (const auto& update : graph_.updates()) {
      const NodeId value = StorageOf(graph_, update.value);
      const int64_t port = plan_.places[update.state].port;
      if (all_.updates_in_place[value] == update.state) {
        plan_.places[value] = {Place::Kind::kPort, port, -1};
      } else {
        plan_.copies.push_back({value, port});
        is_copied_[value] = true;
      }
    }
  }

  // ---- Layouts. Packed states lie at the arena's start, as they live as long as the program; with guards, anywhere.

  void PackStates() {
    std::vector<NodeId> next_of_state(graph_.size());
    for (const auto& update : graph_.updates()) next_of_state[update.state] = update.value;
    for (const NodeId state : StatesForPanels(program_, all_.readers, options_.pack_from_bytes)) {
      const int64_t port = plan_.places[state].port;
      const NodeId next = next_of_state[state];
      const NodeId updated = next != 0 ? StorageOf(graph_, next) : 0;
      // The update must be written where the state lies, as a matrix of the same rows, by a kernel that follows the
      // layout.
      if (updated != 0 && (plan_.places[updated].port != port ||
                           graph_[updated].type.shape != graph_[state].type.shape || !MadeInPanels(updated))) {
        continue;
      }
      plan_.places[state].layout = Layout::kPanels;
      const int64_t bytes = BytesOf(state);
      const Place place = {Place::Kind::kArena, -1, arena_.Keep(bytes), Layout::kPanels};
      plan_.places[state] = place;
      if (updated != 0) plan_.places[updated] = place;
      plan_.packed.push_back({state, port, updated != 0});
      packed_bytes_ += Arena::RoundUp(bytes);
    }
  }

  bool MadeInPanels(NodeId id) const {
    if (all_.maker[id] == Dependencies::kNone) return false;
    const Kernel& kernel = kernels_[all_.maker[id]];
    const bool by_row = kernel.kind == KernelKind::kRows && kernel.outer_rank == 1;
    return (kernel.kind == KernelKind::kMatMul || by_row) && kernel.space == graph_[id].type.shape &&
           IsElement(graph_, kernel, id) && all_.readers[id].empty();
  }

  void PadValues() {
    for (const NodeId id : ValuesToPad(program_, all_.readers)) {
      if (plan_.places[id].kind == Place::Kind::kNone && !is_copied_[id]) plan_.places[id].layout = Layout::kPadded;
    }
  }

  // ---- Phases.

  void AssignPhases() {
    CutRowsOfChains();
    std::vector<bool> may_chain(kernels_.size());
    for (size_t k = 0; k < kernels_.size(); ++k) may_chain[k] = MayChain(kernels_[k]);
    const auto bytes = [&](size_t k) {
      int64_t sum = 0;
      for (const NodeId id : kernels_[k].stored) sum += BytesOf(id);
      return sum;
    };
    Phases phases = FindPhases(program_, all_, may_chain, bytes, options_.target.caches.l2 / 2);
    plan_.phases = std::move(phases.kernels);
    plan_.by_rows = std::move(phases.by_rows);
    phase_of_ = std::move(phases.of);
  }

  // Cuts rows as is best for the largest product that may chain, but into enough tiles for threads to share.
  void CutRowsOfChains() {
    double most = 0;
    int64_t rows = 1;
    for (const Kernel& kernel : kernels_) {
      const NodeId product = ProductIn(graph_, kernel);
      if (product == 0 || !HasRowsOfBatch(graph_, kernel)) continue;
      const ProductShape shape = ShapeOf(kernel, product);
      if (!IsNear(shape) || Flops(shape) <= most) continue;
      most = Flops(shape);
      rows = Schedule(shape).schedule.tile_rows;
    }
    const int64_t enough = options_.row_capacity / kEnoughTiles;
    plan_.row_cut = CutRows(options_.row_capacity, enough >= kLeastTile ? std::min(rows, enough) : rows);
  }

  // Whether rows alone divide the work well among threads: into enough tiles, and not so large that threads wait for
  // the last one.
  bool MayChain(const Kernel& kernel) const {
    if (!HasRowsOfBatch(graph_, kernel)) return false;
    double work = double(NumElements(kernel.space, options_.row_capacity)) * double(kernel.members.size());
    if (const NodeId product = ProductIn(graph_, kernel); product != 0) {
      const ProductShape shape = ShapeOf(kernel, product);
      if (!IsNear(shape) || !HasTile(plan_.row_cut.rows, shape, options_.target)) return false;
      work = Flops(shape);
    }
    const int64_t tiles = plan_.row_cut.row_tiles;
    return work <= kLittleWork || (tiles >= kEnoughTiles && work / double(tiles) <= kMostWorkOfATile);
  }

  int64_t PhaseOf(size_t kernel) const { return int64_t(phase_of_[kernel]); }

  // ---- The arena.

  int64_t BytesOf(NodeId id) const {
    const Type& type = graph_[id].type;
    return NumElements(type.shape, options_.row_capacity, plan_.places[id].layout) * SizeOf(type.dtype);
  }

  int64_t LastUse(NodeId id) const {
    if (is_copied_[id]) return int64_t(plan_.phases.size());
    int64_t last = 0;
    for (const size_t reader : all_.readers[id]) last = std::max(last, PhaseOf(reader));
    return last;
  }

  void AssignArena() {
    block_of_.assign(graph_.size(), kNoBlock);
    for (size_t phase = 0; phase < plan_.phases.size(); ++phase) {
      for (const size_t k : plan_.phases[phase]) {
        AssignProduct(k, int64_t(phase));
        AssignControl(k, int64_t(phase));
        for (const NodeId id : kernels_[k].stored) {
          if (plan_.places[id].kind == Place::Kind::kNone) AssignBlock(k, id, int64_t(phase));
        }
      }
    }
  }

  void AssignBlock(size_t k, NodeId id, int64_t phase) {
    const int64_t bytes = std::max<int64_t>(BytesOf(id), 1), last = std::max(phase, LastUse(id));
    plan_.intermediate_bytes += Arena::RoundUp(bytes);
    if (const NodeId dying = DyingOperand(k, id); dying != 0) {
      block_of_[id] = std::exchange(block_of_[dying], kNoBlock);
      arena_.Extend(block_of_[id], last);
    } else {
      block_of_[id] = arena_.Take(bytes, phase, last);
    }
    plan_.places[id] = {Place::Kind::kArena, -1, arena_[block_of_[id]].offset, plan_.places[id].layout};
  }

  void SumUnfused() {
    const std::vector<bool> needed = Reachable(graph_);
    for (NodeId id = 1; id < graph_.size(); ++id) {
      const Node& node = graph_[id];
      if (!needed[id] || IsLeaf(node) || IsView(node)) continue;
      plan_.unfused_bytes +=
          Arena::RoundUp(NumElements(node.type.shape, options_.row_capacity) * SizeOf(node.type.dtype));
    }
  }

  void AssignProduct(size_t k, int64_t phase) {
    const NodeId id = ProductIn(graph_, kernels_[k]);
    if (id == 0) return;
    ProductShape shape = ShapeOf(kernels_[k], id);
    if (plan_.by_rows[k]) shape.tile_rows = plan_.row_cut.rows;
    Plan::Product& product = plan_.products[id];
    static_cast<ScheduledProduct&>(product) = Schedule(shape);
    if (product.schedule.k == 0 || product.schedule.k >= product.shape.Depth()) return;
    const int64_t bytes = PartialSums(product.shape.Rows(), product.shape.n) * SizeOf(product.shape.dtype);
    product.partial_sums = arena_[arena_.Take(bytes, phase, phase)].offset;
  }

  void AssignControl(size_t k, int64_t phase) {
    if (kernels_[k].kind != KernelKind::kControl) return;
    const NodeId id = kernels_[k].members.front();
    const Node& node = graph_[id];
    Plan::Control& control = plan_.controls[id];
    int64_t most = 0;
    for (const FusedProgram& region : program_.regions.at(id)) {
      const Plan& plan = control.regions.emplace_back(MakePlan(region, {.row_capacity = options_.row_capacity,
                                                                        .target = options_.target,
                                                                        .given = options_.given,
                                                                        .found = options_.found}));
      most = std::max(most, plan.arena_bytes);
      plan_.intermediate_bytes += plan.intermediate_bytes;
      plan_.unfused_bytes += plan.unfused_bytes;
    }
    const auto take = [&](int64_t bytes) {
      return arena_[arena_.Take(std::max<int64_t>(bytes, 1), phase, phase)].offset;
    };
    control.arena = take(most);
    if (node.op == Op::kWhile) control.goes_on = take(1);
    const Graph& body = program_.regions.at(id).back().graph;
    for (size_t i = 0; i < body.outputs().size(); ++i) {
      const Type& type = body[body.outputs()[i].value].type;
      const int64_t bytes = NumElements(type.shape, options_.row_capacity) * SizeOf(type.dtype);
      Plan::Control::Result result{.node = StoredResult(kernels_[k], i)};
      if (result.node == 0) result.here = take(bytes);
      if (i < CarriesOf(node)) result.other = take(bytes);
      control.results.push_back(result);
    }
  }

  // The node that stands for a control node's result, if a kernel reads it; else 0.
  NodeId StoredResult(const Kernel& kernel, size_t index) const {
    for (const NodeId id : kernel.stored) {
      const Node& node = graph_[id];
      if (index == ResultIndex(node)) return id;
    }
    return 0;
  }

  ProductShape ShapeOf(const Kernel& kernel, NodeId product) const {
    const auto layout_of = [&](NodeId storage) { return plan_.places[storage].layout; };
    return ShapeOfProduct(graph_, kernel, product, options_.row_capacity, layout_of);
  }
  ScheduledProduct Schedule(const ProductShape& shape) const {
    return ScheduleProduct(shape, options_.target, options_.given, options_.found);
  }
  // Whether the right operand stays in a near cache of each thread.
  bool IsNear(const ProductShape& shape) const {
    return shape.Depth() * shape.Columns() * SizeOf(shape.dtype) <= options_.target.caches.l2 / 2;
  }

  // An operand that no later kernel reads, and this one element by element, so that the result can take its place; 0 if
  // there is none. It must still hold its block, which another result may have taken.
  NodeId DyingOperand(size_t k, NodeId id) const {
    if (options_.guard_bytes > 0) return 0;  // No values share memory then.
    for (const NodeId operand : all_.reads[k]) {
      if (block_of_[operand] == kNoBlock || arena_[block_of_[operand]].last != PhaseOf(k)) continue;
      if (BytesOf(operand) != BytesOf(id) || plan_.places[operand].layout != plan_.places[id].layout) continue;
      if (SizeOf(graph_[operand].type.dtype) != SizeOf(graph_[id].type.dtype)) continue;
      const bool alone =
          std::ranges::none_of(all_.readers[operand], [&](size_t r) { return r != k && PhaseOf(r) == PhaseOf(k); });
      if (alone && ReadsOnlyOwnElement(graph_, kernels_[k], id, operand)) return operand;
    }
    return 0;
  }

  static constexpr size_t kNoBlock = size_t(-1);

  const FusedProgram& program_;
  const Graph& graph_;
  const std::vector<Kernel>& kernels_;
  const PlanOptions options_;
  const Dependencies all_;
  std::vector<bool> is_copied_;  // By node: to a state's port, after the last phase.
  Plan plan_;
  Arena arena_;
  int64_t packed_bytes_ = 0;
  std::vector<size_t> phase_of_;  // By kernel.
  std::vector<size_t> block_of_;  // By node: the block that it holds.
};

}  // namespace

Plan MakePlan(const FusedProgram& program, const PlanOptions& options) { return Planner(program, options).Run(); }

}  // namespace fusebox
