// SPDX-License-Identifier: Apache-2.0
// Kernels with the same fingerprint share one function, which is emitted once. So a program of a thousand equal layers
// is as quick to compile as one of three.
//
// A function's last argument, `places`, is a table of i64: the fingerprint's numbers in which its kernels differ. The
// other numbers are constants in the function.
#pragma once
#include <string>
#include <unordered_map>
#include <vector>

#include "fusebox/compiler/codegen/cpu/fingerprint.h"
#include "fusebox/compiler/codegen/ir.h"

namespace fusebox::codegen {

class SharedFunctions {
 public:
  // Adds a user of a function; users are numbered from 0 on. Add all of them before any function is emitted.
  size_t Add(Fingerprint fingerprint);

  // The function of a user; whether the user is its first, which has it emitted; how many users it has.
  size_t FunctionOf(size_t user) const { return function_of_[user]; }
  bool IsFirst(size_t user) const { return functions_[function_of_[user]].users[0] == user; }
  size_t UsersOf(size_t function) const { return functions_[function].users.size(); }

  // The numbers as the function of this first user sees them. Emits loads where the builder stands, in its entry block.
  std::map<NumberKey, Value*> Numbers(Ir& ir, size_t first_user, Value* places) const;
  // The user's table; null if the users of its function differ in nothing.
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
