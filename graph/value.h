// SPDX-License-Identifier: Apache-2.0
// Value: a symbol in a graph, one type for host code, gradients and plugins alike. It owns nothing, and works with any
// host that fills the C table of builder_abi.h.
// Public header without a library: includes builder_abi.h alone; every room and every plugin may include it.
#pragma once
#include <algorithm>
#include <concepts>
#include <cstring>
#include <initializer_list>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "fusebox/graph/builder_abi.h"

namespace fusebox {

// Copies the fields that the writer of a struct knew; sets the others to zero.
template <class T>
T ReadStruct(const T* from) {
  T to{};
  std::memcpy(&to, from, std::min<size_t>(sizeof(T), from->struct_size));
  return to;
}
// Copies an array whose elements may be longer or shorter than ours.
template <class T>
std::vector<T> ReadArray(const T* from, uint64_t count) {
  std::vector<T> all;
  const char* bytes = reinterpret_cast<const char*>(from);
  for (uint64_t i = 0; i < count; ++i) {
    all.push_back(ReadStruct(reinterpret_cast<const T*>(bytes)));
    bytes += all.back().struct_size;
  }
  return all;
}

using Dims = std::vector<int64_t>;     // In the encoding of FbType::dims.
inline constexpr int64_t kBatch = -1;  // The dimension N.

// The ABI's forms of a type and of a line.
inline FbType MakeType(uint32_t dtype, const Dims& dims) {
  FbType type{sizeof type, dtype, int64_t(std::min<size_t>(dims.size(), FB_MAX_RANK)), {}};
  std::copy_n(dims.begin(), type.rank, type.dims);
  return type;
}
inline FbSource MakeSource(std::source_location where) { return {sizeof(FbSource), where.line(), where.file_name()}; }

// An attribute that lives as long as the full expression that holds it.
struct NamedAttribute {
  FbAttribute raw;  // As the table takes it, but for `ints`.
  Dims ints;        // Of an FB_INTS.

  NamedAttribute(const char* name, bool v) : raw{sizeof raw, FB_FLAG, name, v, 0, "", nullptr, 0} {}
  NamedAttribute(const char* name, const char* v) : raw{sizeof raw, FB_STRING, name, 0, 0, v, nullptr, 0} {}
  NamedAttribute(const char* name, std::integral auto v)
      : raw{sizeof raw, FB_INT, name, int64_t(v), 0, "", nullptr, 0} {}
  NamedAttribute(const char* name, std::floating_point auto v)
      : raw{sizeof raw, FB_FLOAT, name, 0, double(v), "", nullptr, 0} {}
  NamedAttribute(const char* name, Dims v) : raw{sizeof raw, FB_INTS, name, 0, 0, "", nullptr, 0}, ints(std::move(v)) {}
};

// "f32[N,28]", the same text as in .fbg files.
inline std::string ToString(const FbType& type) {
  constexpr const char* kNames[] = {"error", "f32", "f64", "i32", "i64", "u8", "bool"};
  std::string text = type.dtype <= FB_BOOL ? kNames[type.dtype] : "unknown";
  text += '[';
  for (int64_t i = 0; i < type.rank; ++i) {
    const int64_t d = type.dims[i];
    if (i > 0) text += ',';
    if (d >= 0 || d < -1) text += std::to_string(d >= 0 ? d : -d);
    if (d < 0) text += d == -1 ? "N" : "*N";
  }
  return text += ']';
}

// An op on the error value (id 0) gives the error value, so callers need not check call by call.
struct Value {
  // The table of its host, the graph, and the value in it.
  const FbApi* api = nullptr;
  FbBuilder* builder = nullptr;
  FbId id = 0;

  // False for the error value.
  bool ok() const { return id != 0; }
  // Of the error value, dtype 0 and rank 0.
  FbType type() const {
    FbType type = MakeType(0, {});
    if (id != 0) api->type(builder, id, &type);
    return type;
  }
  uint32_t dtype() const { return type().dtype; }
  int64_t rank() const { return type().rank; }
  Dims dims() const {
    const FbType t = type();
    return Dims(t.dims, t.dims + t.rank);
  }
  // The size of an axis; -1 is the last one. Negative sizes are multiples of the batch.
  int64_t dim(int64_t axis, std::source_location where = std::source_location::current()) const {
    const FbType t = type();
    const int64_t i = axis < 0 ? axis + t.rank : axis;
    if (i >= 0 && i < t.rank) return t.dims[i];
    if (id != 0) Error("axis " + std::to_string(axis) + " does not exist in " + ToString(t), where);
    return 0;
  }
  // Reports an error, and returns the error value.
  Value Error(const std::string& message, std::source_location where = std::source_location::current()) const {
    const FbSource source = MakeSource(where);
    return {api, builder, api ? api->error(builder, message.c_str(), &source) : 0};
  }
};
using Values = std::vector<Value>;  // Several, in order.

// An operand: a value or a number, and the line that wrote it. The default argument is evaluated at the conversion, in
// the caller; so even an operator, which can take no further argument, knows its line.
struct At {
  At(Value v, std::source_location w = std::source_location::current()) : value(v), where(w) {}
  At(double v, std::source_location w = std::source_location::current()) : number(v), is_number(true), where(w) {}

  // The operand: the number if is_number, else the value.
  Value value;
  double number = 0;
  bool is_number = false;
  std::source_location where;  // The line that wrote it.
};

// Emits a node, at the line of its first operand that is a value. A number becomes a constant of that operand's dtype.
inline Value Emit(const char* op, const std::vector<At>& operands,
                  std::initializer_list<NamedAttribute> attributes = {}) {
  auto first = operands.begin();
  while (first != operands.end() && first->value.api == nullptr) ++first;
  if (first == operands.end()) return {};
  const auto [api, builder, id] = first->value;
  std::vector<FbId> ids;
  for (const At& at : operands) {
    if (!at.is_number && at.value.builder != builder) return first->value.Error("operands of two graphs", first->where);
    ids.push_back(at.is_number ? (id == 0 ? 0 : api->constant(builder, at.number, first->value.dtype())) : at.value.id);
  }
  std::vector<FbAttribute> raw;
  for (const NamedAttribute& a : attributes) {
    raw.push_back(a.raw);
    raw.back().ints = a.ints.data();
    raw.back().ints_count = a.ints.size();
  }
  const FbSource source = MakeSource(first->where);
  const FbNode node = {sizeof node, uint32_t(ids.size()), uint32_t(raw.size()), 0, op, ids.data(), raw.data(), &source};
  return {api, builder, api->emit(builder, &node)};
}

}  // namespace fusebox
