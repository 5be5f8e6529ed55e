// SPDX-License-Identifier: Apache-2.0
// From a program to native code. Each stage has a name, is timed, and can be dumped.
#include "fusebox/compiler/compiler.h"

#include <chrono>

#include "fusebox/compiler/codegen/cpu/describe.h"
#include "fusebox/compiler/codegen/cpu/fingerprint.h"
#include "fusebox/compiler/codegen/cpu/program.h"
#include "fusebox/compiler/fuse/fuse.h"
#include "fusebox/compiler/native/jit.h"
#include "fusebox/compiler/native/machine.h"
#include "fusebox/compiler/passes/pipeline.h"
#include "fusebox/compiler/plan/plan.h"
#include "fusebox/compiler/schedule/found_schedules.h"
#include "fusebox/graph/regions.h"
#include "fusebox/graph/status.h"

namespace fusebox {

namespace {

// The barriers of a step. Those of a scan count each time that it runs, those of other loops once.
int64_t Barriers(const Graph& graph, const Plan& plan, int64_t row_capacity) {
  int64_t barriers = int64_t(plan.phases.size()) + (plan.copies.empty() ? 0 : 1);
  for (const auto& [id, control] : plan.controls) {
    const Node& node = graph[id];
    const int64_t times = TimesOf(node, row_capacity);
    for (size_t i = 0; i < control.regions.size(); ++i) {
      barriers += times * Barriers(node.regions[i], control.regions[i], row_capacity);
    }
  }
  return barriers;
}

}  // namespace

struct Executable::Impl {
  std::vector<Port> ports;
  int64_t row_capacity = 0;
  std::vector<int64_t> guards;
  CompileReport report;
  std::shared_ptr<const NativeCode> code;
  void (*entry)(RunContext*, int64_t) = nullptr;
};

const std::vector<Port>& Executable::ports() const { return impl_->ports; }
int64_t Executable::row_capacity() const { return impl_->row_capacity; }
int64_t Executable::arena_bytes() const { return impl_->report.arena_bytes; }
const std::vector<int64_t>& Executable::guards() const { return impl_->guards; }
const CompileReport& Executable::report() const { return impl_->report; }
void Executable::Enter(RunContext& context, int64_t thread) const { impl_->entry(&context, thread); }

absl::Status CheckTargetCpu(const std::string& target_cpu) { return FindMachine(target_cpu, /*to_run=*/true).status(); }

int64_t Executable::PortIndex(Port::Kind kind, std::string_view name) const {
  for (size_t i = 0; i < impl_->ports.size(); ++i) {
    if (impl_->ports[i].kind == kind && impl_->ports[i].name == name) return int64_t(i);
  }
  return -1;
}

absl::StatusOr<Executable> Compile(const Graph& declared, const CompileOptions& options) {
  const auto started = std::chrono::steady_clock::now();
  const auto dump = [&](std::string_view stage, const auto& text) {
    if (options.dump) options.dump(stage, text());
  };
  if (options.row_capacity < 1) return Refuse("compile: row_capacity must be at least 1, got {}", options.row_capacity);
  FUSEBOX_ASSIGN_OR_RETURN(const Machine* const machine, FindMachine(options.target_cpu, options.link));
  auto impl = std::make_shared<Executable::Impl>();
  CompileReport& report = impl->report;

  // From the program as declared to the graph that kernels are made from: see passes/pipeline.cc.
  FUSEBOX_ASSIGN_OR_RETURN(const Graph graph,
                           RunGraphPasses(declared, {.skip = options.skip, .dump = options.dump}, report.passes));
  const NodeId nodes = graph.size();
  // Which nodes share a loop nest.
  FUSEBOX_ASSIGN_OR_RETURN(const FusedProgram fused, Timed(report.passes, "fuse", nodes, [&] { return Fuse(graph); }));
  dump("fused", [&] { return Print(fused); });
  // Which kernels run between two barriers, and where their values lie.
  const Plan plan = Timed(report.passes, "plan", nodes, [&] {
    return MakePlan(fused, {.row_capacity = options.row_capacity,
                            .pack_from_bytes = options.pack_from_bytes,
                            .guard_bytes = options.guard_bytes,
                            .target = machine->target,
                            .given = options.schedule,
                            .found = FoundSchedules(*machine)});
  });
  dump("plan", [&] { return PrintMemory(fused, plan); });
  dump("schedule", [&] { return PrintSchedule(fused, plan); });
  // Native code.
  FUSEBOX_ASSIGN_OR_RETURN(Jit* const jit, Jit::Get());
  const std::string entry = "fusebox_program";
  const auto emit = [&](llvm::Module& module) {
    codegen::EmitProgram(module, entry, fused, plan, options.row_capacity, machine->target, options.profile);
  };
  const std::string text = Timed(report.passes, "fingerprint", nodes, [&] {
    return codegen::ProgramText(fused, plan, options.row_capacity, machine->target, options.profile);
  });
  FUSEBOX_ASSIGN_OR_RETURN(
      JitResult native,
      jit->Compile(*machine, entry, text, emit, {.link = options.link, .cache = options.cache, .dump = options.dump},
                   report.passes));
  impl->code = std::move(native.code);
  if (impl->code != nullptr) impl->entry = reinterpret_cast<void (*)(RunContext*, int64_t)>(impl->code->entry());
  report.ir_instructions = native.ir_instructions;
  report.cache_hit = native.cache_hit;
  impl->ports = plan.ports;
  impl->guards = plan.guards;
  impl->row_capacity = options.row_capacity;
  report.kernels = codegen::DescribeKernels(fused, plan, options.row_capacity, machine->target);
  report.unfused = fused.unfused;
  report.barriers = Barriers(graph, plan, options.row_capacity);
  report.arena_bytes = plan.arena_bytes;
  report.packed_bytes = plan.packed_bytes;
  report.intermediate_bytes = plan.intermediate_bytes;
  report.unfused_bytes = plan.unfused_bytes;
  report.milliseconds = MillisecondsSince(started);
  return Executable(std::move(impl));
}

}  // namespace fusebox
