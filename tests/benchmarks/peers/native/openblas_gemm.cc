// SPDX-License-Identifier: Apache-2.0
// Seconds of one product by OpenBLAS.
#include <cblas.h>

#include "gemm.h"

int main(int argc, char** argv) {
  const peers::Arguments arguments(argc, argv);
  peers::Product p(arguments);
  openblas_set_num_threads(int(arguments.Int("threads", 1)));
  const std::vector<double> seconds = peers::SecondsOfACall(p.seconds, [&] {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, int(p.m), int(p.n), int(p.k), 1, p.a.data(), int(p.k),
                p.b.data(), int(p.n), 0, p.c.data(), int(p.n));
  });
  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH NO_AFFINITY Zen MAX_THREADS=64"
  const std::string config = openblas_get_config();
  peers::Answer(seconds, fusebox::benchmarks::Digest(p.c),
                config.substr(0, config.find(' ', sizeof("OpenBLAS"))) + ", core " + openblas_get_corename());
}
