// SPDX-License-Identifier: Apache-2.0
// The JIT: LLVM's ORC behind one class, one for the process. No LLVM header is needed to use it.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "fusebox/compiler/compiler.h"

namespace llvm {
class Module;
}

namespace fusebox {

struct Machine;

// Native code of one module. It is dropped with this object: nothing that was looked up may be called afterwards.
class NativeCode {
 public:
  virtual ~NativeCode() = default;
  virtual void* entry() const = 0;
};

class Jit {
 public:
  // Made at the first use; an error if this machine refuses (no target, no executable memory).
  static absl::StatusOr<Jit*> Get();
  virtual ~Jit() = default;

  // Finds a module compiled for the machine in the cache, or emits and compiles it; links it and looks up `entry`. Other
  // modules may use the same names.
  //
  //   program  decides on the module: with equal texts this build of the compiler must emit equal modules, also in
  //            another process.
  //   options  if `dump` is set, it gets "llvm" (optimised IR), "asm" and "object" (one ELF file), and the cache is not used;
  //            without `link` there is no native code: null
  //   report   gets the passes load, emit and codegen, if they were needed, and link; ir_instructions; cache_hit
  virtual absl::StatusOr<std::shared_ptr<const NativeCode>> Compile(const Machine& machine, const std::string& entry,
                                                                    const std::string& program,
                                                                    const std::function<void(llvm::Module&)>& emit,
                                                                    const CompileOptions& options,
                                                                    CompileReport& report) = 0;
};

}  // namespace fusebox
