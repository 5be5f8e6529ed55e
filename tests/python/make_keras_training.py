#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains small models with the real Keras and keeps every number that another trainer must arrive at.

    KERAS_BACKEND=jax make_keras_training.py FOLDER

FOLDER/classes.npz    x [157, 4, 3] -> Flatten -> Dense 16 relu -> Dense 8 relu -> Dense 4 softmax,
                      sparse_categorical_crossentropy, SGD 0.1: one epoch of 20 steps, the last one of 5 samples
FOLDER/momentum.npz   x [61, 6] -> Dense 9 tanh -> Dense 5 sigmoid -> Dense 2, mean_squared_error, SGD 0.05 with
                      momentum 0.9: 5 epochs of 4 steps, the last one of 13 samples
FOLDER/nesterov.npz   the same with Nesterov's momentum
FOLDER/normalized.npz    x [61, 6] -> Dense 9 -> BatchNormalization (momentum 0.9) -> Activation gelu -> Dense 5 elu ->
                      LayerNormalization -> PReLU -> Dense 2, as in momentum.npz

Each has float32 x, y, the weights in Keras's order before (before_00, ...) and after (after_00, ...); f64 arrays
  step_loss, step_accuracy       what Keras reports after each step: the mean over the epoch so far
  epoch_loss, epoch_accuracy     one for each epoch
  final_loss, final_accuracy     evaluate() afterwards, one number
  prediction                     predict(x) afterwards (float32)
Samples are not shuffled. Models without accuracy lack its arrays.
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np


class Steps(keras.callbacks.Callback):
    """Collects the logs of each step."""

    def __init__(self):
        super().__init__()
        self.logs = []

    def on_train_batch_end(self, batch, logs=None):
        self.logs.append({name: float(value) for name, value in logs.items()})


def train(path, model, x, y, epochs, batch_size):
    arrays = {"x": x, "y": y}
    for i, w in enumerate(model.get_weights()):
        arrays[f"before_{i:02}"] = np.array(w)
    steps = Steps()
    history = model.fit(x, y, epochs=epochs, batch_size=batch_size, shuffle=False, verbose=0, callbacks=[steps]).history
    for i, w in enumerate(model.get_weights()):
        arrays[f"after_{i:02}"] = np.array(w)
    final = model.evaluate(x, y, batch_size=batch_size, verbose=0, return_dict=True)
    for name in history:
        arrays[f"step_{name}"] = np.array([logs[name] for logs in steps.logs])
        arrays[f"epoch_{name}"] = np.array(history[name])
        arrays[f"final_{name}"] = np.array(final[name])
    arrays["prediction"] = model.predict(x, verbose=0)
    assert all(np.all(np.isfinite(a)) for a in arrays.values())
    np.savez_compressed(path, **arrays)
    print(f"{path}: {len(steps.logs)} steps, loss {history['loss'][0]:.4f} -> {final['loss']:.4f}, "
          f"{os.path.getsize(path)} bytes")


def classes(path):
    keras.utils.set_random_seed(11)
    rng = np.random.default_rng(11)
    # Four clouds of points that overlap a little.
    y = rng.integers(0, 4, 157).astype(np.int32)
    x = (rng.normal(size=(4, 4, 3))[y] + 0.8 * rng.normal(size=(157, 4, 3))).astype(np.float32)
    model = keras.Sequential([
        keras.layers.Input((4, 3)),
        keras.layers.Flatten(),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(8, activation="relu"),
        keras.layers.Dense(4, activation="softmax"),
    ])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    train(path, model, x, y, epochs=1, batch_size=8)


def regression(path, nesterov):
    keras.utils.set_random_seed(12)
    rng = np.random.default_rng(12)
    x = rng.normal(size=(61, 6)).astype(np.float32)
    y = np.stack([np.sin(x[:, 0]) + x[:, 1], x[:, 2] * x[:, 3]], axis=1).astype(np.float32)
    model = keras.Sequential([
        keras.layers.Input((6,)),
        keras.layers.Dense(9, activation="tanh"),
        keras.layers.Dense(5, activation="sigmoid", kernel_initializer="he_normal"),
        keras.layers.Dense(2),
    ])
    optimizer = keras.optimizers.SGD(0.05, momentum=0.9, nesterov=nesterov)
    model.compile(optimizer=optimizer, loss="mean_squared_error")
    train(path, model, x, y, epochs=5, batch_size=16)


def normalized(path):
    keras.utils.set_random_seed(13)
    rng = np.random.default_rng(13)
    x = rng.normal(size=(61, 6)).astype(np.float32)
    y = np.stack([np.sin(x[:, 0]) + x[:, 1], x[:, 2] * x[:, 3]], axis=1).astype(np.float32)
    model = keras.Sequential([
        keras.layers.Input((6,)),
        keras.layers.Dense(9),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.Activation("gelu"),
        keras.layers.Dense(5, activation="elu"),
        keras.layers.LayerNormalization(),
        keras.layers.PReLU(),
        keras.layers.Dense(2),
    ])
    model.compile(optimizer=keras.optimizers.SGD(0.05, momentum=0.9), loss="mean_squared_error")
    train(path, model, x, y, epochs=5, batch_size=16)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    classes(os.path.join(folder, "classes.npz"))
    regression(os.path.join(folder, "momentum.npz"), nesterov=False)
    regression(os.path.join(folder, "nesterov.npz"), nesterov=True)
    normalized(os.path.join(folder, "normalized.npz"))


if __name__ == "__main__":
    main()
