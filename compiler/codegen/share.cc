// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/codegen/share.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "fusebox/compiler/compiler.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/StructuralHash.h"
#include "llvm/Transforms/Utils/FunctionComparator.h"

namespace fusebox::codegen {
namespace {

// The offset into the RunContext that this loads, if it loads from there.
std::optional<uint64_t> FieldOf(const llvm::Value* loaded, const llvm::Value* run) {
  const auto* load = llvm::dyn_cast<llvm::LoadInst>(loaded);
  if (load == nullptr) return std::nullopt;
  if (load->getPointerOperand() == run) return 0;
  const auto* field = llvm::dyn_cast<llvm::GetElementPtrInst>(load->getPointerOperand());
  if (field == nullptr || field->getPointerOperand() != run || field->getNumIndices() != 1) return std::nullopt;
  const auto* offset = llvm::dyn_cast<llvm::ConstantInt>(*field->idx_begin());
  return offset != nullptr ? std::optional(offset->getZExtValue()) : std::nullopt;
}

// The addresses at the function's entry that are a constant away from the arena or the ports.
std::vector<llvm::GetElementPtrInst*> Addresses(llvm::Function& f) {
  std::vector<llvm::GetElementPtrInst*> addresses;
  for (llvm::Instruction& i : f.getEntryBlock()) {
    auto* address = llvm::dyn_cast<llvm::GetElementPtrInst>(&i);
    if (address == nullptr || address->getNumIndices() != 1) continue;
    const auto* index = llvm::dyn_cast<llvm::ConstantInt>(*address->idx_begin());
    const auto field = FieldOf(address->getPointerOperand(), f.getArg(0));
    if (index == nullptr || !index->getType()->isIntegerTy(64)) continue;
    if (field == offsetof(RunContext, arena) || field == offsetof(RunContext, ports)) addresses.push_back(address);
  }
  return addresses;
}

}  // namespace

SharedKernels::Kernel SharedKernels::Add(llvm::Function* kernel) {
  llvm::LLVMContext& context = kernel->getContext();
  llvm::Type* word = llvm::Type::getInt64Ty(context);
  llvm::Argument* places = kernel->getArg(kernel->arg_size() - 1);
  std::vector<llvm::LoadInst*> loads;
  std::vector<uint64_t> numbers;
  for (llvm::GetElementPtrInst* address : Addresses(*kernel)) {
    llvm::Use& index = *address->idx_begin();
    numbers.push_back(llvm::cast<llvm::ConstantInt>(index)->getZExtValue());
    llvm::IRBuilder<> b(address);
    loads.push_back(b.CreateLoad(word, b.CreateConstInBoundsGEP1_64(word, places, loads.size())));
    index.set(loads.back());
  }
  auto* table = llvm::ConstantDataArray::get(context, numbers);
  auto* global = new llvm::GlobalVariable(*kernel->getParent(), table->getType(), /*isConstant=*/true,
                                          llvm::GlobalValue::PrivateLinkage, table, "places");
  std::vector<Shared>& alike = by_hash_[llvm::StructuralHash(*kernel)];
  for (Shared& other : alike) {
    llvm::GlobalNumberState globals;
    if (llvm::FunctionComparator(kernel, other.function, &globals).compare() != 0) continue;
    other.users.push_back(std::move(numbers));
    kernel->eraseFromParent();
    return {other.function, global};
  }
  alike.push_back({kernel, std::move(loads), {std::move(numbers)}});
  return {kernel, global};
}

void SharedKernels::Finish() {
  for (auto& [hash, alike] : by_hash_) {
    for (Shared& shared : alike) {
      for (size_t n = 0; n < shared.loads.size(); ++n) {
        const uint64_t number = shared.users[0][n];
        if (std::ranges::any_of(shared.users, [&](const auto& numbers) { return numbers[n] != number; })) continue;
        llvm::LoadInst* load = shared.loads[n];
        auto* address = llvm::cast<llvm::Instruction>(load->getPointerOperand());
        load->replaceAllUsesWith(llvm::ConstantInt::get(load->getType(), number));
        load->eraseFromParent();
        address->eraseFromParent();
      }
    }
  }
  by_hash_.clear();
}

}  // namespace fusebox::codegen
