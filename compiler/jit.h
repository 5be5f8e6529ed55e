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

  // Emits a module, compiles it for the machine or finds it compiled in the cache, links it and looks up `entry`. Other
  // modules may use the same names. The same call must emit the same module, also in another process: no address, no
  // counter.
  //
  //   options  if `dump` is set, it gets "llvm" (optimised IR), "asm" and "object" (one ELF file), and the cache is not used;
  //            without `link` there is no native code: null
  //   report   gets the passes emit, load or codegen, and link; ir_instructions; cache_hit
  virtual absl::StatusOr<std::shared_ptr<const NativeCode>> Compile(const Machine& machine, const std::string& entry,
                                                                    const std::function<void(llvm::Module&)>& emit,
                                                                    const CompileOptions& options,
                                                                    CompileReport& report) = 0;
};

}  // namespace fusebox
