// SPDX-License-Identifier: Apache-2.0
// Random numbers, counter-based: element i of a stream is a function of (seed, step, stream, i), so it can be computed
// again in the backward pass instead of stored, by any thread.
// Source: Salmon et al. (2011), Parallel Random Numbers: As Easy as 1, 2, 3 (Philox 4x32-10).
#include "fusebox/graph/ops/family.h"
#include "fusebox/graph/philox.h"

namespace fusebox {
namespace {

TypeOr Stream(const InferContext& c) {
  for (const Type& t : c.inputs) {
    if (t != Type{DType::kI64, {}}) return Refuse("expects the seed and the step as i64[], got {}", ToString(t));
  }
  const auto dtype = DType(c.attributes.Int("dtype"));
  if (!IsFloat(dtype)) return Refuse("makes f32 or f64, not dtype {}", c.attributes.Int("dtype"));
  const Ints& dims = c.attributes.List("dims");
  return Type{dtype, Shape(dims.begin(), dims.end())};
}

evaluate::LiteralOr Numbers(const EvaluateContext& c) {
  const int64_t seed = c.in(0).values<int64_t>()[0], step = c.in(1).values<int64_t>()[0];
  const int64_t stream = c.node.attributes.Int("stream");
  Literal out(c.dtype(), c.shape);
  for (int64_t i = 0; i < out.size(); ++i) {
    const PhiloxCounter words = RandomWords(seed, step, stream, uint64_t(i));
    if (c.dtype() == DType::kF32) {
      out.mutable_values<float>()[size_t(i)] = UniformF32(words);
    } else {
      out.mutable_values<double>()[size_t(i)] = UniformF64(words);
    }
  }
  return out;
}

constexpr OpInfo kOps[] = {
    {.op = Op::kRandomUniform,
     .name = "random_uniform",
     .kind = OpKind::kRandom,
     .arity = 2,
     .attributes = {{"dims", FB_INTS}, {"dtype", FB_INT}, {"stream", FB_INT}},
     .infer = Stream,
     .evaluate = Numbers,
     .access = Access::kIndex,
     .cost = Cost::kLess,
     .meaning =
         "Uniform in [0, 1): of Philox 4x32-10 with key seed and counter (i, step, stream), the first word's upper "
         "24 bits (f32), or 53 bits of the first two (f64)."},
};

}  // namespace

std::span<const OpInfo> RandomOps() { return kOps; }

}  // namespace fusebox
