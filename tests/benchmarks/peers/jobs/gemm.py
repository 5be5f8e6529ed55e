# SPDX-License-Identifier: Apache-2.0
from systems import Case, Job, Peer, openblas_core

# As in ../../gemm.cc: squares, and few rows times weights.
SQUARES = [256, 512, 768, 1024, 2048]
ROWS = [1, 4, 16, 32, 64]
WEIGHTS = [(784, 300), (300, 100), (1024, 1024), (4096, 1024), (1024, 4096)]
SHAPES = [(size, size, size) for size in SQUARES] + [(m, k, n) for k, n in WEIGHTS for m in ROWS]

JOB = Job(
    what="a matrix product [m,k] [k,n], packing included",
    benchmark="gemm",
    cases=[Case(f"[{m},{k}] [{k},{n}]", {"m": m, "k": k, "n": n}, f"Gemm/m:{m}/k:{k}/n:{n}", 2 * m * k * n)
           for m, k, n in SHAPES],
    peers=[
        Peer("OpenBLAS", "native", "openblas_gemm", variables=openblas_core()),
        Peer("oneDNN, sgemm or matmul", "native", "onednn_gemm"),
    ],
    calls=True,
    threads=False,
)
