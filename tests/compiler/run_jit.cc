// SPDX-License-Identifier: Apache-2.0
#include "tests/compiler/run_jit.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <thread>

#include "fusebox/graph/status.h"
#include "tests/support/guarded_buffer.h"

namespace fusebox::testing {

const std::vector<std::string>& RunnableTargets() {
  static const auto* const targets = [] {
    auto* some = new std::vector<std::string>;
    for (const char* name : {"x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4", "native"}) {
      if (CheckTargetCpu(name).ok()) some->emplace_back(name);
    }
    return some;
  }();
  return *targets;
}

absl::StatusOr<Evaluation> RunStep(const Executable& program, const Bindings& bindings, int threads) {
  std::deque<GuardedBuffer> buffers;
  std::vector<void*> arrays;
  for (const Port& port : program.ports()) {
    const Literal* given = nullptr;
    if (port.kind != Port::Kind::kOutput) {
      const auto& from = port.kind == Port::Kind::kState ? bindings.states : bindings.inputs;
      const auto it = from.find(port.name);
      if (it == from.end()) return Refuse("run: nothing is bound to '{}'", port.name);
      given = &it->second;
    }
    const int64_t bytes = NumElements(port.type.shape, bindings.batch) * SizeOf(port.type.dtype);
    buffers.emplace_back(given != nullptr ? given->bytes().size() : size_t(bytes));
    if (given != nullptr) buffers.back().Fill(given->bytes());
    arrays.push_back(buffers.back().data());
  }
  // The start of the arena is aligned, so its end is exact only to 64 bytes. All blocks are multiples of that.
  GuardedBuffer arena(size_t(std::max<int64_t>(program.arena_bytes(), 64)));
  const auto guard = size_t(sysconf(_SC_PAGESIZE));
  for (const int64_t offset : program.guards()) {
    if (mprotect(arena.data() + offset, guard, PROT_NONE) != 0) return absl::InternalError("run: no guard page");
  }
  RunContext context;
  context.ports = arrays.data();
  context.arena = arena.data();
  context.threads = threads;
  context.steps = 1;
  context.batch = bindings.batch;
  context.rows = bindings.batch;
  std::vector<std::thread> workers;
  for (int t = 1; t < threads; ++t) workers.emplace_back([&, t] { program.Enter(context, t); });
  program.Enter(context, 0);
  for (std::thread& worker : workers) worker.join();
  if (context.steps_done != 1) return absl::InternalError(fmt::format("run: {} steps done", context.steps_done));
  Evaluation result;
  for (size_t i = 0; i < arrays.size(); ++i) {
    const Port& port = program.ports()[i];
    if (!buffers[i].FrontUntouched())
      return absl::InternalError("run: memory in front of '" + port.name + "' was written");
    if (!port.written) continue;
    Literal value(port.type.dtype, Resolve(port.type.shape, bindings.batch));
    std::copy_n(buffers[i].data(), value.bytes().size(), value.mutable_bytes().begin());
    (port.kind == Port::Kind::kOutput ? result.outputs : result.states)[port.name] = std::move(value);
  }
  return result;
}

absl::StatusOr<Evaluation> RunJit(const Graph& program, const Bindings& bindings, const JitOptions& options) {
  CompileOptions compile = options.compile;
  compile.row_capacity = std::max<int64_t>(options.row_capacity != 0 ? options.row_capacity : bindings.batch, 1);
  FUSEBOX_ASSIGN_OR_RETURN(const Executable executable, Compile(program, compile));
  return RunStep(executable, bindings, options.threads);
}

}  // namespace fusebox::testing
