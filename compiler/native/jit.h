// SPDX-License-Identifier: Apache-2.0
// native/ turns LLVM IR into native code: it describes the machine (machine.h), compiles modules into objects
// (object_compiler.h), keeps objects on disk (object_cache.h) and links them. It also has what compiled programs call
// of ours: the barrier (barrier.h) and the clock (profile.h). It sees graph/ and the words beside compiler.h, and no
// other room of compiler/: what a module computes is no matter here.
//
// This unit is the JIT: LLVM's ORC behind one class, one for the process. No LLVM header is needed to use it.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/compiler/pass_report.h"

namespace llvm {
class Module;
}

namespace fusebox {

struct Machine;

// Native code of one module. It lives as long as this object: call nothing that was looked up afterwards.
class NativeCode {
 public:
  virtual ~NativeCode() = default;
  virtual void* entry() const = 0;
};

struct JitOptions {
  bool link = true;   // False: makes no native code.
  bool cache = true;  // False: neither looks for the module on disk nor stores it there.
  DumpCallback dump =
      {};  // If set, gets "llvm" (optimised IR), "asm" and "object" (one ELF file). Turns the cache off.
};

struct JitResult {
  std::shared_ptr<const NativeCode> code;  // Null without JitOptions::link.
  int64_t ir_instructions = 0;             // As emitted; 0 if the module was found on disk.
  bool cache_hit = false;
};

class Jit {
 public:
  // Made at the first use. Error: this machine refuses (no target, no executable memory).
  static absl::StatusOr<Jit*> Get();
  virtual ~Jit() = default;

  // Finds a module compiled for the machine in the cache, or emits and compiles it; then links it and looks up `entry`.
  // Other modules may use the same names.
  //
  //   program  decides on the module: for equal texts this build of the compiler must emit equal modules, in other
  //            processes too
  //   reports  gets the stages load, emit and codegen, as far as they were needed, and link
  virtual absl::StatusOr<JitResult> Compile(const Machine& machine, const std::string& entry,
                                            const std::string& program, const std::function<void(llvm::Module&)>& emit,
                                            const JitOptions& options, std::vector<PassReport>& reports) = 0;
};

}  // namespace fusebox
