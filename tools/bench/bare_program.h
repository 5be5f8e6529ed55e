// SPDX-License-Identifier: Apache-2.0
// A compiled program on arrays of its own, with nothing of the runtime around it but the threads: the time that a
// caller with its own buffers sees.
#pragma once
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "fmt/format.h"
#include "fusebox/compiler/compiler.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/data/tensor.h"
#include "fusebox/runtime/execute/thread_pool.h"

namespace fusebox::tools {

class BareProgram {
 public:
  // Compiles for batches of `rows`. All arrays are f32, with values from 0 to 1.
  static absl::StatusOr<BareProgram> Make(const Graph& program, int64_t rows) {
    FUSEBOX_ASSIGN_OR_RETURN(Executable executable, Compile(program, {.row_capacity = rows}));
    return BareProgram(std::move(executable), rows);
  }

  // Error: the program has no such array.
  absl::StatusOr<std::span<float>> Array(Port::Kind kind, std::string_view name) {
    const int64_t port = executable_.PortIndex(kind, name);
    if (port < 0) return Refuse("the program has no array '{}'", name);
    return arrays_[size_t(port)].mutable_values<float>();
  }

  // Runs one step. Weights keep their initial values.
  void Run(int64_t threads) {
    context_->threads = threads;
    if (threads == 1) {
      executable_.Enter(*context_, 0);
    } else {
      ThreadPool::Global().Run(threads, [this](int64_t thread) { executable_.Enter(*context_, thread); });
    }
    context_->states_are_packed = 1;
  }

 private:
  BareProgram(Executable executable, int64_t rows) : executable_(std::move(executable)) {
    for (const Port& port : executable_.ports()) {
      arrays_.emplace_back(DType::kF32, std::vector<int64_t>{NumElements(port.type.shape, rows)});
      pointers_.push_back(arrays_.back().mutable_raw());
      uint32_t random = 1;
      for (float& x : arrays_.back().mutable_values<float>()) {
        random = random * 1664525U + 1013904223U;
        x = float(random >> 8) * 0x1p-24F;
      }
    }
    arena_ = Tensor(DType::kU8, {executable_.arena_bytes()});
    context_->ports = pointers_.data();
    context_->arena = arena_.mutable_raw();
    context_->batch = context_->rows = rows;
    context_->steps = 1;
  }

  Executable executable_;
  std::vector<Tensor> arrays_;  // One for each port.
  std::vector<void*> pointers_;
  Tensor arena_;
  std::unique_ptr<RunContext> context_ = std::make_unique<RunContext>();
};

}  // namespace fusebox::tools
