# SPDX-License-Identifier: Apache-2.0
import dataclasses

from systems import JAX, LIBTORCH, Case, Job, training_flops

QUIET = Case("quiet", {"batch": 32}, "Epoch/sgd/batch:32", 55000 * training_flops([784, 300, 100, 10]))

JOB = Job(
    what="an epoch of 784 - 300 - 100 - 10 on all cores, alone, and while another process keeps one busy",
    benchmark="training",
    cases=[QUIET, dataclasses.replace(QUIET, name="one core busy", busy=True)],
    peers=[JAX, dataclasses.replace(LIBTORCH, epochs=1)],
    all_cores=True,
    versus="quiet",
    tolerance=0.1,
)
