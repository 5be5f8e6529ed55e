// SPDX-License-Identifier: Apache-2.0
// The families of operations that the layer `operation` knows, one source each: elementwise, reductions, movement. Each
// entry is a function from a call to its value.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "fusebox/plugins/sdk/sdk.h"
#include "nlohmann/json.hpp"

namespace fusebox {

// A call of an operation: what it is called with, and its settings.
class OperationCall {
 public:
  // `call` is {"config": {...}, "args": [...], "kwargs": {...}}, in which {"value": i} stands for values[i]. It and the
  // values outlive this object.
  OperationCall(const sdk::Scope& scope, const nlohmann::json& call, const Values& values)
      : scope_(scope), call_(call), values_(values) {}

  // The argument at a place, or else by one of its names: a value, a number, an array of numbers. Error: none, or
  // another one.
  At Operand(size_t place, std::string_view name) const;
  // The same, which is to be a value of the model or an array.
  Value Operand1(size_t place = 0, std::string_view name = "x") const;
  // All values of the argument, which is a list.
  Values List(size_t place, std::string_view name) const;

  // A setting, from the operation's config or else from the call's arguments; null if it is not given.
  const nlohmann::json& Setting(std::string_view name) const;
  bool Flag(std::string_view name, bool otherwise) const;
  int64_t Int(std::string_view name, int64_t otherwise) const;
  double Number(std::string_view name, double otherwise) const;
  // A list of integers, or a single one; nothing if it is not given or null.
  std::optional<Dims> Ints(std::string_view name) const;
  // The axes of a reduction of x, counted from the front: all of them if none are given. Nothing after an error.
  std::optional<Dims> Axes(Value x) const;
  // An axis of something of this rank, counted from the front. Nothing after an error.
  std::optional<int64_t> Axis(int64_t axis, int64_t rank) const;

  const nlohmann::json& call() const { return call_; }
  const sdk::Scope& scope() const { return scope_; }
  template <class... T>
  Value Error(fmt::format_string<T...> format, T&&... arguments) const {
    return scope_.Error("{}", fmt::format(format, std::forward<T>(arguments)...));
  }

 private:
  std::optional<At> Read(const nlohmann::json& argument) const;
  std::optional<Value> ReadArray(const nlohmann::json& array) const;

  const sdk::Scope& scope_;
  const nlohmann::json& call_;
  const Values& values_;
};

struct OperationEntry {
  std::string_view name;  // Keras's, in snake case: "true_divide".
  Value (*expand)(const OperationCall& call);
};

std::span<const OperationEntry> ElementwiseOperations();
std::span<const OperationEntry> ReducingOperations();
std::span<const OperationEntry> MovingOperations();

}  // namespace fusebox
