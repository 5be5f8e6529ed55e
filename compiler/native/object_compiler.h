// SPDX-License-Identifier: Apache-2.0
// Compiles LLVM IR into object files, on all cores: LLVM's passes and its code generator. For jit.cc and machine.cc
// alone.
//
// Nearly all of the time that a program takes to compile is spent here, in proportion to its instructions. So the
// functions of a module are spread over modules of about equal size, which threads compile side by side.
#pragma once
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/IR/Module.h"

namespace fusebox {

class ObjectCompiler {
 public:
  // For the machine that `builder` describes. Error: LLVM has no code generator for it.
  static absl::StatusOr<ObjectCompiler> Create(llvm::orc::JITTargetMachineBuilder builder);

  const llvm::TargetMachine& machine() const { return *machine_; }

  // Names this compiler and its machine, a line for each fact that decides what code is emitted, the build of the
  // compiler (LinkerBuildId) among them. "" if the build is unknown.
  std::string Name() const;
  // Everything that decides what objects a program's text (Jit::Compile) becomes: the key of cached objects. "" without
  // a name.
  std::string Key(const std::string& program) const;

  // Objects that together define the module's functions. Their number, order and contents depend on the number of
  // threads: one thread makes one object. Functions that were internal are visible to each other.
  absl::StatusOr<std::vector<std::string>> Compile(const llvm::Module& module, const std::string& bitcode,
                                                   size_t threads) const;

  // For people to read: the module after the passes, and its assembly.
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
