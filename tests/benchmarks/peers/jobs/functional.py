# SPDX-License-Identifier: Apache-2.0
from systems import JAX, KERAS, PYTORCH, Case, Job, training_flops

ROWS = 20640


def case(name, benchmark, flops):
    return Case(f"{name}, batch 32", {"model": name, "batch": 32}, f"{benchmark}/batch:32", ROWS * flops)


JOB = Job(
    what="an epoch of functional models on 20,640 samples, mean squared error, SGD: wide and deep, 8 - 30 - 30 and "
    "beside it - 1; with two outputs, 6 - 30 - 30 and 5 beside it - 1, and 30 - 1",
    benchmark="training",
    cases=[
        case("wide_and_deep", "WideAndDeepEpoch", training_flops([8, 30, 30]) + 6 * 38),
        case("two_outputs", "TwoOutputsEpoch", training_flops([6, 30, 30]) + 6 * (35 + 30)),
    ],
    peers=[JAX, PYTORCH, KERAS],
    tolerance=0.1,
)
