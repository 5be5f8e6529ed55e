// SPDX-License-Identifier: Apache-2.0
// Kernels of one fingerprint share one function. A program of a thousand equal layers is then as quick to compile as one
// of three, and each function is emitted once.
//
// A function's last argument is its places: a table of i64 with those of the fingerprint's numbers in which its kernels
// differ. The others are constants in it.
#pragma once
#include <string>
#include <unordered_map>
#include <vector>

#include "fusebox/compiler/codegen/cpu/fingerprint.h"
#include "fusebox/compiler/codegen/ir.h"

namespace fusebox::codegen {

class SharedFunctions {
 public:
  // The next user, numbered from 0 on. All are added before any function is emitted.
  size_t Add(Fingerprint fingerprint);

  // The function of a user, and how many share it; who is the first to use it has it emitted.
  size_t FunctionOf(size_t user) const { return function_of_[user]; }
  bool IsFirst(size_t user) const { return functions_[function_of_[user]].users[0] == user; }
  size_t UsersOf(size_t function) const { return functions_[function].users.size(); }

  // The numbers as the function of this first user sees them: emitted where the builder stands, in its entry.
  std::map<NumberKey, Value*> Numbers(Ir& ir, size_t first_user, Value* places) const;
  // The user's table: null where there is nothing to tell.
  llvm::Constant* Places(Ir& ir, size_t user) const;

 private:
  struct Function {
    std::map<NumberKey, size_t> index;  // Of the first user's nodes.
    std::vector<size_t> users;
    std::vector<bool> differs;  // By number.
  };
  std::unordered_map<std::string, size_t> by_text_;
  std::vector<Function> functions_;
  std::vector<size_t> function_of_;            // By user.
  std::vector<std::vector<int64_t>> numbers_;  // By user.
};

}  // namespace fusebox::codegen
