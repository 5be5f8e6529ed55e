// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/fuse/fuse.h"

#include <algorithm>
#include <map>
#include <set>

#include "fusebox/compiler/fuse/precedence.h"
#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

// "" if it fits, else why not.
using Reason = std::string;

bool IsTransposeOfMatrix(const Node& node) {
  return node.op == Op::kTranspose && node.type.rank() == 2 && node.attributes.List("permutation") == Ints{1, 0};
}

// Cheaper to compute again than to store and load.
bool IsCheap(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  if (node.info().cost == Cost::kLess) return true;
  if (node.info().kind != OpKind::kElementwise) return false;
  if (node.type.dtype == DType::kBool) return true;
  if (node.op == Op::kCast && graph[node.inputs[0]].type.dtype == DType::kBool) return true;
  // A step of arithmetic on one array that lies in memory anyway, as momentum * slot: loading it costs the same.
  const auto leaf = [&](NodeId input) { return IsLeaf(graph[input]); };
  const auto array = [&](NodeId input) { return graph[input].type.rank() > 0; };
  return node.info().cost == Cost::kSame && std::ranges::all_of(node.inputs, leaf) &&
         std::ranges::count_if(node.inputs, array) == 1;
}

// An index along the last axis of the space: known at each point, of whatever rank the iota itself is.
bool IsIndexInto(const Node& node, const Shape& space) {
  return IsIndex(node) && node.type.rank() == 1 && !space.empty() && node.type.shape[0] == space.back();
}

Shape WithOnes(Shape shape, size_t rank) {
  while (shape.size() < rank) shape.insert(shape.begin(), 1);
  return shape;
}

// The axes of a reduction, from the first to the last: adjacent ones only, after the pass canonical_reductions.
std::pair<int64_t, int64_t> ReducedRun(const Node& node) {
  if (node.attributes.Find("axis") != nullptr) return {node.attributes.Int("axis"), 1};
  const Ints& axes = node.attributes.List("axes");
  return {axes.empty() ? 0 : axes[0], int64_t(axes.size())};
}

// The nodes that wait for their users, and are computed in each kernel that needs them: cheap ones, and elementwise ones
// on arrays that lie in memory anyway if a single elementwise node uses them, as the sign of a weight in its penalty.
std::vector<bool> FindWaiting(const Graph& graph) {
  std::vector<int> users(graph.size());
  std::vector<bool> elementwise_user(graph.size());
  for (NodeId id = 1; id < graph.size(); ++id) {
    for (const NodeId input : graph[id].inputs) {
      ++users[input];
      elementwise_user[input] = graph[id].info().kind == OpKind::kElementwise;
    }
  }
  for (const auto& output : graph.outputs()) ++users[output.value];
  for (const auto& update : graph.updates()) ++users[update.value];
  std::vector<bool> waits(graph.size());
  for (NodeId id = 1; id < graph.size(); ++id) {
    const Node& node = graph[id];
    const auto at_hand = [&](NodeId input) {
      return IsLeaf(graph[input]) || graph[input].type.rank() == 0 || waits[input];
    };
    const bool alone = node.info().kind == OpKind::kElementwise && node.type.rank() > 0 && users[id] == 1 &&
                       elementwise_user[id] && std::ranges::all_of(node.inputs, at_hand);
    waits[id] = IsCheap(graph, id) || alone;
  }
  return waits;
}

// The rows of data sets that nobody but products reads, as their A: they stay where the data set has them, as part of each
// product that reads them, and no copy of a batch is made.
std::vector<bool> FindRowsInPlace(const Graph& graph, const std::vector<bool>& needed) {
  std::vector<bool> in_place(graph.size());
  for (NodeId id = 1; id < graph.size(); ++id) {
    in_place[id] = graph[id].info().binding == Binding::kDataSet && graph[id].type.rank() > 1;
  }
  const auto somebody_reads = [&](NodeId value) { in_place[StorageOf(graph, value)] = false; };
  for (NodeId id = 1; id < graph.size(); ++id) {
    const Node& node = graph[id];
    if (!needed[id] || IsView(node)) continue;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const NodeId input = node.inputs[i], storage = StorageOf(graph, input);
      // What can be in place has rows; something else may be a number, reshaped.
      const bool as_rows = in_place[storage] && node.info().kind == OpKind::kMatMul && i == 0 &&
                           StorageOf(graph, node.inputs[1]) != storage &&
                           graph[input].type.shape[0] == graph[storage].type.shape[0];
      if (!as_rows) somebody_reads(input);
    }
  }
  for (const auto& output : graph.outputs()) somebody_reads(output.value);
  for (const auto& update : graph.updates()) somebody_reads(update.value);
  return in_place;
}

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
    // Cheap nodes that the program itself asks for.
    for (const auto& output : graph_.outputs()) Materialise(StorageOf(graph_, output.value));
    for (const auto& update : graph_.updates()) Materialise(StorageOf(graph_, update.value));
    return Finish();
  }

 private:
  // ---- Can this node be computed in this kernel's loop nest?

  Reason FitsRows(const Kernel& k, const Node& node) const {
    const Shape left = ReducedSpace(k);
    const Shape outer_and_ones = [&] {
      Shape s(k.space.begin(), k.space.begin() + k.outer_rank);
      s.resize(k.space.size(), 1);
      return s;
    }();
    if (node.info().kind == OpKind::kReduce) {
      const auto [first, count] = ReducedRun(node);
      const Type& in = graph_[node.inputs[0]].type;
      if (in.shape != k.space)
        return fmt::format("it reduces {}, the kernel runs over {}", ToString(in.shape), ToString(k.space));
      if (first + count != in.rank()) return "it reduces other axes than the last";
      if (k.run_rank != 0 && k.run_rank != count) return "it reduces another number of axes";
      if (count > 1 && k.run_rank == 0) return "the kernel's loops are not laid out for it";
      return "";
    }
    if (!IsPointwise(node)) return fmt::format("{} has a loop nest of its own", node.info().name);
    if (IsIndexInto(node, k.space) && k.run_rank <= 1) return "";
    if (node.type.shape == k.space) {
      if (k.run_rank > 1) {
        // The folded axes are one loop: an operand must lie along all of them, or along none.
        if (ReadsElsewhere(node) || IsIndex(node)) return "it needs the index of an axis that is folded";
        for (const NodeId input : DataInputs(node)) {
          const Shape s = WithOnes(graph_[input].type.shape, k.space.size());
          const bool along = std::equal(s.begin() + k.outer_rank, s.end(), k.space.begin() + k.outer_rank);
          const bool across = std::all_of(s.begin() + k.outer_rank, s.end(), [](int64_t d) { return d == 1; });
          if (!along && !across) return "an operand repeats along some of the folded axes only";
        }
      }
      for (const NodeId input : DataInputs(node)) {
        const NodeId storage = StorageOf(graph_, input);
        if (!k.Has(storage)) continue;
        if (ReadsElsewhere(node)) return "it reads other elements than its own";
        const Shape& shape = graph_[input].type.shape;
        if (IsElement(graph_, k, storage)) {
          if (shape != graph_[storage].type.shape) return "it reads other elements than its own";
        } else if (WithOnes(shape, k.space.size()) != outer_and_ones) {
          return "it reads other rows' results";
        }
      }
      return "";
    }
    // One element a row, after the reductions.
    if (k.run_rank == 0 || (node.type.shape != left && node.type.shape != outer_and_ones)) {
      return fmt::format("its shape is {}, the kernel's {}", ToString(node.type.shape), ToString(k.space));
    }
    return FitsReduced(k, node);
  }

  // Elementwise on what the reductions leave.
  Reason FitsReduced(const Kernel& k, const Node& node) const {
    if (!IsPointwise(node) || ReadsElsewhere(node))
      return fmt::format("{} has a loop nest of its own", node.info().name);
    for (const NodeId input : DataInputs(node)) {
      const NodeId storage = StorageOf(graph_, input);
      if (!k.Has(storage)) continue;
      if (IsElement(graph_, k, storage)) return "it reads other elements than its own";
      if (WithOnes(graph_[input].type.shape, node.type.shape.size()) != node.type.shape)
        return "it reads other rows' results";
    }
    return "";
  }

  Reason FitsColumns(const Kernel& k, const Node& node) const {
    if (node.info().kind == OpKind::kReduce) {
      const auto [first, count] = ReducedRun(node);
      const bool same = graph_[node.inputs[0]].type.shape == k.space && first == k.outer_rank && count == k.run_rank;
      if (!same || node.info().gives_index) return "it reduces over another space";
      return k.Has(StorageOf(graph_, node.inputs[0])) ? "it reads the kernel's result" : "";
    }
    if (node.type.shape != ReducedSpace(k)) {
      return fmt::format("its shape is {}, the kernel leaves {}", ToString(node.type.shape), ToString(ReducedSpace(k)));
    }
    if (int64_t(k.space.size()) - k.outer_rank - k.run_rank > 1) {
      // The axes that stay are one loop: an operand must lie along all of them, or be a single number.
      for (const NodeId input : DataInputs(node)) {
        const Shape& s = graph_[input].type.shape;
        if (s != node.type.shape && std::ranges::any_of(s, [](int64_t d) { return d != 1; })) {
          return "an operand repeats along some of the columns' axes only";
        }
      }
    }
    return FitsReduced(k, node);
  }

  Reason FitsMatMul(const Kernel& k, const Node& node) const {
    if (IsIndexInto(node, k.space)) return "";
    if (!IsPointwise(node) || ReadsElsewhere(node))
      return fmt::format("{} has a loop nest of its own", node.info().name);
    if (node.type.shape != k.space) {
      return fmt::format("its shape is {}, the product's {}", ToString(node.type.shape), ToString(k.space));
    }
    for (const NodeId input : DataInputs(node)) {
      const NodeId storage = StorageOf(graph_, input);
      if (k.Has(storage) && graph_[input].type.shape != graph_[storage].type.shape)
        return "it reads other elements than its own";
    }
    return "";
  }

  Reason Fits(const Kernel& k, const Node& node) const {
    switch (k.kind) {
      case KernelKind::kMatMul:
        return FitsMatMul(k, node);
      case KernelKind::kRows:
        return FitsRows(k, node);
      case KernelKind::kColumns:
        return FitsColumns(k, node);
      default:
        return fmt::format("a {} takes no other work", Name(k.kind));
    }
  }

  // Adds the node to a copy of the kernel, its cheap inputs first.
  Reason Join(Kernel& k, NodeId id) const {
    if (k.Has(id)) return "";  // It was computed again there, and is now stored as well.
    const Node& node = graph_[id];
    for (const NodeId input : DataInputs(node)) {
      if (kernel_of_[input] >= 0 || !waits_[input] || k.Has(input)) continue;
      if (Reason why = Join(k, input); !why.empty()) return why;
    }
    if (Reason why = Fits(k, node); !why.empty()) return why;
    for (const NodeId input : DataInputs(node)) {
      // A cheap value behind a reshape is read from memory, and it is not there yet.
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

  Kernel KernelFor(const Node& node) const {
    const auto in = [&] { return graph_[node.inputs[0]].type.shape; };
    const int64_t rank = node.type.rank();
    if (node.info().kind == OpKind::kMatMul) return {.kind = KernelKind::kMatMul, .space = node.type.shape};
    if (node.info().kind == OpKind::kControl) return {.kind = KernelKind::kControl};
    if (node.info().access == Access::kLoopNest && node.info().kind == OpKind::kMovement)
      return {.kind = KernelKind::kCopy, .space = node.type.shape};
    if (node.info().access == Access::kLoopNest && node.info().kind == OpKind::kGather)
      return {.kind = KernelKind::kScatter, .space = graph_[node.inputs[1]].type.shape};
    if (IsTransposeOfMatrix(node)) return {.kind = KernelKind::kTranspose, .space = node.type.shape};
    if (node.info().kind == OpKind::kReduce) {
      const auto [first, count] = ReducedRun(node);
      const bool last = first + count == int64_t(in().size());
      return {.kind = last ? KernelKind::kRows : KernelKind::kColumns,
              .space = in(),
              .outer_rank = first,
              .run_rank = count};
    }
    return {.kind = KernelKind::kRows, .space = node.type.shape, .outer_rank = std::max<int64_t>(rank - 1, 0)};
  }

  // ---- Placing.

  // The kernels that kernel k, as `kernel` is, reads from. What it computes again it needs nobody for.
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
    // Kernels that make an input, and those that read one; the latest first, as it has the most in registers already.
    std::vector<NodeId> reads;
    CollectReads(id, reads);
    std::set<int> producers;
    for (const NodeId input : reads) {
      producers.insert(kernel_of_[input]);
      consider(kernel_of_[input]);
      for (const int k : readers_[input]) consider(k);
    }
    std::ranges::sort(candidates, std::greater());
    for (const int k : candidates) {
      Kernel joined = kernels_[size_t(k)];
      Reason why = Join(joined, id);
      if (why.empty()) {
        const std::set<size_t> sources = Sources(joined, k);
        const bool cycle = std::ranges::any_of(sources, [&](size_t s) { return order_.Needs(s, size_t(k)); });
        if (!cycle) {
          kernels_[size_t(k)] = std::move(joined);
          return Settle(id, k);
        }
        why = "another operand is made from the kernel's result by another kernel";
      }
      if (producers.contains(k)) refused_[{k, id}] = std::move(why);
    }
    Kernel own = KernelFor(node);
    const bool takes_cheap_operands = own.kind == KernelKind::kRows || own.kind == KernelKind::kColumns;
    if (!takes_cheap_operands || !Join(own, id).empty()) {
      own = KernelFor(node);
      own.members = {id};
      // Operands that cannot be computed along are put into memory first.
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
    kernels_.push_back(std::move(own));
    order_.Add();
    Settle(id, int(kernels_.size()) - 1);
  }

  // A cheap node that has to lie in memory after all.
  void Materialise(NodeId id) {
    if (kernel_of_[id] >= 0 || IsLeaf(graph_[id])) return;
    Place(id);
  }

  // What the node reads that is in memory or made by a kernel, looking through cheap inputs.
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
      // Scalars are read everywhere: sharing one is no reason to share a loop.
      if (graph_[input].type.rank() > 0) readers_[input].insert(k);
    }
  }

  // Why a member of kernel k reads a value from memory: the kernel that makes it refused the member, or was not asked.
  Reason WhyApart(int k, NodeId value, NodeId member) const {
    const auto refused = refused_.find({kernel_of_[value], member});
    if (refused != refused_.end()) return refused->second;
    return kernel_of_[member] == k ? "it is computed in the kernel of another operand"
                                   : "it is computed again for those in this kernel that need it";
  }

  // ---- The result, in an order that respects all needs.

  // As if all kernels were asked by turns, over and over, whether all that they need is there: a kernel is taken one
  // round after a later one that it needs. Those in a circle are missing.
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
    std::set<std::pair<NodeId, NodeId>> told;  // A member that several kernels compute reads the same in each.
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
  Precedence order_;            // Kernels after those that they read from.
  std::vector<int> kernel_of_;  // By node: where it is made, -1 for leaves and what is computed again.
  std::vector<bool> needed_;
  std::vector<bool> waits_;     // See FindWaiting.
  std::vector<bool> in_place_;  // See FindRowsInPlace.
  std::map<NodeId, std::set<int>> readers_;
  std::map<std::pair<int, NodeId>, Reason> refused_;  // By kernel of an operand, and node.
};

}  // namespace

absl::StatusOr<FusedProgram> Fuse(const Graph& graph) { return Fuser(graph).Run(); }

}  // namespace fusebox
