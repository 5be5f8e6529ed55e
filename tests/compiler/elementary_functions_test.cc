// SPDX-License-Identifier: Apache-2.0
// Functions of f32 that are approximated: accuracy on a million arguments, and the same bits however they are computed.
// The slow test takes more arguments.
#include <bit>
#include <cmath>
#include <cstring>

#include "fmt/format.h"
#include "fusebox/compiler/codegen/math.h"
#include "gtest/gtest.h"
#include "tests/compiler/run_jit.h"
#include "tests/compiler/ulps.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

constexpr uint64_t kStep = 4093;

TEST(ElementaryFunctions, Exp) { ExpectUlps("exp", std::exp, codegen::kExpUlps, kStep); }
TEST(ElementaryFunctions, Log) { ExpectUlps("log", std::log, codegen::kLogUlps, kStep); }
TEST(ElementaryFunctions, Tanh) { ExpectUlps("tanh", std::tanh, codegen::kTanhUlps, kStep); }
TEST(ElementaryFunctions, Sigmoid) { ExpectUlps("sigmoid", ExactSigmoid, codegen::kSigmoidUlps, kStep); }
TEST(ElementaryFunctions, Erf) { ExpectUlps("erf", std::erf, codegen::kErfUlps, kStep); }
TEST(ElementaryFunctions, Expm1) { ExpectUlps("expm1", std::expm1, codegen::kExpm1Ulps, kStep); }
TEST(ElementaryFunctions, Softplus) { ExpectUlps("softplus", ExactSoftplus, codegen::kSoftplusUlps, kStep); }

// A single number is computed in a scalar register, a row of numbers 16 lanes at a time.
TEST(ElementaryFunctions, GiveAlwaysTheSameBits) {
  std::vector<float> x;
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += 8'388'593)
    x.push_back(std::bit_cast<float>(uint32_t(bits)));
  for (int i = -200; i < 200; ++i) x.push_back(float(i) * 0.53f);
  const auto count = int64_t(x.size());
  for (const OpInfo& op : AllOps()) {
    if (op.accuracy != Accuracy::kApproximated) continue;
    const char* name = op.name;
    const auto compiled = [&](const char* type) {
      return Compile(ParseGraph(fmt::format("%x = input : {}\n%0 = {} %x : {}\nreturn y = %0", type, name, type)),
                     {.row_capacity = count});
    };
    ASSERT_OK_AND_ASSIGN(const Executable alone, compiled("f32[]"));
    ASSERT_OK_AND_ASSIGN(const Executable in_row, compiled("f32[N]"));
    const Bindings all = {.inputs = {{"x", Literal::Of({count}, x)}}, .states = {}, .batch = count};
    ASSERT_OK_AND_ASSIGN(const Evaluation row, RunStep(in_row, all, 1));
    for (size_t i = 0; i < x.size(); ++i) {
      const Bindings one = {.inputs = {{"x", Literal::Scalar(x[i])}}, .states = {}, .batch = 1};
      ASSERT_OK_AND_ASSIGN(const Evaluation number, RunStep(alone, one, 1));
      const float expected = row.outputs.at("y").values<float>()[i], got = number.outputs.at("y").values<float>()[0];
      if (std::isnan(expected) && std::isnan(got)) continue;
      ASSERT_EQ(std::bit_cast<uint32_t>(got), std::bit_cast<uint32_t>(expected)) << name << "(" << x[i] << ")";
    }
  }
}

}  // namespace
}  // namespace fusebox::testing
