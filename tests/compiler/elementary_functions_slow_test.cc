// SPDX-License-Identifier: Apache-2.0
// The bounds that compiler/codegen/math.h states, over the whole range of f32.
#include <cmath>

#include "fusebox/compiler/codegen/math.h"
#include "gtest/gtest.h"
#include "tests/compiler/ulps.h"

namespace fusebox::testing {
namespace {

constexpr uint64_t kStep = 127;  // 34 million arguments each, in about 10 seconds.

TEST(ElementaryFunctionsOverAllF32, Exp) { ExpectUlps("exp", std::exp, codegen::kExpUlps, kStep); }
TEST(ElementaryFunctionsOverAllF32, Log) { ExpectUlps("log", std::log, codegen::kLogUlps, kStep); }
TEST(ElementaryFunctionsOverAllF32, Tanh) { ExpectUlps("tanh", std::tanh, codegen::kTanhUlps, kStep); }
TEST(ElementaryFunctionsOverAllF32, Sigmoid) { ExpectUlps("sigmoid", ExactSigmoid, codegen::kSigmoidUlps, kStep); }
TEST(ElementaryFunctionsOverAllF32, Erf) { ExpectUlps("erf", std::erf, codegen::kErfUlps, kStep); }
TEST(ElementaryFunctionsOverAllF32, Expm1) { ExpectUlps("expm1", std::expm1, codegen::kExpm1Ulps, kStep); }
TEST(ElementaryFunctionsOverAllF32, Softplus) { ExpectUlps("softplus", ExactSoftplus, codegen::kSoftplusUlps, kStep); }

}  // namespace
}  // namespace fusebox::testing
