// SPDX-License-Identifier: Apache-2.0
// compiler/ makes a program run fast. It sees graph/ and never touches user data; runtime/ and tools/ see it. This
// header is its face: Compile, its options, and what comes out.
//
// The unit of compilation is one step of a program (for training: gather of rows, forward, loss, metrics, backward,
// update). The result is one native function that runs many such steps a call, on as many threads as enter it together.
//
// The stages, in the order in which a program goes through them. Each folder's main header says more.
//
//   room          what it does                             main header                   sees
//   passes/       rewrites the graph                       passes/pipeline.h             fuse
//   fuse/         groups nodes into kernels                fuse/fuse.h
//   schedule/     cuts matrix products                     schedule/product_schedule.h   native
//   plan/         orders kernels, places their values      plan/plan.h                   fuse, schedule
//   codegen/      emits IR for points of a kernel          codegen/point.h               fuse, plan
//   codegen/cpu/  emits loop nests and the step loop       codegen/cpu/program.h         fuse, plan, schedule, codegen
//   native/       compiles IR, stores and links objects    native/jit.h
//
// All of them also see graph/ and the words that they share, which lie beside this header and see graph/ alone: port.h,
// run_context.h, target.h, matrix_layout.h, profile.h, pass_report.h. report.h, which codegen/cpu/ fills in, also sees
// schedule/.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/compiler/pass_report.h"
#include "fusebox/compiler/port.h"
#include "fusebox/compiler/report.h"
#include "fusebox/compiler/run_context.h"
#include "fusebox/compiler/schedule/product_schedule.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

struct CompileOptions {
  int64_t row_capacity = 32;           // The greatest batch; matters only if the program has symbolic dimensions.
  std::vector<std::string> skip = {};  // Passes left out, by name.
  // States of this size or more that products read as B are kept packed while steps run (matrix_layout.h). Smaller ones
  // stay in the nearest cache as they are.
  int64_t pack_from_bytes = int64_t{8} * 1024;
  // For tests: the bytes (whole pages) to keep free behind each intermediate, which ends where they begin. With it no
  // intermediates share memory. Executable::guards() tells where these bytes are, so that a test can make them
  // inaccessible.
  int64_t guard_bytes = 0;
  // The CPU to generate code for: LLVM's name of one of this architecture ("x86-64-v3", "znver4") or of another
  // ("aarch64:neoverse-n1"); "native" is this machine. Empty: $FUSEBOX_TARGET_CPU, else "native". CPUs with fused
  // multiply-add agree bit for bit, and so do those without; between the two, results differ in their last bits.
  std::string target_cpu = {};
  // False: the result serves `dump` and its report alone and cannot be entered. The target may be any then; otherwise
  // this machine must have the target's features.
  bool link = true;
  // Schedules for products. They come before those that a search stored and before the model's. One that IsValid
  // refuses is passed over.
  ScheduleSource schedule = {};
  bool cache = true;     // False: the native code is neither looked for on disk nor left there.
  bool profile = false;  // Record when each kernel runs: RunContext::profile, profile.h.
  // If set, is called after each stage: what `fusebox dump --emit=STAGE` shows.
  DumpCallback dump = {};
};

// Native code for one program. Copies share it. Thread-safe: all that changes is in the RunContext.
class Executable {
 public:
  const std::vector<Port>& ports() const;
  int64_t PortIndex(Port::Kind kind, std::string_view name) const;  // -1 if there is none.
  int64_t row_capacity() const;
  int64_t arena_bytes() const;
  const std::vector<int64_t>& guards() const;  // Offsets into the arena: see CompileOptions::guard_bytes.
  const CompileReport& report() const;
  // Runs steps. Every thread of the run calls it, each with its own id. Allocates nothing.
  void Enter(RunContext& context, int64_t thread) const;

  struct Impl;
  explicit Executable(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<const Impl> impl_;
};

// Compiles a program. Errors: an unknown target, or one whose features this machine lacks; a graph that does not
// verify; an op that cannot be compiled; a failure in LLVM.
absl::StatusOr<Executable> Compile(const Graph& program, const CompileOptions& options = {});

// Whether programs for this target run here. Errors: as Compile's.
absl::Status CheckTargetCpu(const std::string& target_cpu);

}  // namespace fusebox
