# SPDX-License-Identifier: Apache-2.0
from systems import Case, Job, Peer

# And the batches it is measured with. What an optimizer is says a line in ../../training.cc, and one in each peer's
# program; a peer without it is left out.
OPTIMIZERS = {
    "sgd": [32, 128, 512, 4096],
    "momentum": [32, 128],
}
# Forward and both gradients, but none of the pictures.
FLOPS = 55000 * (6 * (784 * 300 + 300 * 100 + 100 * 10) - 2 * 784 * 300)

JOB = Job(
    what="an epoch of 784 - 300 - 100 - 10 on 55,000 images, loss, accuracy and the small last batch included",
    benchmark="training",
    cases=[
        Case(f"{optimizer}, batch {batch}", {"optimizer": optimizer, "batch": batch},
             f"Epoch/{optimizer}/batch:{batch}", FLOPS)
        for optimizer, batches in OPTIMIZERS.items() for batch in batches
    ],
    peers=[
        Peer("JAX, lax.scan", "python", "jax_train.py"),
        Peer("LibTorch", "native", "libtorch_train"),
        Peer("PyTorch, eager", "torch", "torch_train.py"),
        Peer("dlib", "native", "dlib_train"),
        Peer("Keras on TensorFlow", "python", "keras_train.py", variables={"KERAS_BACKEND": "tensorflow"},
             takes=lambda case: case.arguments["batch"] == 32, epochs=2),
    ],
    tolerance=0.1,  # Shuffles and first weights are of each one's own.
)
