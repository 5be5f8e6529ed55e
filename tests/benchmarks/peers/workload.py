# SPDX-License-Identifier: Apache-2.0
"""What the peers share: the data, and the arguments of each script. See tests/benchmarks/workload.h for the job."""

import argparse
import gzip
import os


def options(doc):
    """Parses the arguments. To be called before a framework is imported, for --threads is taken by environment."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=3, help="timed ones; one more goes before them")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=0, help="0: as many as the framework takes by itself")
    parsed = parser.parse_args()
    if parsed.threads > 0:
        # The one way that binds every framework and its libraries: fewer cores.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:parsed.threads])
        for variable in ["OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"]:
            os.environ[variable] = str(parsed.threads)
    return parsed


def pictures():
    """The last 55,000 of Fashion-MNIST's training images, f32 in [0, 1]; noise of the same shape where it is missing."""
    import numpy as np

    folder = os.environ.get("FUSEBOX_DATA_DIR") or "/usr/share/datasets/fashion-mnist"
    try:
        with gzip.open(f"{folder}/train-images-idx3-ubyte.gz") as file:
            x = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
        with gzip.open(f"{folder}/train-labels-idx1-ubyte.gz") as file:
            y = np.frombuffer(file.read(), np.uint8, offset=8)
        return x[5000:].astype(np.float32) / 255, y[5000:].astype(np.int32)
    except OSError:
        rng = np.random.default_rng(1)
        return rng.random((55000, 28, 28), dtype=np.float32), rng.integers(0, 10, 55000).astype(np.int32)
