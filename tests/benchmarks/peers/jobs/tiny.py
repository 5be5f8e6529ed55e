# SPDX-License-Identifier: Apache-2.0
from systems import JAX, KERAS, Case, Job, Peer, training_flops

JOB = Job(
    what="an epoch of 8 - 30 - 30 - 1 on 20,640 samples, mean squared error, SGD",
    benchmark="training",
    cases=[Case("batch 32", {"model": "tiny", "batch": 32}, "TinyEpoch/batch:32",
                20640 * training_flops([8, 30, 30, 1]))],
    peers=[JAX, Peer("JAX, a call a batch", "python", "jax_train.py", {"loop": "step"}), KERAS],
    tolerance=0.1,
)
