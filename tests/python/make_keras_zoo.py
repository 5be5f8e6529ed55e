#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a small .keras file with the real Keras for every activation and layer that we have, or checks such files.

    KERAS_BACKEND=jax make_keras_zoo.py make FOLDER     NAME.keras, NAME_x.npy, NAME_y.npy for each model
    KERAS_BACKEND=jax make_keras_zoo.py check FOLDER    opens every NAME_ours.keras, and compares with NAME_y.npy

y is the model's prediction for x. `check` exits with 1 if a prediction differs by more than 1e-5 of it (or of 1).
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


def two_ways():
    x = K.Input((6,), name="step")
    return keras.Model(x, K.Concatenate()([K.Dense(3, activation="tanh")(x), K.Dense(2)(x)]), name="two_ways")


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
        "unit_normalization": K.UnitNormalization(), "normalization": K.Normalization(),
        "normalization_12": K.Normalization(axis=[1, 2], invert=True), "normalization_none": K.Normalization(axis=None),
        "normalization_given": K.Normalization(mean=0.5, variance=2.0),
        "normalization_list": K.Normalization(mean=[0.5, 1, 2, 3, 4, 5], variance=[2.0, 1, 1, 1, 3, 4]),
        "activity_regularization": K.ActivityRegularization(0.1, 0.2), "masking": K.Masking(0.3),
        "discretization": K.Discretization([0.0, 0.5], output_mode="count"),
        "time_distributed": K.TimeDistributed(K.Dense(3, activation="relu", name="within")),
        "time_distributed_gelu": K.TimeDistributed(K.Activation("gelu")),
        "time_distributed_sequential": K.TimeDistributed(keras.Sequential([K.Dense(3, activation="elu"), K.Dense(4)])),
        "time_distributed_functional": K.TimeDistributed(two_ways()),
    }.items():
        zoo[name] = cube, [K.Dense(6), layer, K.Dense(2)]
    ranges = K.Discretization(num_bins=3, output_mode="multi_hot")
    # What adapt() does after asking TensorFlow whether these data are a tf.data.Dataset.
    ranges.update_state(np.random.default_rng(3).normal(size=(50, 2)))
    ranges.finalize_state()
    zoo["discretization_adapted"] = flat, [ranges, K.Dense(2)]
    zoo["embedding"] = flat, [K.Embedding(7, 3), K.Dense(2)]
    zoo["embedding_masked"] = flat, [K.Embedding(7, 3, mask_zero=True, embeddings_regularizer="l2"),
                                     K.TimeDistributed(K.Dense(2)), K.Dense(2)]
    for mode in ("one_hot", "multi_hot", "count"):
        zoo[f"category_encoding_{mode}"] = flat, [K.CategoryEncoding(7, mode), K.Dense(2)]
    # Graphs in which Keras hands masks from layer to layer, and a second argument.
    ids = K.Input(flat, dtype="int32")
    h = K.TimeDistributed(K.Dense(3))(K.Masking()(K.Embedding(7, 3, mask_zero=True)(ids)))
    zoo["graph_of_masks"] = flat, keras.Model(ids, K.Concatenate()([h, K.BatchNormalization()(h)]))
    ids = K.Input(flat, dtype="int32")
    zoo["graph_of_weights"] = flat, keras.Model(ids, K.CategoryEncoding(7, "count")(ids, count_weights=ids))
    zoo["no_weights"] = cube, [K.Flatten(), K.Activation("tanh")]
    zoo["repeat_vector"] = flat, [K.Dense(6), K.RepeatVector(3), K.Dense(2)]
    return zoo


def make(folder):
    rng = np.random.default_rng(31)
    keras.utils.set_random_seed(31)
    for name, (shape, layers) in models().items():
        graph = isinstance(layers, keras.Model)
        ids = graph or isinstance(layers[0], (K.Embedding, K.CategoryEncoding))
        model = layers if graph else keras.Sequential([K.Input(shape, dtype="int32" if ids else "float32"), *layers])
        model.set_weights([(0.3 + 0.4 * rng.random(w.shape)).astype(np.float32) * rng.choice([1, -1], w.shape[-1:])
                           if w.ndim > 1 else (0.2 + rng.random(w.shape)).astype(np.float32)
                           for w in model.get_weights()])
        for layer in model.layers:
            if isinstance(layer, K.Normalization):
                if layer.weights:
                    layer.adapt_variance.assign(abs(layer.adapt_variance))
                layer.finalize_state()
        x = rng.normal(size=(9, *shape)).astype(np.float32)
        if ids:
            x = rng.integers(0, 7, (9, *shape)).astype(np.int32)
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
