// SPDX-License-Identifier: Apache-2.0
// compiler/ makes a program run fast: passes over the graph, fusion into kernels, memory plan, schedule, LLVM code
// generation, the JIT. It sees graph/ and never touches user data; runtime/ and tools/ see it.
//
// The unit of compilation is one step of a program (for training: gather of rows, forward, loss, metrics, backward,
// update). The result is one native function that runs many such steps a call, on as many threads as enter it together.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/compiler/schedule/product_schedule.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

// One array that the caller binds. An array whose first dimension is N belongs to a batch: step s of a run sees rows
// s*batch and on of it. All others (states, scalars, whole data sets) are the same for every step.
struct Port {
  enum class Kind : uint8_t { kInput, kRows, kState, kOutput };
  Kind kind = Kind::kInput;
  std::string name;
  Type type;             // kRows: of the batch; the array itself holds as many rows as the data set has.
  bool written = false;  // Outputs, and states that have an update.
};

class Profile;

// What the threads of one run share. The native function reads and writes it; its layout is fixed.
struct RunContext {
  void* const* ports = nullptr;  // One array for each port, in order, each aligned as its dtype needs.
  void* arena = nullptr;         // Executable::arena_bytes() bytes, aligned to 64; content does not matter.
  int64_t threads = 1;           // How many threads enter, with ids 0 .. threads - 1.
  int64_t first_step = 0;        // Steps first_step, first_step + 1, ... are run,
  int64_t steps = 0;             // at most this many,
  int64_t batch = 0;             // each of this many rows, at most Executable::row_capacity(),
  int64_t rows = 0;              // but the last one ends at row `rows`.
  // Bit 0: the arena still holds the states of layouts.h packed, as an earlier run of this program left it, and nobody has
  // changed their arrays since. Bit 1: leave them packed, and the arrays as they were; with 1, a run of no steps unpacks.
  int64_t states_are_packed = 0;
  const std::atomic<uint32_t>* yield = nullptr;  // Polled once a step: not 0 ends the run after that step. May be null.
  int64_t steps_done = 0;                        // Written by thread 0.
  Profile* profile = nullptr;                    // Not null for a program compiled with CompileOptions::profile.
  uint32_t stop[2] = {0, 0};                     // Thread 0's verdict after even and odd steps, for all threads.
  int64_t heeds_late = 0;                        // Not 0: `late` ends the run after the step, too.
  // Set when all waited for a thread that had lost its core to another process.
  std::atomic<uint32_t> late = 0;
  alignas(64) std::atomic<uint32_t> arrived = 0;  // The barrier.
  std::atomic<int64_t> asleep_since = 0;          // Of the first who has waited long; nanoseconds, 0: none has.
  alignas(64) std::atomic<uint32_t> generation = 0;
};

struct KernelReport {
  std::string name;  // "dense/matmul+add+max"
  std::string kind;  // "matmul", "rows", "columns", "transpose", "copy", "scatter"
  std::vector<std::string> operations;
  std::string shape;  // Of the iteration space.
  std::string tile;
  std::optional<ScheduledProduct> product;  // Of kind "matmul".
  double flops = 0, bytes = 0;              // At full batch.
};

struct PassReport {
  std::string name;
  double milliseconds = 0;
  NodeId nodes_before = 0, nodes_after = 0;
};

struct CompileReport {
  std::vector<PassReport> passes;
  std::vector<KernelReport> kernels;
  std::vector<std::string> unfused;  // One line an edge: "%12 -> %17: why".
  int64_t barriers = 0;              // A step.
  int64_t arena_bytes = 0;
  int64_t packed_bytes = 0;        // Of the arena, for states in panels: see layouts.h.
  int64_t intermediate_bytes = 0;  // The sum of all intermediates, had each its own buffer.
  int64_t unfused_bytes = 0;       // Likewise of all ops' results, were nothing fused.
  int64_t ir_instructions = 0;     // Of LLVM, as emitted: compiling them takes most of the time.
  bool cache_hit = false;          // The native code was found on disk.
  double milliseconds = 0;
};

struct CompileOptions {
  int64_t row_capacity = 32;           // The greatest batch; matters only if the program has symbolic dimensions.
  std::vector<std::string> skip = {};  // Passes left out, by name.
  // States of this size or more that products read as B are kept packed while steps run (layouts.h). Smaller ones stay in
  // the nearest cache as they are.
  int64_t pack_from_bytes = int64_t{8} * 1024;
  // For tests: so many bytes (whole pages) stay free behind each intermediate, which ends where they begin, and nothing
  // shares memory. Executable::guards() tells where they are, so that they can be made inaccessible.
  int64_t guard_bytes = 0;
  // The CPU to generate code for: a name of LLVM's for this architecture ("x86-64-v3", "znver4"), or of another one
  // ("aarch64:neoverse-n1"); "native" is this machine. Empty: $FUSEBOX_TARGET_CPU, else "native". Results on one that has
  // no fused multiply-add differ in their last bits from those on one that has; all others agree bit for bit.
  std::string target_cpu = {};
  // False: the result is for `dump` and its report alone and cannot be entered. Then the target may be any, else this
  // machine has to have what it needs.
  bool link = true;
  // Schedules for products, before those that were tuned and the model's. What IsValid refuses is passed over.
  ScheduleSource schedule = {};
  bool cache = true;     // False: the native code is neither looked for on disk nor left there.
  bool profile = false;  // Record when each kernel runs: RunContext::profile, profile.h.
  // Called after each stage with its name and its text form (the bytes of the stage "object"), if set: what
  // `dump --emit=STAGE` shows.
  std::function<void(std::string_view stage, const std::string& text)> dump = {};
};

// Native code for one program. Lives as long as the last copy; thread-safe, as all that changes is in the RunContext.
class Executable {
 public:
  const std::vector<Port>& ports() const;
  int64_t PortIndex(Port::Kind kind, std::string_view name) const;  // -1 if there is none.
  int64_t row_capacity() const;
  int64_t arena_bytes() const;
  const std::vector<int64_t>& guards() const;  // Offsets into the arena: see CompileOptions::guard_bytes.
  const CompileReport& report() const;
  // Runs steps; every thread of the run calls it, each with its own id. Allocates nothing.
  void Enter(RunContext& context, int64_t thread) const;

  struct Impl;
  explicit Executable(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<const Impl> impl_;
};

// Compiles a program. Errors: a target that is not known, or whose features this machine lacks; a graph that does not verify,
// an op that cannot be compiled, a failure in LLVM.
absl::StatusOr<Executable> Compile(const Graph& program, const CompileOptions& options = {});

// Whether programs for this target run here. Errors: as Compile's.
absl::Status CheckTargetCpu(const std::string& target_cpu);

// The graph stages alone, "differentiate", "simplify", ..., in pipeline order; what `fusebox opt` offers.
struct GraphPass {
  const char* name;
  const char* what;
  absl::StatusOr<Graph> (*run)(const Graph&);
};
const std::vector<GraphPass>& GraphPasses();

}  // namespace fusebox
