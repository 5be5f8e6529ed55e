// SPDX-License-Identifier: Apache-2.0
#include "tests/support/elementwise.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fmt/format.h"
#include "fusebox/graph/check.h"
#include "fusebox/graph/evaluate.h"
#include "fusebox/graph/text.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

constexpr DType kDTypes[] = {DType::kF32, DType::kF64, DType::kI32, DType::kI64, DType::kU8, DType::kBool};

std::vector<AttributeMap> AttributesOf(const OpInfo& op) {
  std::vector<AttributeMap> all = {{}};
  for (const AttributeSpec& spec : op.attributes) {
    if (spec.name == nullptr || !spec.required) continue;
    if (std::string(spec.name) == "dtype") {
      std::vector<AttributeMap> with;
      for (const DType dtype : kDTypes) {
        for (const AttributeMap& one : all) with.emplace_back(one).Set(spec.name, int64_t(dtype));
      }
      all = with;
      continue;
    }
    for (AttributeMap& one : all) {
      if (spec.type == FB_INT) one.Set(spec.name, int64_t{1});
      if (spec.type == FB_FLOAT) one.Set(spec.name, 0.5);
      if (spec.type == FB_FLAG) one.Set(spec.name, true);
    }
  }
  return all;
}

}  // namespace

std::vector<const OpInfo*> ElementwiseOps() {
  std::vector<const OpInfo*> ops;
  for (const OpInfo& op : AllOps()) {
    if (op.kind == OpKind::kElementwise) ops.push_back(&op);
  }
  return ops;
}

std::vector<Signature> SignaturesOf(const OpInfo& op) {
  std::vector<std::vector<Type>> combinations = {{}};
  for (int i = 0; i < op.arity; ++i) {
    std::vector<std::vector<Type>> longer;
    for (const std::vector<Type>& one : combinations) {
      for (const DType dtype : kDTypes) {
        longer.push_back(one);
        longer.back().push_back({dtype, {}});
      }
    }
    combinations = longer;
  }
  std::vector<Signature> signatures;
  for (const AttributeMap& attributes : AttributesOf(op)) {
    for (const std::vector<Type>& operands : combinations) {
      const absl::StatusOr<Type> type = InferType(op.op, {operands, attributes});
      if (!type.ok()) continue;
      Signature& signature = signatures.emplace_back(Signature{{}, type->dtype, attributes});
      for (const Type& operand : operands) signature.operands.push_back(operand.dtype);
    }
  }
  return signatures;
}

Type ResultOf(const OpInfo& op, const Signature& signature, const std::vector<Shape>& shapes) {
  std::vector<Type> operands;
  for (size_t i = 0; i < shapes.size(); ++i) operands.push_back({signature.operands[i], shapes[i]});
  const absl::StatusOr<Type> type = InferType(op.op, {operands, signature.attributes});
  Check(type.ok(), "shapes that an elementwise op refuses");
  return *type;
}

std::string NodeText(const OpInfo& op, const Signature& signature, const std::vector<Shape>& shapes) {
  std::string text = op.name;
  for (size_t i = 0; i < shapes.size(); ++i) text += fmt::format("{}%{}", i > 0 ? ", " : " ", char('a' + int(i)));
  std::string attributes;
  for (const auto& [name, value] : signature.attributes) {
    if (name == "dtype") continue;  // The type says it.
    attributes += attributes.empty() ? " {" : ", ";
    if (const auto* i = std::get_if<int64_t>(&value)) attributes += fmt::format("{} = {}", name, *i);
    if (const auto* d = std::get_if<double>(&value)) attributes += fmt::format("{} = {}", name, *d);
    if (const auto* f = std::get_if<bool>(&value)) attributes += fmt::format("{} = {}", name, *f);
  }
  if (!attributes.empty()) text += attributes + "}";
  return text + " : " + ToString(ResultOf(op, signature, shapes));
}

double MovedInto(Domain domain, double x) {
  switch (domain) {
    case Domain::kReal:
      return x;
    case Domain::kNonZero:
      return std::abs(x) + 0.5;
    case Domain::kPositive:
      return std::abs(x) + 0.2;
    case Domain::kInsideOne:
      return std::tanh(x) * 0.9;
  }
  return x;
}

double GreatestOf(const OpInfo& op, const Signature& signature, const std::vector<double>& magnitudes) {
  constexpr int64_t kPoints = 33;
  const int64_t count = op.arity == 1 ? kPoints : kPoints * kPoints;
  std::vector<Literal> operands;
  for (size_t k = 0; k < magnitudes.size(); ++k) {
    std::vector<double> values;
    for (int64_t i = 0; i < count; ++i) {
      // The last two operands take all pairs; one before them, a condition, both values.
      const int64_t from_last = int64_t(magnitudes.size()) - 1 - int64_t(k);
      const int64_t at = from_last == 0 ? i % kPoints : from_last == 1 ? i / kPoints : i % 2 * (kPoints - 1);
      const double x = magnitudes[k] * (double(at) * 2 / (kPoints - 1) - 1);
      values.push_back(from_last == 0 ? MovedInto(op.domain, x) : x);
    }
    const DType dtype = IsFloat(signature.operands[k]) ? DType::kF64 : signature.operands[k];
    operands.push_back(Literal::FromDoubles(dtype, {count}, values));
  }
  Node node{.op = op.op, .type = {DType::kF64, {count}}};
  node.attributes = signature.attributes;
  std::vector<const Literal*> pointers;
  for (const Literal& operand : operands) pointers.push_back(&operand);
  const absl::StatusOr<Literal> result = EvaluateNode(node, pointers, 1);
  Check(result.ok(), "an elementwise op that cannot be evaluated");
  double greatest = 0;
  for (const double y : result->ToDoubles()) {
    if (std::isnan(y)) return std::numeric_limits<double>::infinity();
    greatest = std::max(greatest, std::abs(y));
  }
  return greatest;
}

Shape ShapeFromText(const std::string& text) {
  return ParseGraph("%x = input : f32[" + text + "]\nreturn %x")[1].type.shape;
}

}  // namespace fusebox::testing
