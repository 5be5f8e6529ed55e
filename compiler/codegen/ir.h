// SPDX-License-Identifier: Apache-2.0
// What every emitter needs of LLVM: types of our dtypes, loops, loads and stores of lanes. For codegen/ and
// codegen/cpu/.
#pragma once
#include <functional>
#include <vector>

#include "fusebox/compiler/target.h"
#include "fusebox/graph/type.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

namespace fusebox::codegen {

using llvm::Value;
using Values = std::vector<Value*>;

// Emits into one function of a module.
class Ir {
 public:
  explicit Ir(llvm::Module& module) : b(module.getContext()), module_(module) {
    // a*b+c may round once, and does on all targets that have fma. No other flag may change results.
    llvm::FastMathFlags flags;
    flags.setAllowContract();
    b.setFastMathFlags(flags);
  }

  llvm::IRBuilder<> b;

  llvm::Module& module() { return module_; }
  llvm::LLVMContext& context() { return module_.getContext(); }

  // Begins a new function; emission continues in its entry block.
  llvm::Function* Begin(const std::string& name, llvm::Type* result, std::vector<llvm::Type*> parameters,
                        bool external);
  llvm::Function* function() { return function_; }

  // In registers a bool is i1; in memory it takes a byte.
  llvm::Type* ElementType(DType dtype);
  llvm::Type* MemoryType(DType dtype);
  static llvm::Type* Lanes(llvm::Type* element, int64_t lanes);  // lanes 1: the element itself.
  llvm::Type* i64() { return b.getInt64Ty(); }
  llvm::Type* ptr() { return b.getPtrTy(); }

  Value* I64(int64_t v) { return b.getInt64(uint64_t(v)); }
  // A number in the type, splat over its lanes.
  Value* Number(llvm::Type* type, double v);
  Value* Integer(llvm::Type* type, int64_t v);
  Value* Splat(Value* v, int64_t lanes) { return lanes == 1 ? v : b.CreateVectorSplat(unsigned(lanes), v); }
  // <0, 1, 2, ...> of the type's lanes; 0 for a scalar.
  Value* LaneIndex(llvm::Type* type);

  // i64 arithmetic for indices. Constants float outward, (x + 2) * 3 becomes x * 3 + 6, so that what many addresses
  // share is one value, and what is left of each is a displacement in the instruction that uses it.
  Value* Add(Value* x, Value* y);
  Value* Mul(Value* x, Value* y);
  Value* MulAdd(Value* x, int64_t by, Value* plus) { return Add(Mul(x, I64(by)), plus); }
  Value* CeilDiv(Value* x, int64_t by) { return b.CreateUDiv(Add(x, I64(by - 1)), I64(by)); }
  Value* Min(Value* x, Value* y) { return b.CreateSelect(b.CreateICmpSLT(x, y), x, y); }
  Value* Max(Value* x, Value* y) { return b.CreateSelect(b.CreateICmpSGT(x, y), x, y); }

  // Splits x into {x', c} with x = x' + c.
  std::pair<Value*, int64_t> SplitConstant(Value* x);

  // The address of element `index` behind base.
  Value* At(Value* base, DType dtype, Value* index);

  // Lanes [index, index + lanes) behind base. A mask (i1 lanes, null for all) keeps the access inside the array; lanes
  // that it leaves out read as zero.
  Value* LoadLanes(Value* base, DType dtype, Value* index, int64_t lanes, Value* mask);
  void StoreLanes(Value* v, Value* base, DType dtype, Value* index, Value* mask);
  // The i32 `index` behind base, as an index.
  Value* LoadIndex(Value* base, Value* index) {
    return b.CreateSExt(LoadLanes(base, DType::kI32, index, 1, nullptr), i64());
  }
  // A hint that the cache line of this address will be read.
  void Prefetch(Value* address);
  // One element at each of the indices (an i64 vector, or a scalar).
  Value* Gather(Value* base, DType dtype, Value* indices, int64_t lanes, Value* mask);

  // for (i = begin; i < end; i += step) carried = body(i, carried). There may be no iteration at all.
  using Body = std::function<Values(Value* i, Values carried)>;
  Values Loop(Value* begin, Value* end, int64_t step, Values carried, const Body& body);
  void Loop(Value* begin, Value* end, int64_t step, const std::function<void(Value* i)>& body);
  // As Loop, for at least one iteration: tests at the end, which saves a jump in inner loops.
  Values InnerLoop(Value* begin, Value* end, int64_t step, Values carried, const Body& body);
  // The values that one of the two returns; both return as many, of the same types.
  Values Choose(Value* condition, const std::function<Values()>& then, const std::function<Values()>& otherwise);
  void If(Value* condition, const std::function<void()>& then, const std::function<void()>& otherwise = nullptr);

 private:
  Value* ToRegister(Value* v, DType dtype);
  Value* ToMemory(Value* v, DType dtype);

  llvm::Module& module_;
  llvm::Function* function_ = nullptr;
};

}  // namespace fusebox::codegen
