// SPDX-License-Identifier: Apache-2.0
// Compares random programs, optimized and compiled, with the reference evaluator: forward, and with gradients and
// updates; small ones with every op, and large ones with padded rows, packed weights and k in blocks. Each runs for
// this machine and, in turn, for one of the smaller targets that it can stand in for, on 1 to 4 threads, which must not
// change a bit.
//
// FUSEBOX_RANDOM_GRAPHS=5000 tries this many programs, each for all targets, instead of what fits into a minute.
// FUSEBOX_RANDOM_SEED=7 starts the seeds there.
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <optional>

#include "fusebox/compiler/fuse/fuse.h"
#include "fusebox/compiler/native/machine.h"
#include "fusebox/compiler/passes/differentiate.h"
#include "fusebox/compiler/passes/pipeline.h"
#include "fusebox/compiler/plan/plan.h"
#include "fusebox/compiler/schedule/schedule_model.h"
#include "fusebox/graph/text.h"
#include "gtest/gtest.h"
#include "tests/compiler/run_jit.h"
#include "tests/support/compare.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

constexpr int kMostThreads = 4;

int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atoll(text) : otherwise;
}

std::vector<std::string> TargetsFor(uint64_t seed) {
  const std::vector<std::string>& all = RunnableTargets();
  if (all.size() == 1 || std::getenv("FUSEBOX_RANDOM_GRAPHS") != nullptr) return all;
  return {all[seed / 5 % (all.size() - 1)], all.back()};
}

// Features that occurred in the programs.
struct Seen {
  std::map<Op, int64_t> ops;
  int64_t padded = 0, packed = 0, blocks_of_k = 0;  // Values with padded rows, states in panels, products in blocks.
  int64_t elements = 0, unbounded = 0;
};

// Some have more capacity than rows; half of them keep all weights in panels, however small, and half have an
// inaccessible page after each intermediate.
CompileOptions Options(uint64_t seed, int64_t batch) {
  CompileOptions options{.row_capacity = batch + int64_t(seed % 3)};
  if (seed % 2 == 1) options.pack_from_bytes = 0;
  if (seed / 2 % 2 == 1) options.guard_bytes = sysconf(_SC_PAGESIZE);
  return options;
}

// Half of the programs are scheduled for a machine with small caches, whatever this machine has, so that more products
// go in blocks.
ScheduleSource SchedulesFor(uint64_t seed, const Machine& machine) {
  if (seed / 4 % 2 == 1) return {};
  Target small = machine.target;
  small.caches.l1d = 16 << 10;
  small.caches.l2 = 64 << 10;
  return [small](const ProductShape& shape) { return ChooseSchedule(shape, small); };
}

bool Same(const Evaluation& a, const Evaluation& b) { return a.outputs == b.outputs && a.states == b.states; }

void CountLayouts(const Graph& program, const CompileOptions& options, uint64_t seed, Seen& seen) {
  std::vector<PassReport> reports;
  ASSERT_OK_AND_ASSIGN(const Graph graph, RunGraphPasses(program, {}, reports));
  ASSERT_OK_AND_ASSIGN(const FusedProgram fused, Fuse(graph));
  ASSERT_OK_AND_ASSIGN(const Machine* const machine, FindMachine(options.target_cpu, /*to_run=*/true));
  const Plan plan = MakePlan(fused, {.row_capacity = options.row_capacity,
                                     .pack_from_bytes = options.pack_from_bytes,
                                     .guard_bytes = options.guard_bytes,
                                     .target = machine->target,
                                     .given = SchedulesFor(seed, *machine)});
  for (const Place& place : plan.places) seen.padded += place.layout == Layout::kPadded;
  seen.packed += int64_t(plan.packed.size());
  for (const auto& [product, cut] : plan.products) seen.blocks_of_k += cut.partial_sums >= 0;
}

void CheckGraph(const Graph& graph, uint64_t seed, int64_t batch, Seen& seen) {
  const Bindings bindings = RandomBindings(graph, seed, batch);
  CompileOptions options = Options(seed, batch);
  CountLayouts(graph, options, seed, seen);
  ASSERT_OK_AND_ASSIGN(const Graph written_out, Differentiate(graph));
  std::optional<Evaluation> last;
  for (const std::string& target : TargetsFor(seed)) {
    SCOPED_TRACE(fmt::format("seed {}, batch {}, target {}", seed, batch, target));
    options.target_cpu = target;
    ASSERT_OK_AND_ASSIGN(const Machine* const machine, FindMachine(target, /*to_run=*/true));
    options.schedule = SchedulesFor(seed, *machine);
    const absl::StatusOr<Executable> program = Compile(graph, options);
    ASSERT_OK(program) << Print(graph);
    ASSERT_OK_AND_ASSIGN(const Evaluation one, RunStep(*program, bindings, 1));
    for (int threads = 2; threads <= kMostThreads; ++threads) {
      ASSERT_OK_AND_ASSIGN(const Evaluation more, RunStep(*program, bindings, threads));
      ASSERT_TRUE(Same(one, more)) << threads << " threads change bits\n" << Print(graph);
    }
    if (last && Same(*last, one)) continue;  // Equal to the previous target's results, which were compared already.
    const Agreement agreement = Compare(written_out, bindings, one);
    ASSERT_EQ(agreement.mismatch, "") << Print(graph);
    seen.unbounded += agreement.unbounded;
    seen.elements += agreement.elements;
    last = one;
  }
}

// Half of them with gradients and updates.
void CheckMany(int64_t count, bool large, Seen& seen) {
  const std::vector<int64_t> batches =
      large ? std::vector<int64_t>{1, 9, 48, 129, 300} : std::vector<int64_t>{1, 2, 5, 16, 33};
  const uint64_t first = uint64_t(FromEnvironment("FUSEBOX_RANDOM_SEED", 1));
  for (uint64_t seed = first; seed < first + uint64_t(count); ++seed) {
    const bool train = seed / 12 % 2 == 1;  // In combination with every batch and all options.
    const Graph graph = RandomGraph(seed, {.max_nodes = large ? 20 : 40, .train = train, .large = large});
    CountOps(graph, seen.ops);
    CheckGraph(graph, seed, batches[seed % batches.size()], seen);
    if (::testing::Test::HasFatalFailure()) return;
  }
  std::printf("%d programs; %d values with padded rows, %d states in panels, %d products in blocks of k\n", int(count),
              int(seen.padded), int(seen.packed), int(seen.blocks_of_k));
  EXPECT_LT(double(seen.unbounded), 0.05 * double(seen.elements));
}

TEST(RandomGraphs, CompiledForwardAndBackwardAgreeWithTheEvaluator) {
  Seen seen;
  CheckMany(FromEnvironment("FUSEBOX_RANDOM_GRAPHS", 500) * 9 / 10, /*large=*/false, seen);
  if (HasFatalFailure()) return;
  for (const OpInfo& op : AllOps()) {
    std::printf("%-16s %5d\n", op.name, int(seen.ops[op.op]));
    if (op.kind == OpKind::kControl) continue;  // tests/compiler/control_flow_test.cc has those.
    EXPECT_GE(seen.ops[op.op], 20) << op.name;
  }
}

TEST(RandomGraphs, LargeOnesAgreeWithTheEvaluator) {
  Seen seen;
  const int64_t count = FromEnvironment("FUSEBOX_RANDOM_GRAPHS", 500) / 10;
  CheckMany(count, /*large=*/true, seen);
  if (HasFatalFailure()) return;
  EXPECT_GE(seen.padded, count / 2);
  EXPECT_GE(seen.packed, count / 8);
  EXPECT_GE(seen.blocks_of_k, count / 10);
}

}  // namespace
}  // namespace fusebox::testing
