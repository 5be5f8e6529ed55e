// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/execute/bound_program.h"

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "fusebox/graph/state_kind.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/data/aligned_memory.h"
#include "fusebox/runtime/execute/program_cache.h"
#include "fusebox/runtime/execute/thread_pool.h"

namespace fusebox {
namespace {

constexpr int64_t kArePacked = 1, kLeavePacked = 2;  // RunContext::states_are_packed.

bool IsFixed(const Type& type) {
  return std::ranges::all_of(type.shape, [](int64_t d) { return d >= 0; });
}
Tensor Zeros(const Type& type) { return Tensor(type.dtype, {type.shape.begin(), type.shape.end()}); }

}  // namespace

absl::StatusOr<std::unique_ptr<BoundProgram>> BoundProgram::Make(const Graph& program, const CompileOptions& options,
                                                                 Variables& variables) {
  FUSEBOX_ASSIGN_OR_RETURN(Executable executable, ProgramCache::Global().Get(program, options));
  // Not make_unique: the constructor is private.
  std::unique_ptr<BoundProgram> made(new BoundProgram(std::move(executable), variables));
  BoundProgram& bound = *made;
  std::unordered_map<std::string_view, std::string_view> kind_of_state;
  for (NodeId id = 1; id < program.size(); ++id) {
    const AttributeMap& attributes = program[id].attributes;
    if (program[id].op == Op::kState) kind_of_state[attributes.String("name")] = attributes.String("kind");
  }
  for (const Port& port : bound.executable_.ports()) {
    Tensor memory;
    if (port.kind == Port::Kind::kState) {
      const auto kind = kind_of_state.find(port.name);
      Check(kind != kind_of_state.end(), "a compiled program has a state that its graph lacks");
      if (kind->second == StateKindName(FB_ACCUMULATOR)) {
        memory = Zeros(port.type);
        bound.accumulators_.push_back({port.name, memory});
      } else {
        const Variable* variable = std::as_const(variables).Find(port.name);
        Check(variable != nullptr && variable->type == port.type, "a program's state is no variable of the model");
        memory = variable->value;
        bound.changes_variables_ = bound.changes_variables_ || port.written;
      }
    } else if (port.kind == Port::Kind::kOutput && IsFixed(port.type)) {
      memory = Zeros(port.type);
    }
    bound.ports_.push_back(memory.empty() ? nullptr : memory.mutable_raw());
    bound.keep_.push_back(std::move(memory));
  }
  const size_t bytes = size_t(bound.executable_.arena_bytes());
  bound.arena_.reset(AllocateAligned(bytes));
  if (bound.arena_ == nullptr) return absl::ResourceExhaustedError(fmt::format("no memory for {} bytes", bytes));
  bound.context_ = std::make_unique<RunContext>();
  return made;
}

BoundProgram::~BoundProgram() {
  if (ahead_) variables_->Fetch();
}

void BoundProgram::Bind(Port::Kind kind, std::string_view name, const void* data) {
  const int64_t port = executable_.PortIndex(kind, name);
  if (port >= 0) ports_[size_t(port)] = const_cast<void*>(data);
}

Tensor BoundProgram::FixedOutput(std::string_view name) const {
  const int64_t port = executable_.PortIndex(Port::Kind::kOutput, name);
  return port < 0 ? Tensor() : keep_[size_t(port)];
}

void BoundProgram::SetAccumulator(std::string_view name, const Tensor& value) {
  const auto sum = std::ranges::find(accumulators_, name, &NamedTensor::name);
  Check(sum != accumulators_.end() && sum->value.dtype() == value.dtype() && sum->value.shape() == value.shape(),
        "a program has no such accumulator");
  std::memcpy(sum->value.mutable_raw(), value.raw(), value.bytes());
}

void BoundProgram::ResetAccumulators() {
  for (NamedTensor& sum : accumulators_) std::memset(sum.value.mutable_raw(), 0, sum.value.bytes());
}

int64_t BoundProgram::Run(int64_t threads, int64_t first, int64_t last, int64_t batch, int64_t rows,
                          const std::atomic<uint32_t>* yield) {
  // Another program may be ahead of them.
  if (packed_version_ != variables_->version()) variables_->Fetch();
  threads = ThreadPool::Global().Grow(threads);
  RunContext& context = *context_;
  context.ports = ports_.data();
  context.arena = arena_.get();
  context.batch = batch;
  context.rows = rows;
  context.yield = yield;
  context.states_are_packed = kLeavePacked | (packed_version_ == variables_->version() ? kArePacked : 0);
  context.heeds_late = threads > 1;
  int64_t next = first;
  while (true) {
    const Crowding::Span span = crowding_.Next(threads, last - next);
    context.threads = span.threads;
    context.first_step = next;
    context.steps = span.steps;
    context.steps_done = 0;
    context.stop[0] = context.stop[1] = 0;
    context.late = 0;
    if (threads == 1) {
      ThreadPool::Global().Run(1, [&](int64_t thread) { executable_.Enter(context, thread); });
      next += context.steps_done;
      break;
    }
    const auto begin = std::chrono::steady_clock::now();
    ThreadPool::Global().Run(span.threads, [&](int64_t thread) { executable_.Enter(context, thread); });
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    next += context.steps_done;
    const bool late = context.late != 0;
    crowding_.Ran(context.steps_done, seconds.count(), late);
    const bool is_done = next >= last || (!late && context.steps_done < span.steps);
    if (is_done || (yield != nullptr && *yield != 0)) break;
    context.states_are_packed |= kArePacked;
  }
  if (changes_variables_) {
    variables_->Touch();
    ahead_ = executable_.report().packed_bytes > 0;
    if (ahead_) variables_->HoldBack([this] { Unpack(); });
  }
  packed_version_ = variables_->version();
  return next;
}

void BoundProgram::Unpack() {
  RunContext& context = *context_;
  context.steps = 0;
  context.states_are_packed = kArePacked;
  context.threads = ThreadPool::Global().Grow(context.threads);
  ThreadPool::Global().Run(context.threads, [&](int64_t thread) { executable_.Enter(context, thread); });
  ahead_ = false;
}

}  // namespace fusebox
