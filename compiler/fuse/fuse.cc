// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/fuse/fuse.h"

#include <algorithm>
#include <map>
#include <set>

#include "fusebox/compiler/fuse/loop_nest.h"
#include "fusebox/compiler/fuse/precedence.h"
#include "fusebox/compiler/fuse/recompute.h"
#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

class Fuser {
 public:
  explicit Fuser(const Graph& graph)
      : graph_(graph),
        kernel_of_(graph.size(), -1),
        needed_(Reachable(graph)),
        waits_(FindWaiting(graph)),
        in_place_(FindRowsInPlace(graph, needed_)) {}

  absl::StatusOr<FusedProgram> Run() {
    for (NodeId id = 1; id < graph_.size(); ++id) {
      const Node& node = graph_[id];
      if (!needed_[id] || IsLeaf(node) || IsView(node) || waits_[id] || in_place_[id]) continue;
      if (node.op == Op::kCall) return Refuse("fuse: a call still owns a region");
      if (node.op == Op::kResult) {
        const int k = kernel_of_[node.inputs[0]];
        kernels_[size_t(k)].Insert(id);
        kernel_of_[id] = k;
        continue;
      }
      Place(id);
    }
    // Waiting nodes that are results of the program.
    for (const auto& output : graph_.outputs()) Materialise(StorageOf(graph_, output.value));
    for (const auto& update : graph_.updates()) Materialise(StorageOf(graph_, update.value));
    return Finish();
  }

 private:
  // Adds the node to a copy of the kernel, after its waiting inputs.
  Reason Join(Kernel& k, NodeId id) const {
    if (k.Has(id)) return "";  // It is computed again there, and now stored as well.
    const Node& node = graph_[id];
    for (const NodeId input : DataInputs(node)) {
      if (kernel_of_[input] >= 0 || !waits_[input] || k.Has(input)) continue;
      if (Reason why = Join(k, input); !why.empty()) return why;
    }
    if (Reason why = Fits(graph_, k, node); !why.empty()) return why;
    for (const NodeId input : DataInputs(node)) {
      // A waiting value behind a reshape would be read from memory, where it is not yet.
      const NodeId storage = StorageOf(graph_, input);
      if (storage != input && kernel_of_[storage] < 0 && waits_[storage]) return "a reshaped operand is not in memory";
    }
    if (node.info().kind == OpKind::kReduce && k.kind == KernelKind::kRows && k.run_rank == 0) {
      k.run_rank = ReducedRun(node).second;
      k.outer_rank = int64_t(k.space.size()) - k.run_rank;
    }
    k.Insert(id);
    return "";
  }

  // ---- Placing.

  // The kernels that kernel k would read from if it were `kernel`: none for values that it computes again.
  std::set<size_t> Sources(const Kernel& kernel, int k) const {
    std::set<size_t> sources;
    for (const NodeId id : kernel.members) {
      for (const NodeId input : DataInputs(graph_[id])) {
        const NodeId storage = StorageOf(graph_, input);
        const int from = kernel_of_[storage];
        if (from >= 0 && from != k && !kernel.Has(storage)) sources.insert(size_t(from));
      }
    }
    return sources;
  }

  void Place(NodeId id) {
    const Node& node = graph_[id];
    std::vector<int> candidates;
    const auto consider = [&](int k) {
      if (k >= 0 && std::ranges::find(candidates, k) == candidates.end()) candidates.push_back(k);
    };
    // Candidates are kernels that make an input or read one, the latest first, as it has most values in registers
    // already.
    std::vector<NodeId> reads;
    CollectReads(id, reads);
    std::set<int> producers;
    for (const NodeId input : reads) {
      producers.insert(kernel_of_[input]);
      consider(kernel_of_[input]);
      for (const int k : readers_[input]) consider(k);
    }
    std::ranges::sort(candidates, std::greater());
    // Where a kernel takes no more work, the work goes on in the latest one, which reads its results.
    const auto is_full = [&](int k) { return work_[size_t(k)] >= kMostWork; };
    if (std::ranges::any_of(candidates, is_full) && candidates[0] < int(kernels_.size()) - 1)
      candidates.insert(candidates.begin(), int(kernels_.size()) - 1);
    for (const int k : candidates) {
      if (is_full(k)) {
        if (producers.contains(k)) refused_[{k, id}] = "the kernel takes no more work";
        continue;
      }
      Kernel joined = kernels_[size_t(k)];
      Reason why = Join(joined, id);
      const int64_t work = why.empty() ? WorkOf(graph_, joined) : 0;
      if (work > kMostWork) why = "the kernel takes no more work";
      if (why.empty()) {
        const std::set<size_t> sources = Sources(joined, k);
        // Those that it reads from already do not need it.
        const std::set<size_t>& before = order_.needs(size_t(k));
        const bool cycle =
            std::ranges::any_of(sources, [&](size_t s) { return !before.contains(s) && order_.Needs(s, size_t(k)); });
        if (!cycle) {
          kernels_[size_t(k)] = std::move(joined);
          work_[size_t(k)] = work;
          return Settle(id, k);
        }
        why = "another operand is made from the kernel's result by another kernel";
      }
      if (producers.contains(k)) refused_[{k, id}] = std::move(why);
    }
    Kernel own = KernelFor(graph_, node);
    const bool takes_cheap_operands = own.kind == KernelKind::kRows || own.kind == KernelKind::kColumns;
    if (!takes_cheap_operands || !Join(own, id).empty()) {
      own = KernelFor(graph_, node);
      own.members = {id};
      // Operands that cannot be computed in the same kernel go into memory first.
      for (const NodeId input : DataInputs(node)) {
        const NodeId storage = StorageOf(graph_, input);
        if (in_place_[storage]) {
          for (const NodeId order : graph_[storage].inputs) Materialise(StorageOf(graph_, order));
          own.Insert(storage);
          continue;
        }
        Materialise(storage);
        refused_.try_emplace({kernel_of_[storage], id},
                             fmt::format("{} reads its operand from memory", node.info().name));
      }
    }
    work_.push_back(WorkOf(graph_, own));
    kernels_.push_back(std::move(own));
    order_.Add();
    Settle(id, int(kernels_.size()) - 1);
  }

  // Puts a waiting node into memory after all.
  void Materialise(NodeId id) {
    if (kernel_of_[id] >= 0 || IsLeaf(graph_[id])) return;
    Place(id);
  }

  // Collects the values that the node reads from memory or from a kernel, looking through waiting inputs.
  void CollectReads(NodeId id, std::vector<NodeId>& reads) const {
    for (const NodeId input : DataInputs(graph_[id])) {
      const NodeId storage = StorageOf(graph_, input);
      if (kernel_of_[storage] < 0 && waits_[storage] && storage == input) {
        CollectReads(storage, reads);
      } else if (!IsNumberAtHand(graph_[storage])) {
        reads.push_back(storage);
      }
    }
  }

  void Settle(NodeId id, int k) {
    kernel_of_[id] = k;
    order_.SetNeeds(size_t(k), Sources(kernels_[size_t(k)], k));
    std::vector<NodeId> reads;
    CollectReads(id, reads);
    for (const NodeId input : reads) {
      // Scalars are read everywhere, so sharing one is no reason to share a loop.
      if (graph_[input].type.rank() > 0) readers_[input].insert(k);
    }
  }

  // Why a member of kernel k reads a value from memory: the kernel that makes the value refused the member, or was not
  // tried.
  Reason WhyApart(int k, NodeId value, NodeId member) const {
    const auto refused = refused_.find({kernel_of_[value], member});
    if (refused != refused_.end()) return refused->second;
    return kernel_of_[member] == k ? "it is computed in the kernel of another operand"
                                   : "it is computed again for those in this kernel that need it";
  }

  // ---- The result, in an order that respects all needs.

  // The order that results from going over all kernels, round after round, and taking those whose needs are met: a
  // kernel is taken one round after a later kernel that it needs. Kernels in a circle are left out.
  std::vector<int> Order() const {
    const size_t count = kernels_.size();
    std::vector<std::vector<int>> readers(count);
    std::vector<size_t> missing(count), round(count);
    for (size_t k = 0; k < count; ++k) {
      missing[k] = order_.needs(k).size();
      for (const size_t source : order_.needs(k)) readers[source].push_back(int(k));
    }
    std::vector<int> order;
    for (size_t k = 0; k < count; ++k) {
      if (missing[k] == 0) order.push_back(int(k));
    }
    for (size_t i = 0; i < order.size(); ++i) {
      const int source = order[i];
      for (const int k : readers[size_t(source)]) {
        round[size_t(k)] = std::max(round[size_t(k)], round[size_t(source)] + (source > k ? 1 : 0));
        if (--missing[size_t(k)] == 0) order.push_back(k);
      }
    }
    std::ranges::sort(order, {}, [&](int k) { return std::pair(round[size_t(k)], k); });
    return order;
  }

  absl::StatusOr<FusedProgram> Finish() {
    FusedProgram program{.graph = graph_, .kernels = {}, .unfused = {}};
    for (NodeId id = 1; id < graph_.size(); ++id) {
      if (!needed_[id]) continue;
      for (const Graph& region : graph_[id].regions) {
        FUSEBOX_ASSIGN_OR_RETURN(program.regions[id].emplace_back(), Fuse(region));
      }
    }
    const size_t count = kernels_.size();
    for (size_t k = 0; k < count; ++k) order_.SetNeeds(k, Sources(kernels_[k], int(k)));
    const std::vector<int> order = Order();
    if (order.size() < count) return absl::InternalError("fuse: kernels need each other in a circle");
    std::set<NodeId> read_outside;
    for (const auto& output : graph_.outputs()) read_outside.insert(StorageOf(graph_, output.value));
    for (const auto& update : graph_.updates()) read_outside.insert(StorageOf(graph_, update.value));
    for (size_t k = 0; k < count; ++k) {
      for (const NodeId id : kernels_[k].members) {
        for (const NodeId input : DataInputs(graph_[id])) {
          const NodeId storage = StorageOf(graph_, input);
          if (!kernels_[k].Has(storage)) read_outside.insert(storage);
        }
      }
    }
    std::set<std::pair<NodeId, NodeId>> told;  // A member that several kernels compute is reported once.
    for (const int k : order) {
      Kernel kernel = kernels_[size_t(k)];
      for (const NodeId id : kernel.members) {
        if (kernel_of_[id] == k && read_outside.contains(id)) kernel.stored.push_back(id);
        std::set<NodeId> values;
        for (const NodeId input : DataInputs(graph_[id])) values.insert(StorageOf(graph_, input));
        for (const NodeId value : values) {
          if (IsLeaf(graph_[value]) || kernel.Has(value) || !told.insert({value, id}).second) continue;
          program.unfused.push_back(
              fmt::format("%{} -> %{} {}: {}", value, id, graph_[id].info().name, WhyApart(k, value, id)));
        }
      }
      program.kernels.push_back(std::move(kernel));
    }
    return program;
  }

  const Graph& graph_;
  std::vector<Kernel> kernels_;
  std::vector<int64_t> work_;   // Of each kernel.
  Precedence order_;            // Each kernel after those that it reads from.
  std::vector<int> kernel_of_;  // By node: its kernel; -1 for leaves and nodes that are computed again.
  std::vector<bool> needed_;
  std::vector<bool> waits_;     // See FindWaiting.
  std::vector<bool> in_place_;  // See FindRowsInPlace.
  std::map<NodeId, std::set<int>> readers_;
  std::map<std::pair<int, NodeId>, Reason> refused_;  // By kernel of an operand, and node.
};

}  // namespace

absl::StatusOr<FusedProgram> Fuse(const Graph& graph) { return Fuser(graph).Run(); }

}  // namespace fusebox
