// SPDX-License-Identifier: Apache-2.0
// The machines that code is generated for, by name. No LLVM header is needed to use this one.
#pragma once
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "fusebox/compiler/target.h"

namespace fusebox {

class ObjectCompiler;

struct Machine {
  Target target;
  std::string name;        // ObjectCompiler::Name().
  std::string cannot_run;  // Why its code does not run here: "this machine lacks avx2". Empty if it does.
  std::shared_ptr<const ObjectCompiler> compiler;
};

// The machine that CompileOptions::target_cpu names. Made at its first use, it stays for the life of the process.
// Errors: no such CPU or architecture; its code is `to_run` here, and cannot.
absl::StatusOr<const Machine*> FindMachine(const std::string& target_cpu, bool to_run);

}  // namespace fusebox
