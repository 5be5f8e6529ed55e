// SPDX-License-Identifier: Apache-2.0
// Operations of keras.ops that move elements: other shapes, other orders, parts and joins. The batch stays the first
// axis.
#include <algorithm>
#include <numeric>

#include "fusebox/plugins/layers/operation.h"

namespace fusebox {
namespace {

using Json = nlohmann::json;

int64_t SampleSize(const Dims& dims) {
  return std::accumulate(dims.begin() + 1, dims.end(), int64_t{1}, std::multiplies<>());
}

Value Reshaped(const OperationCall& call) {
  const Value x = call.Operand1();
  std::optional<Dims> shape = call.Ints("newshape");
  if (!shape) shape = call.Ints("new_shape");
  if (!shape) shape = call.Ints("shape");
  if (!x.ok()) return x;
  if (!shape || shape->empty() || shape->front() != -1 || std::ranges::count(*shape, -1) != 1) {
    return call.Error("expects a shape [-1, ...] that keeps the batch, got {}", call.Setting("newshape").dump(-1));
  }
  if (SampleSize(*shape) != SampleSize(x.dims())) {
    return call.Error("expects a shape of {} numbers a sample, got {}", SampleSize(x.dims()), SampleSize(*shape));
  }
  shape->front() = x.dim(0);
  return Reshape(x, *shape);
}

Value Permuted(const OperationCall& call, Value x, const Dims& order) {
  if (!x.ok()) return x;
  Dims sorted = order;
  std::ranges::sort(sorted);
  bool whole = int64_t(order.size()) == x.rank() && order.front() == 0;
  for (size_t i = 0; i < sorted.size(); ++i) whole = whole && sorted[i] == int64_t(i);
  if (!whole) return call.Error("expects an order of all axes of {} that keeps the batch first", x.type());
  return Transpose(x, order);
}

Dims InOrder(int64_t rank) {
  Dims order(static_cast<size_t>(rank));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

Value Transposed(const OperationCall& call) {
  const Value x = call.Operand1();
  Dims order = call.Ints("axes").value_or(Dims());
  if (order.empty()) order = {1, 0};  // Without axes all are reversed, the batch too.
  for (int64_t& axis : order) axis = axis < 0 ? axis + x.rank() : axis;
  return Permuted(call, x, order);
}

Value Swapped(const OperationCall& call) {
  const Value x = call.Operand1();
  if (!x.ok()) return x;
  const auto a = call.Axis(call.Int("axis1", 1), x.rank()), b = call.Axis(call.Int("axis2", 2), x.rank());
  if (!a || !b) return {};
  Dims order = InOrder(x.rank());
  std::swap(order[size_t(*a)], order[size_t(*b)]);
  return Permuted(call, x, order);
}

Value Moved(const OperationCall& call) {
  const Value x = call.Operand1();
  const std::optional<Dims> from = call.Ints("source"), to = call.Ints("destination");
  if (!x.ok()) return x;
  if (!from || !to || from->size() != 1 || to->size() != 1) return call.Error("moves one axis at a time");
  const auto source = call.Axis(from->front(), x.rank()), target = call.Axis(to->front(), x.rank());
  if (!source || !target) return {};
  Dims order = InOrder(x.rank());
  order.erase(order.begin() + *source);
  order.insert(order.begin() + *target, *source);
  return Permuted(call, x, order);
}

Value Expanded(Value x, int64_t axis) {
  Dims dims = x.dims();
  dims.insert(dims.begin() + axis, 1);
  return Reshape(x, dims);
}

Value ExpandDims(const OperationCall& call) {
  const Value x = call.Operand1();
  if (!x.ok()) return x;
  const auto axis = call.Axis(call.Ints("axis").value_or(Dims{-1}).front(), x.rank() + 1);
  if (!axis) return {};
  return *axis == 0 ? call.Error("puts an axis before the batch") : Expanded(x, *axis);
}

Value Squeeze(const OperationCall& call) {
  const Value x = call.Operand1();
  if (!x.ok()) return x;
  std::optional<Dims> axes = call.Ints("axis");
  Dims dims;
  for (int64_t i = 0; i < x.rank(); ++i) {
    const bool named = axes && std::ranges::any_of(*axes, [&](int64_t a) { return (a < 0 ? a + x.rank() : a) == i; });
    if (named && x.dim(i) != 1) return call.Error("drops axis {} of {}, expected one of size 1", i, x.type());
    if (!(named || (!axes && x.dim(i) == 1))) dims.push_back(x.dim(i));
  }
  return Reshape(x, dims);
}

Value Joined(const OperationCall& call, bool stack) {
  Values parts = call.List(0, stack ? "x" : "xs");
  if (parts.empty() || !parts[0].ok()) return {};
  const auto axis = call.Axis(call.Int("axis", stack ? 0 : -1), parts[0].rank() + (stack ? 1 : 0));
  if (!axis) return {};
  if (*axis == 0) return call.Error("joins batches, expected an axis of samples");
  for (Value& part : parts) part = stack && part.ok() ? Expanded(part, *axis) : part;
  return parts.size() == 1 ? parts[0] : Concatenate(parts, *axis);
}

Value Repeated(const OperationCall& call) {
  constexpr int64_t kMax = 4096;
  const Value x = call.Operand1();
  const std::optional<Dims> times = call.Ints("repeats"), axes = call.Ints("axis");
  if (!x.ok()) return x;
  if (!times || times->size() != 1 || !axes || times->front() < 1 || times->front() > kMax) {
    return call.Error("expects a number of repeats from 1 to {}, and an axis", kMax);
  }
  const auto axis = call.Axis(axes->front(), x.rank());
  if (!axis || *axis == 0) return axis ? call.Error("repeats samples of the batch") : Value{};
  const Value one = Expanded(x, *axis + 1);
  Dims wide = one.dims(), dims = x.dims();
  wide[size_t(*axis) + 1] = times->front();
  dims[size_t(*axis)] *= times->front();
  return Reshape(Broadcast(one, wide), dims);
}

Value Tiled(const OperationCall& call) {
  Value x = call.Operand1();
  const std::optional<Dims> times = call.Ints("repeats");
  if (!x.ok()) return x;
  if (!times || int64_t(times->size()) > x.rank()) return call.Error("expects a number of repeats for each axis");
  const int64_t first = x.rank() - int64_t(times->size());
  for (size_t i = 0; i < times->size(); ++i) {
    if ((*times)[i] < 1 || (first + int64_t(i) == 0 && (*times)[i] != 1)) {
      return call.Error("expects 1 or more repeats of each axis, and 1 of the batch");
    }
    if ((*times)[i] > 1) x = Concatenate(Values(size_t((*times)[i]), x), first + int64_t(i));
  }
  return x;
}

// The elements along these axes in the opposite order.
Value Flipped(const OperationCall& call) {
  constexpr int64_t kMost = 1024;  // Each becomes an operation of its own.
  Value x = call.Operand1();
  if (!x.ok()) return x;
  std::optional<Dims> axes = call.Ints("axis");
  if (!axes) return call.Error("reverses the batch, expected axes of samples");
  for (const int64_t given : *axes) {
    const auto axis = call.Axis(given, x.rank());
    if (!axis) return {};
    const int64_t size = x.dim(*axis);
    if (*axis == 0) return call.Error("reverses the batch, expected axes of samples");
    if (size < 1 || size > kMost) return call.Error("expects axes of 1 to {} elements, got {}", kMost, x.type());
    Values parts;
    for (int64_t i = size; i-- > 0;) parts.push_back(Slice(x, *axis, i, i + 1));
    x = parts.size() == 1 ? parts[0] : Concatenate(parts, *axis);
  }
  return x;
}

Value OneHotOf(const OperationCall& call) {
  const int64_t classes = call.Int("num_classes", 0);
  if (classes < 1 || call.Int("axis", -1) != -1) return call.Error("expects one class or more, along the last axis");
  return OneHot(Cast(call.Operand1(), FB_I32), classes);
}

// x[:, 1:3, 0, ..., None]: the index is the second argument, a list of slices, numbers and null for a new axis.
class Indexing {
 public:
  Indexing(const OperationCall& call, Value x) : call_(call), x_(x) {}

  Value Run(const Json& index) {
    const Json items = index.is_array() ? index : Json::array({index});
    const auto takes = [](const Json& item) { return !item.is_null() && !IsEllipsis(item); };
    const int64_t taken = std::ranges::count_if(items, takes);
    for (const Json& item : items) {
      if (IsEllipsis(item)) {
        axis_ += x_.rank() - added_ + dropped_ - taken;
      } else if (!Take(item)) {
        return {};
      }
    }
    if (dropped_axes_.empty()) return x_;
    Dims dims;
    for (int64_t i = 0; i < x_.rank(); ++i) {
      if (std::ranges::find(dropped_axes_, i) == dropped_axes_.end()) dims.push_back(x_.dim(i));
    }
    return Reshape(x_, dims);
  }

 private:
  static bool IsEllipsis(const Json& item) {
    return item.is_object() && item.value("class_name", "") == "__ellipsis__";
  }

  bool Take(const Json& item) {
    if (item.is_null()) {
      if (axis_ == 0) return Fail("puts an axis before the batch");
      x_ = Expanded(x_, axis_++);
      ++added_;
      return true;
    }
    if (axis_ >= x_.rank()) return Fail("has more indices than the value has axes");
    const Json& config = item.is_object() ? item.value("config", Json()) : Json();
    const auto bound = [&](const char* name) { return config.is_object() ? config.value(name, Json()) : Json(); };
    const Json start = bound("start"), stop = bound("stop"), step = bound("step");
    const bool whole = item.is_object() && start.is_null() && stop.is_null() && (step.is_null() || step == 1);
    if (whole) {
      ++axis_;
      return true;
    }
    if (axis_ == 0) return Fail("takes a part of the batch");
    const int64_t size = x_.dim(axis_);
    const auto place = [&](const Json& of, int64_t otherwise) {
      const int64_t at = of.is_number_integer() ? of.get<int64_t>() : otherwise;
      return std::clamp(at < 0 ? at + size : at, int64_t{0}, size);
    };
    if (item.is_number_integer()) {
      const auto at = call_.Axis(item.get<int64_t>(), size);
      if (!at) return false;
      x_ = Slice(x_, axis_, *at, *at + 1);
      dropped_axes_.push_back(axis_++);
      ++dropped_;
      return true;
    }
    if (!item.is_object() || !(step.is_null() || (step.is_number_integer() && step.get<int64_t>() > 0))) {
      return Fail("has an index that is no number and no slice forwards");
    }
    const int64_t begin = place(start, 0), end = place(stop, size);
    if (begin >= end) return Fail("takes an empty slice");
    x_ = Slice(x_, axis_, begin, end);
    const int64_t stride = step.is_null() ? 1 : step.get<int64_t>();
    if (stride > 1) {
      Values parts;
      for (int64_t i = 0; i < end - begin; i += stride) parts.push_back(Slice(x_, axis_, i, i + 1));
      x_ = parts.size() == 1 ? parts[0] : Concatenate(parts, axis_);
    }
    ++axis_;
    return true;
  }

  bool Fail(const char* what) {
    call_.Error("{}, which is not supported", what);
    return false;
  }

  const OperationCall& call_;
  Value x_;
  int64_t axis_ = 0, added_ = 0, dropped_ = 0;
  Dims dropped_axes_;
};

Value GetItem(const OperationCall& call) {
  const Value x = call.Operand1();
  if (!x.ok()) return x;
  const Json& json = call.call();
  const Json args = json.value("args", Json::array());
  Json index = args.is_array() && args.size() > 1 ? args[1] : call.Setting("key");
  if (index.is_object() && index.value("class_name", "") == "__tuple__") index = Json(index.value("items", Json()));
  return Indexing(call, x).Run(index);
}

constexpr OperationEntry kEntries[] = {
    {"reshape", Reshaped},
    {"transpose", Transposed},
    {"swapaxes", Swapped},
    {"moveaxis", Moved},
    {"expand_dims", ExpandDims},
    {"squeeze", Squeeze},
    {"concatenate", [](const OperationCall& call) { return Joined(call, false); }},
    {"stack", [](const OperationCall& call) { return Joined(call, true); }},
    {"flip", Flipped},
    {"repeat", Repeated},
    {"tile", Tiled},
    {"one_hot", OneHotOf},
    {"get_item", GetItem},
};

}  // namespace

std::span<const OperationEntry> MovingOperations() { return kEntries; }

}  // namespace fusebox
