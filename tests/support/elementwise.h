// SPDX-License-Identifier: Apache-2.0
// Elementwise ops as their table describes them, for tests that sweep all of them: an op is swept once it has an entry.
#pragma once
#include <string>
#include <vector>

#include "fusebox/graph/attributes.h"
#include "fusebox/graph/op.h"

namespace fusebox::testing {

std::vector<const OpInfo*> ElementwiseOps();

// Dtypes that an op takes together, what it makes of them, and attributes that go with it.
struct Signature {
  std::vector<DType> operands;
  DType result = DType::kError;
  AttributeMap attributes = {};
};
// All of them, found by asking the shape rule about scalars. A required attribute `dtype` is tried with every dtype;
// other required ones are 1, 0.5 or true.
std::vector<Signature> SignaturesOf(const OpInfo& op);

// The result's type for operands of these shapes.
Type ResultOf(const OpInfo& op, const Signature& signature, const std::vector<Shape>& shapes);
// "add %a, %b : f32[N,3]", of operands %a, %b, ... of these shapes.
std::string NodeText(const OpInfo& op, const Signature& signature, const std::vector<Shape>& shapes);

// A number moved into the domain.
double MovedInto(Domain domain, double x);
// The greatest magnitude that an op on reals makes of operands within +-magnitudes, on a grid of them; the last operand
// is moved into the op's domain. Infinite if one result is NaN.
double GreatestOf(const OpInfo& op, const Signature& signature, const std::vector<double>& magnitudes);

// "N,3" -> the shape
Shape ShapeFromText(const std::string& text);

}  // namespace fusebox::testing
