// SPDX-License-Identifier: Apache-2.0
// A compiled program on arrays of its own, with nothing of the runtime around it but the threads: what a caller who
// owns all buffers waits for.
#pragma once
#include <string_view>
#include <vector>

#include "fusebox/compiler/compiler.h"
#include "fusebox/runtime/thread_pool.h"
#include "tests/benchmarks/workload.h"

namespace fusebox::benchmarks {

class BareProgram {
 public:
  // For batches of `rows`. All arrays are f32 and hold zeros.
  BareProgram(const Graph& program, int64_t rows) : executable_(OrDie(Compile(program, {.row_capacity = rows}))) {
    for (const Port& port : executable_.ports()) {
      arrays_.emplace_back(DType::kF32, std::vector<int64_t>{NumElements(port.type.shape, rows)});
      pointers_.push_back(arrays_.back().mutable_raw());
    }
    arena_ = Tensor(DType::kU8, {executable_.arena_bytes()});
    context_.ports = pointers_.data();
    context_.arena = arena_.mutable_raw();
    context_.batch = context_.rows = rows;
    context_.steps = 1;
  }

  std::span<float> Array(Port::Kind kind, std::string_view name) {
    const int64_t port = executable_.PortIndex(kind, name);
    if (port < 0) OrDie(absl::NotFoundError(std::string("no array ") + std::string(name)));
    return arrays_[size_t(port)].mutable_values<float>();
  }

  // One step. Weights stay as they were at the first.
  void Run(int64_t threads) {
    context_.threads = threads;
    if (threads == 1) {
      executable_.Enter(context_, 0);
    } else {
      ThreadPool::Global().Run(threads, [this](int64_t thread) { executable_.Enter(context_, thread); });
    }
    context_.states_are_packed = 1;
  }

 private:
  Executable executable_;
  std::vector<Tensor> arrays_;  // One for each port.
  std::vector<void*> pointers_;
  Tensor arena_;
  RunContext context_;
};

}  // namespace fusebox::benchmarks
