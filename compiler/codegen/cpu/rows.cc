// SPDX-License-Identifier: Apache-2.0
// Rows: for each row (outer index), elementwise members along it, and reductions of it.
//
//     for row in units                                  a row, or 1024 elements if all operands lie alike;
//                                                       in a chain (plan/row_chains.h) a tile of rows
//       for level in 0 .. last                          the result of a reduction is known one level later
//         for chunk of 16 lanes along the row           short rows are unrolled and stay in registers
//           members of this level; fold reductions; store
//       store values that each row has one of
//
// If a row does not fit into registers, elements are computed again at each level that needs them.
#include <algorithm>

#include "fusebox/compiler/codegen/cpu/kernels.h"
#include "fusebox/compiler/codegen/op_emitters.h"

namespace fusebox::codegen {
namespace {

constexpr int64_t kBlock = 1024;   // Elements a unit, if the kernel is one long row without reductions.
constexpr int64_t kUnrolled = 64;  // Longer rows are not unrolled.

// The first of the axes that can be one loop: 0, if every operand has the space's shape or is a single number; 1, if
// there are also members that pick whole rows; -1, if neither holds.
int64_t FirstOfOneLoop(const KernelContext& c) {
  if (c.kernel.run_rank != 0) return -1;
  for (const NodeId id : c.kernel.stored) {
    if (c.LayoutOf(id) != Layout::kExact) return -1;
  }
  int64_t first = 0;
  for (const NodeId id : c.kernel.members) {
    const Node& node = c.graph()[id];
    if (c.kernel.space.size() > 1) {
      if (PicksRows(node)) {
        first = 1;
        continue;
      }
      if (!ReadsSamePoint(node)) return -1;
    }
    if (!ReadsSamePoint(node)) continue;
    for (const NodeId input : DataInputs(node)) {
      const Shape& shape = c.graph()[input].type.shape;
      if (c.LayoutOf(input) != Layout::kExact) return -1;
      if (shape != c.kernel.space && std::ranges::any_of(shape, [](int64_t d) { return d != 1; })) return -1;
    }
  }
  return first;
}

struct Loops {
  Shape outer;  // Loops around,
  Shape inner;  // and the one along the row.
  bool blocks = false;
};

Loops LoopsOf(const KernelContext& c) {
  const Shape& space = c.kernel.space;
  const int64_t first = FirstOfOneLoop(c);
  if (first == 0) return {{}, space, true};
  const auto cut = space.begin() + (first > 0 ? first : c.kernel.outer_rank);
  return {Shape(space.begin(), cut), Shape(cut, space.end()), false};
}

class RowsEmitter {
 public:
  explicit RowsEmitter(const KernelContext& c) : c_(c), ir_(c.ir), loops_(LoopsOf(c)), points_(c) {
    AssignLevels();
    const auto fixed = SymbolicProduct(loops_.inner);
    length_ = fixed.value_or(0) >= 0 ? fixed.value_or(0) : -1;
  }

  void Run() {
    if (loops_.blocks && length_ != 1) {
      Point point;
      points_.Preload(WithMemo(point));
      if (c_.by_rows) {
        Value* row = c_.Size(loops_.inner, 1);
        return Row(point, ir_.Mul(RowOfTile(c_, c_.begin), row), ir_.Mul(RowOfTile(c_, c_.end), row));
      }
      Value* total = c_.Size(loops_.inner);
      ir_.Loop(c_.begin, c_.end, 1, [&](Value* unit) {
        Value* first = ir_.Mul(unit, ir_.I64(kBlock));
        Row(point, first, ir_.Min(ir_.Add(first, ir_.I64(kBlock)), total));
      });
      return;
    }
    Value *begin = c_.begin, *end = c_.end;
    if (c_.by_rows) {
      Value* units = c_.Size(loops_.outer, 1);
      begin = ir_.Mul(RowOfTile(c_, begin), units);
      end = ir_.Mul(RowOfTile(c_, end), units);
    }
    ir_.Loop(begin, end, 1, [&](Value* unit) {
      Point point;
      point.outer = Unflatten(c_, unit, loops_.outer);
      points_.NextRow();
      if (length_ != 1) points_.Preload(WithMemo(point));
      Row(point, ir_.I64(0), c_.Size(loops_.inner));
    });
  }

 private:
  bool IsReduction(NodeId id) const { return c_.graph()[id].info().kind == OpKind::kReduce; }
  bool IsStored(NodeId id) const { return std::ranges::find(c_.kernel.stored, id) != c_.kernel.stored.end(); }

  Point WithMemo(Point point) {
    point.inner = ir_.I64(0);
    point.lanes = 1;
    scratch_.clear();
    point.memo = &scratch_;
    return point;
  }

  // The level of an element is the loop in which it can be computed; that of a reduction, the loop that folds it. A
  // value that each row has one of is computed before the loop of its level.
  void AssignLevels() {
    for (const NodeId id : c_.kernel.members) {
      int level = 0;
      for (const NodeId input : DataInputs(c_.graph()[id])) {
        const NodeId storage = StorageOf(c_.graph(), input);
        if (!c_.kernel.Has(storage)) continue;
        level = std::max(level, level_[storage] + (IsReduction(storage) ? 1 : 0));
      }
      level_[id] = level;
      levels_ = std::max(levels_, level + 1);
    }
  }

  void Row(const Point& row, Value* first, Value* end) {
    const bool unrolled = length_ >= 0 && length_ <= kUnrolled;
    std::vector<Memo> registers(unrolled ? size_t((length_ + kLanes - 1) / kLanes) : 0);
    for (int level = 0; level < levels_; ++level) {
      std::vector<NodeId> folds, stores;
      for (const NodeId id : c_.kernel.members) {
        if (level_[id] != level) continue;
        if (IsReduction(id)) {
          folds.push_back(id);
        } else if (!IsElement(c_.graph(), c_.kernel, id)) {
          Point one = row;
          one.inner = ir_.I64(0);
          points_.Reduced(id, one);
        } else if (IsStored(id)) {
          stores.push_back(id);
        }
      }
      if (folds.empty() && stores.empty()) continue;
      Values state = Begin(folds);
      const auto chunk = [&](Value* inner, Value* mask, int64_t lanes, Memo* memo, Values carried) {
        Point point = row;
        point.inner = inner;
        point.lanes = lanes;
        point.mask = mask;
        point.memo = memo;
        carried = Step(folds, std::move(carried), point);
        points_.StoreElements(stores, point);
        return carried;
      };
      if (unrolled) {
        for (int64_t i = 0; i < length_; i += kLanes) {
          const int64_t left = std::min(kLanes, length_ - i);
          const int64_t lanes = length_ == 1 ? 1 : kLanes;
          Value* mask = left < lanes ? LanesBefore(ir_, ir_.I64(0), ir_.I64(left)) : nullptr;
          if (lanes == 1) {
            for (size_t k = 0; k < state.size(); ++k) state[k] = FirstLane(state[k]);
          }
          state = chunk(ir_.I64(i), mask, lanes, &registers[size_t(i / kLanes)], std::move(state));
        }
      } else {
        // Whole chunks, then the rest under a mask.
        Value* whole = ir_.Add(first, ir_.b.CreateAnd(ir_.b.CreateSub(end, first), ir_.I64(-kLanes)));
        state = ir_.Loop(first, whole, kLanes, std::move(state), [&](Value* i, Values carried) {
          Memo memo;
          return chunk(i, nullptr, kLanes, &memo, std::move(carried));
        });
        state = ir_.Loop(whole, end, kLanes, std::move(state), [&](Value* i, Values carried) {
          Memo memo;
          return chunk(i, LanesBefore(ir_, i, end), kLanes, &memo, std::move(carried));
        });
      }
      Finish(folds, state);
    }
    // All values are computed by now, so a state may be stored where it was read.
    for (const NodeId id : c_.kernel.stored) {
      if (IsElement(c_.graph(), c_.kernel, id)) continue;
      Point one = row;
      one.inner = ir_.I64(0);
      points_.Store(id, points_.Reduced(id, one), one);
    }
  }

  Value* FirstLane(Value* v) { return v->getType()->isVectorTy() ? ir_.b.CreateExtractElement(v, uint64_t(0)) : v; }

  // ---- Reductions: one accumulator of 16 lanes each, two for argmax.

  Values Begin(const std::vector<NodeId>& folds) {
    Values state;
    for (const NodeId id : folds) {
      const Node& node = c_.graph()[id];
      const DType dtype = c_.graph()[node.inputs[0]].type.dtype;
      llvm::Type* type = Ir::Lanes(ir_.ElementType(dtype), kLanes);
      state.push_back(FoldingOf(node.op).identity(ir_, dtype, type));
      if (node.info().gives_index) state.push_back(ir_.Integer(Ir::Lanes(ir_.b.getInt32Ty(), kLanes), -1));
    }
    return state;
  }

  Values Step(const std::vector<NodeId>& folds, Values state, const Point& point) {
    auto& b = ir_.b;
    size_t k = 0;
    for (const NodeId id : folds) {
      const Node& node = c_.graph()[id];
      const DType dtype = c_.graph()[node.inputs[0]].type.dtype;
      Value* x = OperandOfReduction(node, point);
      Value* old = state[k];
      if (node.info().gives_index) {
        Value* old_index = state[k + 1];
        llvm::Type* words = old_index->getType();
        Value* here =
            b.CreateAdd(ir_.Splat(b.CreateTrunc(point.inner, b.getInt32Ty()), point.lanes), ir_.LaneIndex(words));
        Value* better = b.CreateOr(Beats(ir_, dtype, x, old), b.CreateICmpSLT(old_index, ir_.Integer(words, 0)));
        if (point.mask != nullptr) better = b.CreateAnd(better, point.mask);
        state[k] = b.CreateSelect(better, x, old);
        state[k + 1] = b.CreateSelect(better, here, old_index);
        k += 2;
        continue;
      }
      Value* next = FoldingOf(node.op).combine(ir_, dtype, old, x);
      state[k++] = point.mask != nullptr ? b.CreateSelect(point.mask, next, old) : next;
    }
    return state;
  }

  Value* OperandOfReduction(const Node& node, const Point& point) {
    const NodeId storage = StorageOf(c_.graph(), node.inputs[0]);
    if (c_.kernel.Has(storage)) return points_.Element(storage, point);
    // Reads the operand through a copy of its shape, as the reduction's own shape is another one.
    Node reader{.op = Op::kCopy, .type = c_.graph()[node.inputs[0]].type, .inputs = {node.inputs[0]}};
    return points_.Operand(reader, 0, point);
  }

  void Finish(const std::vector<NodeId>& folds, const Values& state) {
    size_t k = 0;
    for (const NodeId id : folds) {
      const Node& node = c_.graph()[id];
      const DType dtype = c_.graph()[node.inputs[0]].type.dtype;
      if (node.info().gives_index) {
        points_.reduced[id] = FoldArgMax(dtype, state[k], state[k + 1]);
        k += 2;
      } else {
        points_.reduced[id] = FoldLanes(node.op, dtype, state[k++]);
      }
    }
  }

  // The lower and the upper half of a vector.
  std::pair<Value*, Value*> Halves(Value* v, int64_t half) {
    std::vector<int> low, high;
    for (int64_t i = 0; i < half; ++i) {
      low.push_back(int(i));
      high.push_back(int(i + half));
    }
    return {ir_.b.CreateShuffleVector(v, low), ir_.b.CreateShuffleVector(v, high)};
  }

  // Folds 16 lanes to one, always in the same tree: i with i + 8, i + 4, i + 2, i + 1.
  Value* FoldLanes(Op op, DType dtype, Value* v) {
    if (!v->getType()->isVectorTy()) return v;
    for (int64_t half = kLanes / 2; half >= 1; half /= 2) {
      const auto [a, b] = Halves(v, half);
      v = FoldingOf(op).combine(ir_, dtype, a, b);
    }
    return ir_.b.CreateExtractElement(v, uint64_t(0));
  }

  Value* FoldArgMax(DType dtype, Value* best, Value* index) {
    auto& b = ir_.b;
    if (!best->getType()->isVectorTy()) return index;
    for (int64_t half = kLanes / 2; half >= 1; half /= 2) {
      const auto [x, y] = Halves(best, half);
      const auto [x_at, y_at] = Halves(index, half);
      // Of equal elements, takes the first in the row. A lane that saw no element has index -1; higher lanes saw none
      // either.
      Value* same = b.CreateAnd(b.CreateNot(Beats(ir_, dtype, x, y)), b.CreateNot(Beats(ir_, dtype, y, x)));
      Value* earlier = b.CreateAnd(same, b.CreateICmpULT(y_at, x_at));
      Value* take = b.CreateAnd(b.CreateOr(Beats(ir_, dtype, y, x), earlier),
                                b.CreateICmpSGE(y_at, ir_.Integer(y_at->getType(), 0)));
      best = b.CreateSelect(take, y, x);
      index = b.CreateSelect(take, y_at, x_at);
    }
    return b.CreateExtractElement(index, uint64_t(0));
  }

  const KernelContext& c_;
  Ir& ir_;
  const Loops loops_;
  PointEmitter points_;
  std::map<NodeId, int> level_;
  int levels_ = 1;
  int64_t length_ = -1;  // Of a row; -1 if it depends on N.
  Memo scratch_;
};

}  // namespace

Value* RowsUnits(const KernelContext& c) {
  const Loops loops = LoopsOf(c);
  if (!loops.blocks || SymbolicProduct(loops.inner) == 1) return c.Size(loops.outer);
  return c.ir.CeilDiv(c.Size(loops.inner), kBlock);
}

void EmitRows(const KernelContext& c) { RowsEmitter(c).Run(); }

}  // namespace fusebox::codegen
