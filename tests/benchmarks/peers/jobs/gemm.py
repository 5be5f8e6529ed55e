# SPDX-License-Identifier: Apache-2.0
from systems import Case, Job, Peer

SHAPES = [(size, size, size) for size in [256, 512, 768, 1024, 2048]] + [
    (m, k, n) for k, n in [(784, 300), (300, 100), (1024, 1024), (4096, 1024), (1024, 4096)] for m in [1, 4, 16, 32, 64]]

JOB = Job(
    what="a matrix product [m,k] [k,n], packing included",
    benchmark="gemm",
    cases=[Case(f"[{m},{k}] [{k},{n}]", {"m": m, "k": k, "n": n}, f"Gemm/m:{m}/k:{k}/n:{n}", 2 * m * k * n)
           for m, k, n in SHAPES],
    peers=[
        Peer("OpenBLAS", "native", "openblas_gemm"),
        Peer("oneDNN, sgemm or matmul", "native", "onednn_gemm"),
    ],
    calls=True,
    threads=False,
)
