// SPDX-License-Identifier: Apache-2.0
// Kernels that differ only in where their arrays lie, as those of equal layers do, become one function. A program of a
// thousand equal layers is then as quick to compile as one of three.
//
// Every kernel's function has a last parameter, its places: a table of i64 with the constants of the addresses that it
// begins with, arena offsets and port indices.
//
//     %x = getelementptr i8, ptr %arena, i64 4096       becomes      %n = load i64, ptr (%places + 0)
//                                                                    %x = getelementptr i8, ptr %arena, i64 %n
#pragma once
#include <map>
#include <vector>

#include "llvm/IR/Constants.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"

namespace fusebox::codegen {

class SharedKernels {
 public:
  struct Kernel {
    llvm::Function* function = nullptr;
    llvm::Constant* places = nullptr;  // The last argument of its calls.
  };

  // Takes a finished kernel. If an equal one was added before, the function is dropped for that one's.
  Kernel Add(llvm::Function* kernel);
  // After the last one: what is the same for all users of a function becomes a constant in it again.
  void Finish();

 private:
  struct Shared {
    llvm::Function* function;
    std::vector<llvm::LoadInst*> loads;        // Of the numbers, in order.
    std::vector<std::vector<uint64_t>> users;  // The numbers of each.
  };
  std::map<uint64_t, std::vector<Shared>> by_hash_;
};

}  // namespace fusebox::codegen
