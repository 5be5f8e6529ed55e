# SPDX-License-Identifier: Apache-2.0
from systems import JAX, Case, Job, here, training_flops


def cases():
    lines = [line for line in (here.parent / "mlps.txt").read_text().splitlines() if not line.startswith("#")]
    for place, line in enumerate(lines):
        batch, rows, *widths = map(int, line.split())
        words = {"batch": batch, "rows": rows, "widths": ",".join(map(str, widths))}
        yield Case(f"{' - '.join(map(str, widths))}, batch {batch}", words,
                   f"RandomMlpEpoch/{place}/batch:{batch}", rows * training_flops(widths))


JOB = Job(
    what="an epoch of a network of random depth, widths and batch (mlps.txt), mean squared error, SGD",
    benchmark="training",
    cases=list(cases()),
    peers=[JAX],
    tolerance=0.25,  # Initial weights differ between systems, and some epochs are short.
)
