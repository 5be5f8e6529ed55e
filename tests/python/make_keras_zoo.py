#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a small .keras file with the real Keras for every activation and layer that we have, or checks such files.

    KERAS_BACKEND=jax make_keras_zoo.py make FOLDER     NAME.keras, NAME_x.npy, NAME_y.npy for each model
    KERAS_BACKEND=jax make_keras_zoo.py check FOLDER    opens every NAME_ours.keras, and compares with NAME_y.npy

y is what the model predicts for x. `check` ends with 1 if a prediction differs by more than 1e-5 of it (or of 1).
"""

import glob
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np

K = keras.layers
ACTIVATIONS = [
    "relu", "leaky_relu", "relu6", "softmax", "log_softmax", "elu", "selu", "celu", "softplus", "softsign", "silu",
    "swish", "gelu", "glu", "tanh", "tanh_shrink", "hard_tanh", "sigmoid", "hard_sigmoid", "log_sigmoid", "hard_silu",
    "hard_swish", "exponential", "linear", "mish", "soft_shrink", "hard_shrink", "squareplus", "sparse_plus",
    "sparse_sigmoid",
]  # Not sparsemax: that of Keras 3.15 on JAX gives results that do not add up to 1.


def models():
    flat, cube = (6,), (4, 6)
    zoo = {f"dense_{name}": (flat, [K.Dense(8, activation=name)]) for name in ACTIVATIONS}
    # Activations as objects.
    zoo["dense_relu_object"] = flat, [K.Dense(8, activation=K.ReLU(max_value=0.5, negative_slope=0.1))]
    zoo["dense_leaky_relu_object"] = flat, [K.Dense(8, activation=K.LeakyReLU(negative_slope=0.05))]
    zoo["dense_elu_object"] = flat, [K.Dense(8, activation=K.ELU(alpha=0.5))]
    zoo["dense_function"] = flat, [K.Dense(8, activation=keras.activations.gelu)]
    for name, layer in {
        "activation": K.Activation("mish"), "identity": K.Identity(), "relu": K.ReLU(), "relu_3": K.ReLU(3, 0.1, 0.2),
        "leaky_relu": K.LeakyReLU(), "elu": K.ELU(0.7), "prelu": K.PReLU(), "prelu_shared": K.PReLU(shared_axes=[1]),
        "softmax": K.Softmax(), "softmax_1": K.Softmax(axis=1), "softmax_12": K.Softmax(axis=[1, 2]),
        "reshape": K.Reshape((3, -1)), "permute": K.Permute((2, 1)), "dropout": K.Dropout(0.3),
        "dropout_seed": K.Dropout(0.3, noise_shape=(None, 1, 6), seed=5), "alpha_dropout": K.AlphaDropout(0.3),
        "gaussian_noise": K.GaussianNoise(0.3), "gaussian_dropout": K.GaussianDropout(0.3, seed=7),
        "spatial_dropout": K.SpatialDropout1D(0.3), "batch_normalization": K.BatchNormalization(),
        "batch_normalization_1": K.BatchNormalization(axis=1, center=False, epsilon=0.1),
        "layer_normalization": K.LayerNormalization(), "layer_normalization_12": K.LayerNormalization(axis=[1, 2]),
        "group_normalization": K.GroupNormalization(groups=3), "rms_normalization": K.RMSNormalization(),
        "unit_normalization": K.UnitNormalization(),
    }.items():
        zoo[name] = cube, [K.Dense(6), layer, K.Dense(2)]
    zoo["repeat_vector"] = flat, [K.Dense(6), K.RepeatVector(3), K.Dense(2)]
    return zoo


def make(folder):
    rng = np.random.default_rng(31)
    keras.utils.set_random_seed(31)
    for name, (shape, layers) in models().items():
        model = keras.Sequential([K.Input(shape), *layers])
        model.set_weights([(0.3 + 0.4 * rng.random(w.shape)).astype(np.float32) * rng.choice([1, -1], w.shape[-1:])
                           if w.ndim > 1 else (0.2 + rng.random(w.shape)).astype(np.float32)
                           for w in model.get_weights()])
        x = rng.normal(size=(9, *shape)).astype(np.float32)
        model.save(os.path.join(folder, name + ".keras"))
        np.save(os.path.join(folder, name + "_x.npy"), x)
        np.save(os.path.join(folder, name + "_y.npy"), np.array(model(x, training=False)))


def check(folder):
    wrong = []
    paths = sorted(glob.glob(os.path.join(folder, "*_ours.keras")))
    for path in paths:
        base = path[:-len("_ours.keras")]
        x, y = np.load(base + "_x.npy"), np.load(base + "_y.npy")
        try:
            found = np.array(keras.models.load_model(path)(x, training=False))
        except Exception as error:
            wrong.append(f"{path}: {error}")
            continue
        if found.shape != y.shape or not np.all(np.abs(found - y) <= 1e-5 * np.maximum(1, np.abs(y))):
            wrong.append(f"{path}: predicts otherwise")
    print("\n".join(wrong) or f"ok: {len(paths)} files")
    sys.exit(1 if wrong or not paths else 0)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("make", "check"):
        sys.exit(__doc__)
    {"make": make, "check": check}[sys.argv[1]](sys.argv[2])
