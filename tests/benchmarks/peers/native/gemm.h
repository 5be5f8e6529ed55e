// SPDX-License-Identifier: Apache-2.0
// One matrix product, c = a b, row-major.
#pragma once
#include "peer.h"
#include "tests/benchmarks/numbers.h"

namespace peers {

struct Product {
  explicit Product(const Arguments& arguments)
      : m(arguments.Int("m", 32)),
        k(arguments.Int("k", 784)),
        n(arguments.Int("n", 300)),
        seconds(arguments.Real("seconds", 0.1)),
        a(size_t(m * k)),
        b(size_t(k * n)),
        c(size_t(m * n)) {
    fusebox::benchmarks::Spread(a, 0, 1);
    fusebox::benchmarks::Spread(b, 1, 1);
  }

  int64_t m, k, n;
  double seconds;
  std::vector<float> a, b, c;
};

}  // namespace peers
