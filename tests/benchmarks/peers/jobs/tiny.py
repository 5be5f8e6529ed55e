# SPDX-License-Identifier: Apache-2.0
from systems import Case, Job, Peer

JOB = Job(
    what="an epoch of 8 - 30 - 30 - 1 on 20,640 samples, mean squared error, SGD",
    benchmark="training",
    cases=[Case("batch 32", {"model": "tiny", "batch": 32}, "TinyEpoch/batch:32",
                20640 * (6 * (8 * 30 + 30 * 30 + 30) - 2 * 8 * 30))],
    peers=[
        Peer("JAX, lax.scan", "python", "jax_train.py"),
        Peer("JAX, a call a batch", "python", "jax_train.py", {"loop": "step"}),
        Peer("Keras on TensorFlow", "python", "keras_train.py", variables={"KERAS_BACKEND": "tensorflow"}, epochs=2),
    ],
    tolerance=0.1,
)
