// SPDX-License-Identifier: Apache-2.0
// Seconds of one product by oneDNN: by dnnl_sgemm, or by a matmul primitive on plain arrays if that is faster.
#include "gemm.h"
#include "onednn.h"

int main(int argc, char** argv) {
  peers::Product p(peers::Arguments(argc, argv));
  const std::vector<double> sgemm = peers::SecondsOfACall(
      p.seconds, [&] { dnnl_sgemm('N', 'N', p.m, p.n, p.k, 1, p.a.data(), p.k, p.b.data(), p.n, 0, p.c.data(), p.n); });
  const double check = fusebox::benchmarks::Digest(p.c);

  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const dnnl::memory a(peers::Matrix(p.m, p.k), engine, p.a.data()), b(peers::Matrix(p.k, p.n), engine, p.b.data()),
      c(peers::Matrix(p.m, p.n), engine, p.c.data());
  const dnnl::matmul product(dnnl::matmul::primitive_desc({a.get_desc(), b.get_desc(), c.get_desc()}, engine));
  const std::vector<double> matmul = peers::SecondsOfACall(p.seconds, [&] {
    product.execute(stream, {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}});
    stream.wait();
  });
  if (std::abs(fusebox::benchmarks::Digest(p.c) - check) > 1e-3 * check) peers::GiveUp("oneDNN disagrees with itself");

  const bool faster = *std::min_element(matmul.begin(), matmul.end()) < *std::min_element(sgemm.begin(), sgemm.end());
  peers::Answer(faster ? matmul : sgemm, check, peers::OneDnnVersion());
}
