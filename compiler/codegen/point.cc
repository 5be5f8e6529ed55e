// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/codegen/point.h"

#include <algorithm>
#include <set>

#include "fusebox/compiler/codegen/op_emitters.h"
#include "fusebox/graph/check.h"

namespace fusebox::codegen {
namespace {

Shape WithOnes(Shape shape, size_t rank) {
  while (shape.size() < rank) shape.insert(shape.begin(), 1);
  return shape;
}

}  // namespace

Value* PointEmitter::base(NodeId storage) const {
  const auto it = bases_.find(storage);
  Check(it != bases_.end(), "a kernel reads what is not in memory");
  return it->second;
}

PointEmitter::PointEmitter(const KernelContext& context) : c_(context), ir_(context.ir) {
  const auto add = [this](NodeId storage) {
    if (c_.plan.places[storage].kind == Place::Kind::kNone || bases_.contains(storage)) return;
    bases_[storage] = StorageAddress(c_, storage);
  };
  for (const NodeId id : c_.kernel.members) {
    const Node& node = c_.graph()[id];
    for (const NodeId input : DataInputs(node)) {
      const NodeId storage = StorageOf(c_.graph(), input);
      if (!c_.kernel.Has(storage)) add(storage);
    }
    if (node.info().binding == Binding::kDataSet) {
      static const Port kDataSet = {.kind = Port::Kind::kRows, .name = {}, .type = {}};
      data_sets_[id] = PortAddress(c_, kDataSet, c_.Number(NumberKind::kPort, id));
    }
  }
  for (const NodeId id : c_.kernel.stored) add(id);
}

Value* PointEmitter::Index(NodeId value, const Shape& context, const Point& point, bool* across) const {
  const Shape& shape = c_.graph()[value].type.shape;
  if (const Layout layout = c_.LayoutOf(value); layout != Layout::kExact) {
    Check(shape == context && point.outer.size() == 1, "a matrix is read by another loop nest than its layout's");
    *across = false;
    if (layout == Layout::kPanels) return PanelIndex(ir_, c_.Dim(shape[0]), point.outer[0], point.inner);
    return ir_.Add(ir_.Mul(point.outer[0], c_.RowStride(value)), point.inner);
  }
  const Shape s = WithOnes(shape, context.size());
  const size_t loops = std::min(point.outer.size(), s.size());
  Value* index = ir_.I64(0);
  for (size_t i = 0; i < loops; ++i) {
    if (s[i] != 1) index = ir_.Add(index, ir_.Mul(point.outer[i], c_.Size(s, i + 1)));
  }
  *across = std::all_of(s.begin() + int64_t(loops), s.end(), [](int64_t d) { return d == 1; });
  return *across ? index : ir_.Add(index, point.inner);
}

Value* PointEmitter::Constant(const Node& node) {
  const double value = node.attributes.Float("value");
  llvm::Type* type = ir_.ElementType(node.type.dtype);
  if (IsFloat(node.type.dtype)) return ir_.Number(type, value);
  if (node.type.dtype == DType::kBool) return ir_.b.getInt1(value != 0);
  return ir_.Integer(type, int64_t(value));
}

Value* PointEmitter::Load(NodeId value, const Shape& context, const Point& point, bool scalar) {
  const Node& node = c_.graph()[value];
  const NodeId storage = StorageOf(c_.graph(), value);
  const Node& source = c_.graph()[storage];
  const int64_t lanes = scalar ? 1 : point.lanes;
  if (source.op == Op::kConstant) return ir_.Splat(Constant(source), lanes);
  if (source.op == Op::kExtent) {
    Shape axes;
    const Type& of = c_.graph()[source.inputs[0]].type;
    for (const int64_t axis : source.attributes.List("axes")) axes.push_back(of.shape[size_t(axis)]);
    Value* count = c_.Size(axes);
    llvm::Type* type = ir_.ElementType(source.type.dtype);
    Value* number = IsFloat(source.type.dtype) ? ir_.b.CreateSIToFP(count, type) : ir_.b.CreateZExtOrTrunc(count, type);
    return ir_.Splat(number, lanes);
  }
  bool across = false;
  const auto key = std::make_pair(value, context.size());
  if (const auto it = row_loads_.find(key); it != row_loads_.end()) return ir_.Splat(it->second, lanes);
  Value* index = Index(value, context, point, &across);
  if (across || scalar) return ir_.Splat(ir_.LoadLanes(base(storage), node.type.dtype, index, 1, nullptr), lanes);
  return ir_.LoadLanes(base(storage), node.type.dtype, index, lanes, lanes == 1 ? nullptr : MaskFor(storage, point));
}

// In a padded layout, no mask is needed: the memory behind the last column belongs to the row, and nothing reads it.
Value* PointEmitter::MaskFor(NodeId storage, const Point& point) const {
  return c_.LayoutOf(storage) == Layout::kExact ? point.mask : nullptr;
}

void PointEmitter::Preload(const Point& point) {
  for (const NodeId id : c_.kernel.members) {
    const Node& node = c_.graph()[id];
    if (!ReadsSamePoint(node)) continue;
    for (const NodeId input : DataInputs(node)) {
      const NodeId storage = StorageOf(c_.graph(), input);
      const auto key = std::make_pair(input, node.type.shape.size());
      if (!bases_.contains(storage) || c_.kernel.Has(storage) || row_loads_.contains(key)) continue;
      bool across = false;
      Value* index = Index(input, node.type.shape, point, &across);
      if (across) row_loads_[key] = ir_.LoadLanes(base(storage), c_.graph()[input].type.dtype, index, 1, nullptr);
    }
  }
}

void PointEmitter::Prefetch(const Point& point) {
  std::set<NodeId> asked;
  for (const NodeId id : c_.kernel.members) {
    const Node& node = c_.graph()[id];
    if (node.info().kind != OpKind::kElementwise) continue;
    for (const NodeId input : DataInputs(node)) {
      const NodeId storage = StorageOf(c_.graph(), input);
      const Type& type = c_.graph()[input].type;
      const bool alike = type.shape == c_.kernel.space && node.type.shape == c_.kernel.space;
      if (!alike || !bases_.contains(storage) || c_.kernel.Has(storage) || !asked.insert(storage).second) continue;
      bool across = false;
      ir_.Prefetch(ir_.At(base(storage), type.dtype, Index(input, node.type.shape, point, &across)));
    }
  }
}

Value* PointEmitter::Operand(const Node& user, size_t input, const Point& point, bool scalar) {
  const NodeId value = user.inputs[input];
  const NodeId storage = StorageOf(c_.graph(), value);
  if (!c_.kernel.Has(storage)) return Load(value, user.type.shape, point, scalar);
  if (const auto it = reduced.find(storage); it != reduced.end())
    return ir_.Splat(it->second, scalar ? 1 : point.lanes);
  return scalar ? Reduced(storage, point) : Element(storage, point);
}

Value* PointEmitter::Element(NodeId id, const Point& point) {
  if (const auto it = point.memo->find(id); it != point.memo->end()) return it->second;
  Value* value = Compute(id, point, false);
  return (*point.memo)[id] = value;
}

Value* PointEmitter::Reduced(NodeId id, const Point& point) {
  if (const auto it = reduced.find(id); it != reduced.end()) return it->second;
  Value* value = Compute(id, point, true);
  return reduced[id] = value;
}

Value* PointEmitter::Compute(NodeId id, const Point& point, bool scalar) {
  const Node& node = c_.graph()[id];
  const int64_t lanes = scalar ? 1 : point.lanes;
  switch (node.op) {
    case Op::kIota: {
      Value* index = IndexAlong(node, node.attributes.Int("axis"), point);
      return ir_.b.CreateTrunc(index, Ir::Lanes(ir_.b.getInt32Ty(), lanes));
    }
    case Op::kRows:
      return Rows(id, point);
    case Op::kGather:
      return Gather(node, point);
    case Op::kRandomUniform:
      return Random(id, point, scalar);
    default:
      if (node.info().axis_map != nullptr) return Strided(node, point);
      break;
  }
  Values operands;
  for (size_t i = 0; i < node.inputs.size(); ++i) operands.push_back(Operand(node, i, point, scalar));
  const OpEmitter emitter = EmitterOf(node.op);
  Check(emitter != nullptr, "an op without an emitter");
  return emitter({ir_, node, c_.graph()[node.inputs[0]].type.dtype, node.type.dtype, operands});
}

Value* PointEmitter::InnerLanes(const Point& point) {
  llvm::Type* type = Ir::Lanes(ir_.i64(), point.lanes);
  if (point.lanes == 1) return point.inner;
  return ir_.b.CreateAdd(ir_.Splat(point.inner, point.lanes), ir_.LaneIndex(type));
}

// The index along one axis of an iota, in lanes of i64. The iota's axes are the last ones of the kernel's space.
Value* PointEmitter::IndexAlong(const Node& node, int64_t axis, const Point& point) {
  const auto loops = int64_t(point.outer.size());
  const auto rank = int64_t(c_.kernel.space.size());
  axis += rank - node.type.rank();
  if (axis < loops) return ir_.Splat(point.outer[size_t(axis)], point.lanes);
  Check(axis == rank - 1 && axis == loops, "the index of a folded axis");
  return InnerLanes(point);
}

Value* PointEmitter::Rows(NodeId id, const Point& point) {
  const Node& node = c_.graph()[id];
  // The order is i32[count]. A row of the data set is all axes behind the first.
  Value* data = data_sets_.at(id);
  const NodeId order = StorageOf(c_.graph(), node.inputs[0]);
  Value* row_size = c_.Size(node.type.shape, 1);
  if (point.outer.empty()) {
    Value* rows = ir_.LoadLanes(base(order), DType::kI32, point.inner, point.lanes, point.mask);
    Value* wide = ir_.b.CreateSExt(rows, Ir::Lanes(ir_.i64(), point.lanes));
    return ir_.Gather(data, node.type.dtype, wide, point.lanes, point.mask);
  }
  Value* row = ir_.LoadIndex(base(order), point.outer[0]);
  Value* index = ir_.Mul(row, row_size);
  for (size_t i = 1; i < point.outer.size(); ++i) {
    index = ir_.Add(index, ir_.Mul(point.outer[i], c_.Size(node.type.shape, i + 1)));
  }
  return ir_.LoadLanes(data, node.type.dtype, ir_.Add(index, point.inner), point.lanes, point.mask);
}

Value* PointEmitter::Gather(const Node& node, const Point& point) {
  const Type& table = c_.graph()[node.inputs[0]].type;
  const NodeId storage = StorageOf(c_.graph(), node.inputs[0]), indices = StorageOf(c_.graph(), node.inputs[1]);
  Value* zeros = llvm::Constant::getNullValue(Ir::Lanes(ir_.ElementType(node.type.dtype), point.lanes));
  if (table.shape[0] == 0) return zeros;
  // For an index outside the table, reads row 0, which exists, and then takes zero.
  const auto inside = [&](Value* row, int64_t lanes) {
    return ir_.b.CreateICmpULT(row, ir_.Splat(c_.Dim(table.shape[0]), lanes));
  };
  const auto safe = [&](Value* row, Value* is_inside) {
    return ir_.b.CreateSelect(is_inside, row, ir_.Integer(row->getType(), 0));
  };
  if (point.outer.empty()) {
    Value* rows = ir_.LoadLanes(base(indices), DType::kI32, point.inner, point.lanes, point.mask);
    rows = ir_.b.CreateSExt(rows, Ir::Lanes(ir_.i64(), point.lanes));
    Value* known = inside(rows, point.lanes);
    Value* values = ir_.Gather(base(storage), node.type.dtype, safe(rows, known), point.lanes, point.mask);
    return ir_.b.CreateSelect(known, values, zeros);
  }
  Value* row = ir_.LoadIndex(base(indices), point.outer[0]);
  Value* known = inside(row, 1);
  Value* index = ir_.Mul(safe(row, known), c_.Size(node.type.shape, 1));
  for (size_t i = 1; i < point.outer.size(); ++i) {
    index = ir_.Add(index, ir_.Mul(point.outer[i], c_.Size(node.type.shape, i + 1)));
  }
  Value* values = ir_.LoadLanes(base(storage), node.type.dtype, ir_.Add(index, point.inner), point.lanes, point.mask);
  return ir_.b.CreateSelect(known, values, zeros);
}

// Slices and transposes read their operand where it lies, with a stride for each axis.
Value* PointEmitter::Strided(const Node& node, const Point& point) {
  const Type& from = c_.graph()[node.inputs[0]].type;
  const NodeId storage = StorageOf(c_.graph(), node.inputs[0]);
  Value* start = ir_.I64(0);
  Values strides;
  const AxisMap map = node.info().axis_map(node);
  for (size_t axis = 0; axis < map.axes.size(); ++axis) {
    strides.push_back(c_.Size(from.shape, size_t(map.axes[axis]) + 1));
    start = ir_.Add(start, ir_.Mul(ir_.I64(map.begins[axis]), strides.back()));
  }
  for (size_t i = 0; i < point.outer.size(); ++i) start = ir_.Add(start, ir_.Mul(point.outer[i], strides[i]));
  if (strides.empty()) return ir_.LoadLanes(base(storage), node.type.dtype, start, 1, nullptr);
  Value* step = strides.back();
  if (auto* one = llvm::dyn_cast<llvm::ConstantInt>(step); one != nullptr && one->isOne()) {
    return ir_.LoadLanes(base(storage), node.type.dtype, ir_.Add(start, point.inner), point.lanes, point.mask);
  }
  Value* indices = ir_.b.CreateMul(InnerLanes(point), ir_.Splat(step, point.lanes));
  indices = ir_.b.CreateAdd(indices, ir_.Splat(start, point.lanes));
  return ir_.Gather(base(storage), node.type.dtype, indices, point.lanes, point.mask);
}

Value* PointEmitter::Random(NodeId id, const Point& point, bool scalar) {
  const Node& node = c_.graph()[id];
  const Shape& shape = node.type.shape;
  Value* start = ir_.I64(0);
  const size_t loops = std::min(point.outer.size(), shape.size());
  for (size_t i = 0; i < loops; ++i) start = ir_.Add(start, ir_.Mul(point.outer[i], c_.Size(shape, i + 1)));
  Value* index = start;
  if (!scalar && shape.size() > loops) {
    index = ir_.b.CreateAdd(ir_.Splat(start, point.lanes), InnerLanes(point));
  }
  Value* seed = Operand(node, 0, point, true);
  Value* step = Operand(node, 1, point, true);
  return RandomUniform(ir_, node.type.dtype, seed, step, c_.Number(NumberKind::kStream, id), index);
}

void PointEmitter::StoreElements(const std::vector<NodeId>& ids, const Point& point) {
  Values values;
  for (const NodeId id : ids) values.push_back(Element(id, point));
  for (size_t i = 0; i < ids.size(); ++i) Store(ids[i], values[i], point);
}

void PointEmitter::Store(NodeId id, Value* value, const Point& point) {
  const Type& type = c_.graph()[id].type;
  bool across = false;
  Value* index = Index(id, type.shape, point, &across);
  const bool vector = value->getType()->isVectorTy();
  ir_.StoreLanes(value, base(id), type.dtype, index, vector ? MaskFor(id, point) : nullptr);
}

}  // namespace fusebox::codegen
