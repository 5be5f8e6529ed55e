// SPDX-License-Identifier: Apache-2.0
// From LLVM IR to object files, on all cores: LLVM's passes and its code generator. Seen by jit.cc and machine.cc alone.
//
// Nearly all of the time that a program takes to compile is spent in here, in proportion to the instructions. So the
// functions of a module are spread over some modules of about equal size, and threads compile these side by side.
#pragma once
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/IR/Module.h"

namespace fusebox {

class ObjectCompiler {
 public:
  // For the machine that `builder` describes; errors if LLVM has no code generator for it.
  static absl::StatusOr<ObjectCompiler> Create(llvm::orc::JITTargetMachineBuilder builder);

  const llvm::TargetMachine& machine() const { return *machine_; }

  // Which compiler this is, and for what machine, a line each: "" if the build does not tell. It names this very build of
  // the compiler, as that decides what code is emitted.
  std::string Name() const;
  // Whatever decides what objects come of a program's text (Jit::Compile): the key of cached objects, "" without a name.
  std::string Key(const std::string& program) const;

  // Objects that together define the module's functions, in an order and with contents that depend on the number of
  // threads: with one it is one. Functions that were internal are visible to each other.
  absl::StatusOr<std::vector<std::string>> Compile(const llvm::Module& module, const std::string& bitcode,
                                                   size_t threads) const;

  // For people: the module after the passes, and its assembly.
  std::string OptimisedText(const llvm::Module& module) const;
  std::string Assembly(const llvm::Module& module) const;

 private:
  ObjectCompiler(llvm::orc::JITTargetMachineBuilder builder, std::unique_ptr<llvm::TargetMachine> machine)
      : builder_(std::move(builder)), machine_(std::move(machine)) {}

  std::unique_ptr<llvm::TargetMachine> NewMachine() const;

  llvm::orc::JITTargetMachineBuilder builder_;
  std::unique_ptr<llvm::TargetMachine> machine_;
};

}  // namespace fusebox
