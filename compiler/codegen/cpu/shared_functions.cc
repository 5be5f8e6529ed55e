// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/codegen/cpu/shared_functions.h"

#include "fusebox/graph/check.h"

namespace fusebox::codegen {

size_t SharedFunctions::Add(Fingerprint fingerprint) {
  const size_t user = function_of_.size();
  const auto [at, is_new] = by_text_.emplace(std::move(fingerprint.text), functions_.size());
  if (is_new) {
    functions_.push_back({std::move(fingerprint.index), {}, std::vector<bool>(fingerprint.numbers.size())});
  }
  Function& function = functions_[at->second];
  Check(fingerprint.numbers.size() == function.differs.size(), "equal fingerprints list unequal numbers");
  for (size_t i = 0; i < fingerprint.numbers.size() && !is_new; ++i) {
    if (fingerprint.numbers[i] != numbers_[function.users[0]][i]) function.differs[i] = true;
  }
  function.users.push_back(user);
  function_of_.push_back(at->second);
  numbers_.push_back(std::move(fingerprint.numbers));
  return user;
}

std::map<NumberKey, Value*> SharedFunctions::Numbers(Ir& ir, size_t first_user, Value* places) const {
  const Function& function = functions_[function_of_[first_user]];
  std::vector<Value*> values;
  uint64_t entry = 0;
  for (size_t i = 0; i < function.differs.size(); ++i) {
    values.push_back(function.differs[i]
                         ? ir.b.CreateLoad(ir.i64(), ir.b.CreateConstInBoundsGEP1_64(ir.i64(), places, entry++))
                         : ir.I64(numbers_[first_user][i]));
  }
  std::map<NumberKey, Value*> numbers;
  for (const auto& [key, i] : function.index) numbers[key] = values[i];
  return numbers;
}

llvm::Constant* SharedFunctions::Places(Ir& ir, size_t user) const {
  const Function& function = functions_[function_of_[user]];
  std::vector<uint64_t> entries;
  for (size_t i = 0; i < function.differs.size(); ++i) {
    if (function.differs[i]) entries.push_back(uint64_t(numbers_[user][i]));
  }
  if (entries.empty()) return llvm::ConstantPointerNull::get(ir.b.getPtrTy());
  llvm::Constant* table = llvm::ConstantDataArray::get(ir.context(), entries);
  return new llvm::GlobalVariable(ir.module(), table->getType(), /*isConstant=*/true, llvm::GlobalValue::PrivateLinkage,
                                  table, "places");
}

}  // namespace fusebox::codegen
