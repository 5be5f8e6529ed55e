// SPDX-License-Identifier: Apache-2.0
// runtime/execute/ runs compiled programs: their arrays and variables (variables.h), the cache that shares programs,
// and threads (threads.h says how many, thread_pool.h has them). It sees graph/ and compiler/; of runtime/ it sees
// data/, describe/, plugins/ and expand/ (initializers). fit/ and model/ see it.
//
// A compiled program with an array at each port, ready to run. Runs allocate nothing.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/compiler/compiler.h"
#include "fusebox/runtime/data/named_tensor.h"
#include "fusebox/runtime/data/tensor.h"
#include "fusebox/runtime/execute/threads.h"
#include "fusebox/runtime/execute/variables.h"

namespace fusebox {

class BoundProgram {
 public:
  // Compiles the program, unless ProgramCache has it. Accumulators and outputs of fixed shape get memory of their own; all
  // other states are the variables of the same names, which must exist already and outlive the program.
  static absl::StatusOr<std::unique_ptr<BoundProgram>> Make(const Graph& program, const CompileOptions& options,
                                                            Variables& variables);
  BoundProgram(const BoundProgram&) = delete;
  BoundProgram& operator=(const BoundProgram&) = delete;
  ~BoundProgram();

  // Binds an array of the caller, which must outlive the program's runs. Does nothing if the program has no such port:
  // the compiler leaves out what no output needs.
  void Bind(Port::Kind kind, std::string_view name, const void* data);
  // The value of an output of fixed shape after the last step, which shares the program's memory; empty if there is no
  // output of this name.
  Tensor FixedOutput(std::string_view name) const;
  // The sums behind losses and metrics, as the last step left them. They share the program's memory.
  const std::vector<NamedTensor>& accumulators() const { return accumulators_; }
  // Copies a value of the accumulator's type in.
  void SetAccumulator(std::string_view name, const Tensor& value);
  void ResetAccumulators();  // Zeroes them.

  // Runs the steps [first, last) of `batch` rows each, the last one up to row `rows`, until `yield` is not 0. Returns
  // the step that comes next. Variables that the program keeps packed are unpacked when their values are asked for.
  int64_t Run(int64_t threads, int64_t first, int64_t last, int64_t batch, int64_t rows,
              const std::atomic<uint32_t>* yield);

  // How many threads to run on. `asked` is the caller's number, 0 for the fastest; `most` is the limit. Any number
  // gives the same bits.
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
  Crowding crowding_;           // How busy other processes keep the machine, as seen by earlier runs.
  bool ahead_ = false;          // What the arena holds packed is newer than the variables.
  std::vector<void*> ports_;    // One for each of the executable's.
  std::vector<Tensor> keep_;    // The memory behind states and outputs of fixed shape.
  std::vector<NamedTensor> accumulators_;
  std::unique_ptr<void, FreeArena> arena_;
  std::unique_ptr<RunContext> context_;  // Its address must not change: threads wait on it.
};

}  // namespace fusebox
