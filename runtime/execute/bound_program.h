// SPDX-License-Identifier: Apache-2.0
// A compiled program with arrays at its ports, ready to run. Runs allocate nothing.
//
// runtime/execute/ runs compiled programs: their arrays and variables (variables.h), threads (threads.h says how many,
// thread_pool.h has them). Of runtime/ it sees data/, describe/, plugins/ and expand/.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/compiler/compiler.h"
#include "fusebox/runtime/data/tensor.h"
#include "fusebox/runtime/execute/threads.h"
#include "fusebox/runtime/execute/variables.h"

namespace fusebox {

class BoundProgram {
 public:
  // Compiles the program. Its accumulators and scalar outputs get memory of their own, its other states are those
  // variables of the model, which have to be there already, and live as long.
  static absl::StatusOr<std::unique_ptr<BoundProgram>> Make(const Graph& program, const CompileOptions& options,
                                                            Variables& variables);
  BoundProgram(const BoundProgram&) = delete;
  BoundProgram& operator=(const BoundProgram&) = delete;
  ~BoundProgram();

  // Binds an array of the caller's, which has to stay as long as the program runs. Nothing happens if the program has
  // no such port: what no output needs is left out by the compiler.
  void Bind(Port::Kind kind, std::string_view name, const void* data);
  // What the last step left at a scalar output of f32; NaN if there is none of this name.
  double ScalarOutput(std::string_view name) const;
  // Zeroes the accumulators.
  void ResetAccumulators();

  // Runs the steps [first, last) of `batch` rows each, the last one up to row `rows`, until `yield` is not 0. Returns
  // the step that comes next. What it changes of the variables that it keeps packed is with them when they are asked
  // for it.
  int64_t Run(int64_t threads, int64_t first, int64_t last, int64_t batch, int64_t rows,
              const std::atomic<uint32_t>* yield);

  // The threads to run it on where the caller asked for so many, or for 0, whatever is best, and may use `most`. All
  // give the same bits.
  int64_t Threads(int64_t asked, int64_t most) const { return asked > 0 ? most : std::min(most, useful_threads_); }

  const Executable& executable() const { return executable_; }

 private:
  struct FreeArena {
    void operator()(void* arena) const { std::free(arena); }
  };

  BoundProgram(Executable executable, Variables& variables)
      : executable_(std::move(executable)),
        useful_threads_(UsefulThreads(executable_.report())),
        variables_(&variables) {}

  void Unpack();

  Executable executable_;
  int64_t useful_threads_;
  Variables* variables_;
  bool changes_variables_ = false;
  int64_t packed_version_ = 0;  // Of the variables that the arena holds packed.
  Crowding crowding_;           // Of the machine, as its runs have met with it.
  bool ahead_ = false;          // What the arena holds packed is newer than the variables.
  std::vector<void*> ports_;    // One for each of the executable's.
  std::vector<Tensor> keep_;    // The memory behind states and scalar outputs.
  std::vector<Tensor> accumulators_;
  std::unique_ptr<void, FreeArena> arena_;
  std::unique_ptr<RunContext> context_;  // Its address must not change: threads wait on it.
};

}  // namespace fusebox
