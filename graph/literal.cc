// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/literal.h"

#include <algorithm>

#include "fmt/format.h"

namespace fusebox {

Literal::Literal(DType dtype, Sizes shape) : dtype_(dtype), shape_(std::move(shape)), size_(1) {
  for (const int64_t n : shape_) {
    Check(n >= 0 && !__builtin_mul_overflow(size_, n, &size_), "a literal of impossible size");
  }
  bytes_.resize(size_t(size_ * SizeOf(dtype_)));
}

Literal Literal::FromDoubles(DType dtype, Sizes shape, std::span<const double> values) {
  Literal literal(dtype, std::move(shape));
  Check(literal.size() == int64_t(values.size()), "a literal of another size than its shape");
  WithDType(dtype, [&](auto t) {
    using T = decltype(t);
    std::ranges::transform(values, literal.mutable_values<T>().begin(), CastTo<T, double>);
  });
  return literal;
}

std::vector<double> Literal::ToDoubles() const {
  return WithDType(dtype_, [&](auto t) {
    const auto all = values<decltype(t)>();
    return std::vector<double>(all.begin(), all.end());
  });
}

std::vector<int64_t> Literal::ToInts() const {
  Check(!IsFloat(dtype_), "a float literal read as integers");
  return WithDType(dtype_, [&](auto t) {
    const auto all = values<decltype(t)>();
    return std::vector<int64_t>(all.begin(), all.end());
  });
}

Literal Literal::Reshaped(Sizes shape) const {
  Literal same = *this;
  same.shape_ = std::move(shape);
  int64_t size = 1;
  for (const int64_t n : same.shape_) size *= n;
  Check(size == size_, "a reshape changes the number of elements");
  return same;
}

Sizes Resolve(const Shape& shape, int64_t batch) {
  Sizes sizes;
  for (const int64_t d : shape) sizes.push_back(Resolve(d, batch));
  return sizes;
}

std::string TypeText(const Literal& literal) {
  return fmt::format("{}[{}]", Name(literal.dtype()), fmt::join(literal.shape(), ","));
}

std::string ToString(const Literal& literal, int64_t limit) {
  std::string text = TypeText(literal) + " {";
  WithDType(literal.dtype(), [&](auto t) {
    const auto all = literal.values<decltype(t)>();
    for (int64_t i = 0; i < std::min(limit, literal.size()); ++i) {
      fmt::format_to(std::back_inserter(text), "{}{}", i > 0 ? ", " : "", all[size_t(i)]);
    }
  });
  return text + (literal.size() > limit ? ", ...}" : "}");
}

}  // namespace fusebox
