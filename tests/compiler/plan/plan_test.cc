// SPDX-License-Identifier: Apache-2.0
// The memory plan and the schedule: which values may share memory and do, and which kernels wait for which.
#include "fusebox/compiler/plan/plan.h"

#include <algorithm>
#include <map>

#include "fmt/format.h"
#include "fusebox/compiler/fuse/fuse.h"
#include "fusebox/compiler/passes/pipeline.h"
#include "fusebox/compiler/plan/row_chains.h"
#include "gtest/gtest.h"
#include "tests/compiler/fuse_all.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox {
namespace {

using testing::FuseAll;
using ::testing::HasSubstr;
using testing::ParseGraph;
using testing::RandomGraph;

// The kernels' reads from memory, and the plan's facts about kernels and values, derived independently.
struct Facts {
  std::map<NodeId, size_t> maker;                 // The kernel that stores a value.
  std::map<NodeId, std::vector<size_t>> readers;  // Kernels that read it from memory.
  std::vector<int64_t> phase;                     // By kernel.
  std::vector<size_t> turn;                       // By kernel: its place in the order of all.

  Facts(const FusedProgram& program, const Plan& plan)
      : phase(program.kernels.size(), -1), turn(program.kernels.size()), program_(program), plan_(plan) {
    size_t turns = 0;
    for (size_t p = 0; p < plan.phases.size(); ++p) {
      for (const size_t k : plan.phases[p]) {
        EXPECT_EQ(phase[k], -1) << "kernel " << k << " runs twice";
        phase[k] = int64_t(p);
        turn[k] = turns++;
      }
    }
    for (size_t k = 0; k < program.kernels.size(); ++k) {
      EXPECT_NE(phase[k], -1) << "kernel " << k << " never runs";
      for (const NodeId id : program.kernels[k].stored) {
        EXPECT_FALSE(maker.contains(id)) << "%" << id << " is stored twice";
        maker[id] = k;
      }
      for (const NodeId id : program.kernels[k].members) {
        for (const NodeId input : DataInputs(program.graph[id])) {
          const NodeId storage = StorageOf(program.graph, input);
          if (!program.kernels[k].Has(storage)) readers[storage].push_back(k);
        }
      }
    }
  }

  // Whether every use of `value` by `other` happens after `kernel`: there is a barrier between them, or one thread runs
  // both for the same rows, or for all rows.
  bool IsBefore(size_t kernel, size_t other, NodeId value) const {
    if (phase[kernel] != phase[other]) return phase[kernel] < phase[other];
    const Kernel &one = program_.kernels[kernel], &two = program_.kernels[other];
    const bool by_rows = plan_.by_rows[kernel] && plan_.by_rows[other] && ReadsOnlyOwnRow(program_.graph, one, value) &&
                         ReadsOnlyOwnRow(program_.graph, two, value);
    return turn[kernel] < turn[other] && (by_rows || (HasOneUnit(one) && HasOneUnit(two)));
  }

 private:
  const FusedProgram& program_;
  const Plan& plan_;
};

void ExpectPhasesRespectEdges(const FusedProgram& program, const Facts& facts) {
  for (const auto& [value, readers] : facts.readers) {
    for (const size_t reader : readers) {
      if (IsLeaf(program.graph[value])) continue;
      ASSERT_TRUE(facts.maker.contains(value)) << "%" << value << " is read, and no kernel stores it";
      EXPECT_TRUE(facts.IsBefore(facts.maker.at(value), reader, value)) << "%" << value;
    }
  }
}

// A state's array is overwritten by its update, in place or by a copy at the end. In place, all other readers of the
// old value must come before.
void ExpectUpdatesComeAfterReads(const FusedProgram& program, const Plan& plan, const Facts& facts) {
  for (const auto& update : program.graph.updates()) {
    const NodeId value = StorageOf(program.graph, update.value);
    const Place &from = plan.places[value], &to = plan.places[update.state];
    ASSERT_EQ(to.kind, Place::Kind::kPort);
    if (from.kind != Place::Kind::kPort || from.port != to.port) {
      const bool copied = std::ranges::any_of(
          plan.copies, [&](const Plan::Copy& copy) { return copy.from == value && copy.to_port == to.port; });
      EXPECT_TRUE(copied) << "%" << value << " never reaches its state";
      continue;
    }
    const size_t maker = facts.maker.at(value);
    if (!facts.readers.contains(update.state)) continue;
    for (const size_t reader : facts.readers.at(update.state)) {
      if (reader == maker) continue;
      EXPECT_TRUE(facts.IsBefore(reader, maker, update.state)) << "%" << update.state << " is overwritten";
    }
  }
}

void ExpectNoTwoLiveValuesOverlap(const FusedProgram& program, const Plan& plan, const Facts& facts,
                                  int64_t row_capacity) {
  struct Live {
    NodeId id;
    int64_t offset, bytes, first, last;
  };
  std::vector<Live> all;
  for (const auto& [id, maker] : facts.maker) {
    if (plan.places[id].kind != Place::Kind::kArena) continue;
    const Type& type = program.graph[id].type;
    Live live = {id, plan.places[id].offset, NumElements(type.shape, row_capacity) * SizeOf(type.dtype),
                 facts.phase[maker], 0};
    live.last = live.first;
    if (facts.readers.contains(id)) {
      for (const size_t reader : facts.readers.at(id)) live.last = std::max(live.last, facts.phase[reader]);
    }
    for (const Plan::Copy& copy : plan.copies) {
      if (copy.from == id) live.last = int64_t(plan.phases.size());
    }
    EXPECT_EQ(live.offset % 64, 0);
    EXPECT_LE(live.offset + live.bytes, plan.arena_bytes);
    all.push_back(live);
  }
  for (const Live& a : all) {
    for (const Live& b : all) {
      if (a.id >= b.id || a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset) continue;
      if (a.last < b.first || b.last < a.first) continue;
      // They meet in one phase. Then every reader of the value that ends there comes before the kernel that makes the
      // other one, or is that kernel.
      const bool a_is_old = a.last == b.first &&
                            (b.last != a.first || facts.turn[facts.maker.at(a.id)] < facts.turn[facts.maker.at(b.id)]);
      const Live &old = a_is_old ? a : b, &next = a_is_old ? b : a;
      EXPECT_EQ(old.last, next.first) << "%" << a.id << " and %" << b.id << " overlap";
      EXPECT_EQ(old.offset, next.offset);
      EXPECT_EQ(SizeOf(program.graph[old.id].type.dtype), SizeOf(program.graph[next.id].type.dtype));
      ASSERT_TRUE(facts.readers.contains(old.id));
      for (const size_t reader : facts.readers.at(old.id)) {
        const size_t maker = facts.maker.at(next.id);
        EXPECT_TRUE(reader == maker || facts.IsBefore(reader, maker, old.id))
            << "%" << old.id << " is still read while %" << next.id << " takes its place";
      }
    }
  }
}

TEST(Plan, RandomProgramsNeverOverwriteWhatIsStillRead) {
  int64_t shared = 0;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(RandomGraph(seed, {.train = seed % 2 == 0})));
    for (const int64_t row_capacity : {1, 7, 64}) {
      const Plan plan = MakePlan(program, {.row_capacity = row_capacity});
      const Facts facts(program, plan);
      ASSERT_NO_FATAL_FAILURE(ExpectPhasesRespectEdges(program, facts));
      ASSERT_NO_FATAL_FAILURE(ExpectUpdatesComeAfterReads(program, plan, facts));
      ASSERT_NO_FATAL_FAILURE(ExpectNoTwoLiveValuesOverlap(program, plan, facts, row_capacity));
      EXPECT_LE(plan.arena_bytes, plan.intermediate_bytes);
      shared += plan.arena_bytes < plan.intermediate_bytes;
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(shared, 100) << "memory is hardly ever shared: the test says little";
}

// Three products in a row: the first result is dead when the third is made.
TEST(Plan, DeadValuesGiveTheirMemoryAway) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(R"(
    %x = input : f32[N,16]
    %w = state {kind = "weight"} : f32[16,16]
    %0 = matmul %x, %w : f32[N,16]
    %1 = matmul %0, %w : f32[N,16]
    %2 = matmul %1, %w : f32[N,16]
    %3 = matmul %2, %w : f32[N,16]
    %4 = matmul %3, %w : f32[N,16]
    return y = %4)")));
  Target no_caches;  // Disables chaining.
  no_caches.caches.l2 = 0;
  const Plan plan = MakePlan(program, {.row_capacity = 8, .target = no_caches});
  EXPECT_EQ(plan.intermediate_bytes, 4 * 8 * 16 * 4);
  EXPECT_EQ(plan.arena_bytes, 2 * 8 * 16 * 4);
  EXPECT_EQ(plan.phases.size(), 5u);
  EXPECT_THAT(PrintMemory(program, plan), HasSubstr("arena 1024 bytes for 2048 bytes of intermediates"));
}

TEST(Plan, AnUpdateTakesTheStatesOwnMemory) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(R"(
    %x = input : f32[N,4]
    %w = state {kind = "weight"} : f32[4,3]
    %0 = matmul %x, %w : f32[N,3]
    %1 = matmul %x, %0 {transpose_a = true} : f32[4,3]
    %2 = subtract %w, %1 : f32[4,3]
    update %w = %2
    return y = %0)")));
  const Plan plan = MakePlan(program, {.row_capacity = 8});
  EXPECT_TRUE(plan.copies.empty());
  EXPECT_EQ(plan.arena_bytes, 0);  // Every value lies in a port.
  const NodeId value = program.graph.updates()[0].value, state = program.graph.updates()[0].state;
  EXPECT_EQ(plan.places[value].kind, Place::Kind::kPort);
  EXPECT_EQ(plan.places[value].port, plan.places[state].port);
  EXPECT_TRUE(plan.ports[size_t(plan.places[state].port)].written);
}

// The product still reads the matrix that it is to replace: the update is stored elsewhere and copied at the end.
TEST(Plan, AnUpdateThatReadsOtherElementsIsCopied) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(R"(
    %w = state {kind = "weight"} : f32[4,4]
    %0 = matmul %w, %w : f32[4,4]
    %1 = constant 0 : f32[]
    update %w = %0
    return y = %1)")));
  const Plan plan = MakePlan(program, {.row_capacity = 1});
  ASSERT_EQ(plan.copies.size(), 1u);
  EXPECT_EQ(plan.copies[0].from, program.graph.updates()[0].value);
  EXPECT_THAT(PrintMemory(program, plan), HasSubstr("copied to port w"));
}

TEST(Plan, ExchangedStatesNeedOneCopy) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(R"(
    %a = state {kind = "weight"} : f32[4,4]
    %b = state {kind = "weight"} : f32[4,4]
    %0 = constant 0 : f32[]
    update %a = %b
    update %b = %a
    return y = %0)")));
  EXPECT_EQ(MakePlan(program, {.row_capacity = 1}).copies.size(), 1u);
}

// A result takes the place of an operand that only it still needs, element by element. The sums between them keep the
// two in separate kernels.
TEST(Plan, AResultTakesTheDyingOperandsPlace) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(R"(
    %x = input : f32[N,16]
    %w = state {kind = "weight"} : f32[16,16]
    %0 = matmul %x, %w : f32[N,16]
    %1 = sum %0 {axes = [0]} : f32[16]
    %2 = subtract %0, %1 : f32[N,16]
    %3 = matmul %2, %w : f32[N,16]
    return y = %3)")));
  const Plan plan = MakePlan(program, {.row_capacity = 8});
  std::map<std::string, int64_t> offsets;
  for (const Kernel& kernel : program.kernels) {
    for (const NodeId id : kernel.stored) offsets[program.graph[id].info().name] = plan.places[id].offset;
  }
  ASSERT_TRUE(offsets.contains("subtract")) << Print(program);
  EXPECT_EQ(plan.arena_bytes, 8 * 16 * 4 + 64) << PrintMemory(program, plan);
}

TEST(Plan, IndependentKernelsShareAPhase) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(R"(
    %x = input : f32[N,4]
    %y = input : f32[N,5]
    %v = state {kind = "weight"} : f32[4,3]
    %w = state {kind = "weight"} : f32[5,2]
    %0 = matmul %x, %v : f32[N,3]
    %1 = matmul %y, %w : f32[N,2]
    %2 = concatenate %0, %1 {axis = 1} : f32[N,5]
    return z = %2)")));
  const Plan plan = MakePlan(program, {.row_capacity = 4});
  ASSERT_EQ(plan.phases.size(), 2u);
  EXPECT_EQ(plan.phases[0].size(), 2u);
  EXPECT_EQ(plan.phases[1].size(), 1u);
  EXPECT_THAT(PrintSchedule(program, plan), HasSubstr("phase 1\n  kernel 2 copy [N,5]"));
}

}  // namespace
}  // namespace fusebox
