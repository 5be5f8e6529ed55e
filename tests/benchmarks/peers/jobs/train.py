# SPDX-License-Identifier: Apache-2.0
import dataclasses

from systems import JAX, KERAS, LIBTORCH, PYTORCH, Case, Job, Peer, openblas_core, training_flops


@dataclasses.dataclass(frozen=True)
class Variant:
    """A variant to train. A new one needs a line below, one in ../../training.cc, and an entry in each peer's program;
    peers without it are left out."""
    name: str  # Of fusebox's benchmark, Epoch/<name>.
    batches: list
    optimizer: str = "sgd"
    activation: str = "relu"
    extra: str = "none"  # A layer after each activation; or "l2", a penalty on each kernel.


VARIANTS = [
    Variant("sgd", [32, 128, 512, 4096]),
    Variant("momentum", [32, 128], optimizer="momentum"),
    Variant("nesterov", [32], optimizer="nesterov"),
    Variant("adam", [32, 128], optimizer="adam"),
    Variant("rmsprop", [32, 128], optimizer="rmsprop"),
    Variant("adamw", [32, 128], optimizer="adamw"),
    Variant("dropout", [32, 128], extra="dropout"),
    Variant("batch_norm", [32, 128], extra="batch_norm"),
    Variant("l2", [32, 128], extra="l2"),
    Variant("tanh", [32, 128], activation="tanh"),
    Variant("sigmoid", [32, 128], activation="sigmoid"),
    Variant("gelu", [32, 128], activation="gelu"),
    Variant("softplus", [32, 128], activation="softplus"),
]


def case(variant, batch):
    words = {"optimizer": variant.optimizer, "activation": variant.activation, "extra": variant.extra, "batch": batch}
    return Case(f"{variant.name}, batch {batch}", words, f"Epoch/{variant.name}/batch:{batch}",
                55000 * training_flops([784, 300, 100, 10]))


JOB = Job(
    what="an epoch of 784 - 300 - 100 - 10 on 55,000 images, loss, accuracy and the small last batch included",
    benchmark="training",
    cases=[case(variant, batch) for variant in VARIANTS for batch in variant.batches],
    peers=[
        JAX,
        LIBTORCH,
        PYTORCH,
        Peer("dlib", "native", "dlib_train", variables=openblas_core()),
        dataclasses.replace(KERAS, takes=lambda case: case.arguments["batch"] == 32),
    ],
    tolerance=0.1,  # Shuffles and initial weights differ between systems.
)
