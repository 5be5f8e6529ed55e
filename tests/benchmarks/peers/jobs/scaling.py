# SPDX-License-Identifier: Apache-2.0
from systems import JAX, LIBTORCH, Case, Job, training_flops

JOB = Job(
    what="how much faster an epoch of 784 - 300 - 100 - 10 is on all cores than on one",
    benchmark="training",
    cases=[Case(f"batch {batch}", {"batch": batch}, f"Epoch/sgd/batch:{batch}",
                55000 * training_flops([784, 300, 100, 10])) for batch in [32, 128, 512]],
    peers=[JAX, LIBTORCH],
    versus="threads",
    tolerance=0.1,
)
