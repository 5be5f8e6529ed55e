// SPDX-License-Identifier: Apache-2.0
#include "tools/synthetic_run.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>

#include "fusebox/graph/state_kind.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/data/aligned_memory.h"
#include "fusebox/runtime/execute/thread_pool.h"

namespace fusebox::tools {
namespace {

// Size of the data set and of the batches: more than caches hold, as in real training, yet within any machine's memory.
constexpr int64_t kDataBytes = 256 << 20;
constexpr int64_t kDataRows = 1 << 16;
constexpr int64_t kMostBytes = int64_t{4} << 30;

// Bytes of one row of a batch at a port; 0 if the port has no batch rows.
int64_t RowBytes(const Port& port) {
  if (port.type.shape.empty() || port.type.shape[0] >= 0) return 0;
  return NumElements(port.type.shape, 1) * SizeOf(port.type.dtype);
}

int64_t DataRows(const Executable& executable) {
  int64_t rows = kDataRows;
  for (const Port& port : executable.ports()) {
    if (port.kind == Port::Kind::kRows) rows = std::min(rows, kDataBytes / std::max<int64_t>(RowBytes(port), 1));
  }
  return std::max<int64_t>(rows, 1);
}

// Kinds of values in an array.
enum class Numbers : uint8_t { kSmall, kWeights, kOrder };

Tensor MadeUpArray(const Port& port, const Shape& shape, Numbers numbers, int64_t data_rows) {
  Tensor array(port.type.dtype, {shape.begin(), shape.end()});
  std::memset(array.mutable_raw(), 0, array.bytes());
  uint32_t random = 1;
  const auto next = [&random] { return random = random * 1664525U + 1013904223U; };
  if (port.type.dtype == DType::kF32) {
    // Weights have either sign: otherwise activations grow from layer to layer, and the loss returns gradients that are
    // subnormal, which take many times as long to compute with.
    const float least = numbers == Numbers::kWeights ? 0x1p-5F : 0;
    for (float& x : array.mutable_values<float>()) x = float(next() >> 8) * 0x1p-28F - least;
  } else if (port.name == "x" && port.type.dtype == DType::kU8) {
    for (uint8_t& x : array.mutable_values<uint8_t>()) x = uint8_t(next() >> 24);
  } else if (numbers == Numbers::kOrder) {
    for (int32_t& row : array.mutable_values<int32_t>()) row = int32_t((next() >> 8) % data_rows);
  }
  return array;
}

}  // namespace

int64_t StepsThatFit(const Executable& executable, int64_t batch) {
  int64_t bytes = 1;
  for (const Port& port : executable.ports()) {
    if (port.kind != Port::Kind::kRows) bytes += RowBytes(port) * batch;
  }
  return std::max<int64_t>(kDataBytes / bytes, 10);
}

void SyntheticRun::Free::operator()(void* memory) const { std::free(memory); }

absl::StatusOr<SyntheticRun> SyntheticRun::Make(const std::string& who, const Graph& program,
                                                const Executable& executable, int64_t batch, int64_t steps) {
  double bytes = double(executable.arena_bytes());
  for (const Port& port : executable.ports()) {
    bytes += double(port.kind == Port::Kind::kRows ? kDataBytes : RowBytes(port) * batch * steps);
  }
  if (bytes > double(kMostBytes)) {
    return Refuse("{}: a batch of {} takes {:.1f} GiB, expected at most {}: give a smaller --batch-size", who, batch,
                  bytes / double(1 << 30), kMostBytes >> 30);
  }
  std::map<std::string, Numbers> numbers;
  for (NodeId id = 1; id < program.size(); ++id) {
    const Node& node = program[id];
    const AttributeMap& a = node.attributes;
    if (node.op == Op::kRows) numbers[program[node.inputs[0]].attributes.String("name")] = Numbers::kOrder;
    if (node.op == Op::kState && a.Flag("trainable") && a.String("kind") == StateKindName(FB_WEIGHT)) {
      numbers[a.String("name")] = Numbers::kWeights;
    }
  }
  SyntheticRun run;
  run.batch_ = batch;
  const int64_t data_rows = DataRows(executable);
  for (const Port& port : executable.ports()) {
    Shape shape = port.type.shape;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      const int64_t rows = port.kind == Port::Kind::kRows ? data_rows : batch * steps;
      if (shape[axis] < 0) shape[axis] *= axis > 0 ? -batch : -rows;
    }
    const auto known = numbers.find(port.name);
    run.arrays_.push_back(
        MadeUpArray(port, shape, known != numbers.end() ? known->second : Numbers::kSmall, data_rows));
    run.ports_.push_back(run.arrays_.back().mutable_raw());
    run.first_.push_back(port.kind == Port::Kind::kState ? run.arrays_.back().Clone() : Tensor());
  }
  return run;
}

void SyntheticRun::Reset() {
  for (size_t i = 0; i < arrays_.size(); ++i) {
    if (!first_[i].empty()) std::memcpy(ports_[i], first_[i].raw(), first_[i].bytes());
  }
}

void SyntheticRun::Steps(const Executable& executable, Profile& profile, int64_t steps) {
  if (executable.arena_bytes() > arena_bytes_ || !arena_) {
    arena_bytes_ = executable.arena_bytes();
    arena_.reset(AllocateAligned(size_t(std::max<int64_t>(arena_bytes_, 1))));
  }
  RunContext context;
  context.ports = ports_.data();
  context.arena = arena_.get();
  context.threads = profile.threads();
  context.batch = batch_;
  context.steps = steps;
  context.rows = steps * batch_;
  context.profile = &profile;
  ThreadPool::Global().Run(context.threads, [&](int64_t thread) { executable.Enter(context, thread); });
}

}  // namespace fusebox::tools
