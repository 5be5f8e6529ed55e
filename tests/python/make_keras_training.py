#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains small models with the real Keras, and saves every number that another trainer must reproduce.

    KERAS_BACKEND=jax make_keras_training.py FOLDER

FOLDER/classes.npz    x [157, 4, 3] -> Flatten -> Dense 16 relu -> Dense 8 relu -> Dense 4 softmax,
                      sparse_categorical_crossentropy, SGD 0.1: one epoch of 20 steps, the last one of 5 samples
FOLDER/momentum.npz   x [61, 6] -> Dense 9 tanh -> Dense 5 sigmoid -> Dense 2, mean_squared_error, SGD 0.05 with
                      momentum 0.9: 5 epochs of 4 steps, the last one of 13 samples
FOLDER/nesterov.npz   the same with Nesterov momentum
FOLDER/normalized.npz    x [61, 6] -> Dense 9 -> BatchNormalization (momentum 0.9) -> Activation gelu -> Dense 5 elu ->
                      LayerNormalization -> PReLU -> Dense 2, as in momentum.npz
FOLDER/penalised.npz  the same with penalties and constraints of gamma, beta and alpha
FOLDER/embedded.npz   ids x [61, 5] -> Embedding 10 x 4, of which id 0 is padding -> Dense 6 tanh -> TimeDistributed of
                      Dense 3 elu -> Dense 2, mean_squared_error and mean_absolute_error, as in momentum.npz: 20 steps
FOLDER/stepped.npz    the same with a TimeDistributed of the model Dense 5 tanh -> Dense 3 elu, and the first Dense
                      after it
FOLDER/masked.npz     x [61, 5, 4] -> Masking -> BatchNormalization (momentum 0.9) -> Dense 6 tanh ->
                      ActivityRegularization 0.01, 0.02 -> Dense 2, likewise
FOLDER/adapted.npz    x [61, 6] -> Normalization, adapted to x -> Dense 5 tanh -> Dense 2, as in momentum.npz
FOLDER/ranges.npz     x [61, 6] -> Discretization, 4 bins adapted to x, one-hot -> Flatten -> Dense 2, as in
                      momentum.npz; float64 boundaries, too

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


def train(path, model, x, y, epochs, batch_size, **more):
    arrays = {"x": x, "y": y, **more}
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


def normalized(path, batch={}, layer={}, slope={}):
    keras.utils.set_random_seed(13)
    rng = np.random.default_rng(13)
    x = rng.normal(size=(61, 6)).astype(np.float32)
    y = np.stack([np.sin(x[:, 0]) + x[:, 1], x[:, 2] * x[:, 3]], axis=1).astype(np.float32)
    model = keras.Sequential([
        keras.layers.Input((6,)),
        keras.layers.Dense(9),
        keras.layers.BatchNormalization(momentum=0.9, **batch),
        keras.layers.Activation("gelu"),
        keras.layers.Dense(5, activation="elu"),
        keras.layers.LayerNormalization(**layer),
        keras.layers.PReLU(**slope),
        keras.layers.Dense(2),
    ])
    model.compile(optimizer=keras.optimizers.SGD(0.05, momentum=0.9), loss="mean_squared_error")
    train(path, model, x, y, epochs=5, batch_size=16)


def penalised(path):
    normalized(path, dict(gamma_regularizer="l2", beta_constraint="non_neg"),
               dict(beta_regularizer=keras.regularizers.L2(0.3), gamma_constraint=keras.constraints.MaxNorm(1.5)),
               dict(alpha_regularizer=keras.regularizers.L2(0.1), alpha_constraint="non_neg"))


def steps_of_time(path, layers, x, shape):
    y = np.random.default_rng(14).normal(size=(61, 5, 2)).astype(np.float32)
    model = keras.Sequential([keras.layers.Input(shape, dtype=x.dtype), *layers, keras.layers.Dense(2)])
    optimizer = keras.optimizers.SGD(0.05, momentum=0.9)
    model.compile(optimizer=optimizer, loss="mean_squared_error", metrics=["mean_absolute_error"])
    train(path, model, x, y, epochs=5, batch_size=16)


def embedded(path):
    keras.utils.set_random_seed(14)
    x = np.random.default_rng(15).integers(0, 10, (61, 5)).astype(np.int32)
    x[:, 4] = 0
    x[7] = 0
    steps_of_time(path, [
        keras.layers.Embedding(10, 4, mask_zero=True),
        keras.layers.Dense(6, activation="tanh"),
        keras.layers.TimeDistributed(keras.layers.Dense(3, activation="elu")),
    ], x, (5,))


def stepped(path):
    keras.utils.set_random_seed(17)
    x = np.random.default_rng(18).integers(0, 10, (61, 5)).astype(np.int32)
    x[:, 3] = 0
    each = keras.Sequential([keras.layers.Dense(5, activation="tanh"), keras.layers.Dense(3, activation="elu")])
    steps_of_time(path, [
        keras.layers.Embedding(10, 4, mask_zero=True),
        keras.layers.TimeDistributed(each),
        keras.layers.Dense(6, activation="tanh"),
    ], x, (5,))


def masked(path):
    keras.utils.set_random_seed(15)
    rng = np.random.default_rng(16)
    x = (rng.normal(size=(61, 5, 4)) * (rng.random((61, 5, 1)) < 0.7)).astype(np.float32)
    steps_of_time(path, [
        keras.layers.Masking(),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.Dense(6, activation="tanh"),
        keras.layers.ActivityRegularization(0.01, 0.02),
    ], x, (5, 4))


def adapted(path, ranges):
    keras.utils.set_random_seed(16)
    rng = np.random.default_rng(17)
    x = (rng.normal(size=(61, 6)) * np.arange(1, 7) + 3).astype(np.float32)
    y = np.stack([np.sin(x[:, 0]) + x[:, 1], x[:, 2] - x[:, 3]], axis=1).astype(np.float32)
    if ranges:
        first = keras.layers.Discretization(num_bins=4, output_mode="one_hot")
        rest = [keras.layers.Flatten()]
    else:
        first = keras.layers.Normalization()
        rest = [keras.layers.Dense(5, activation="tanh")]
    if ranges:  # What adapt(x) does after asking TensorFlow whether x is a tf.data.Dataset.
        first.reset_state()
        first.update_state(x)
        first.finalize_state()
    else:
        first.adapt(x)
    model = keras.Sequential([keras.layers.Input((6,)), first, *rest, keras.layers.Dense(2)])
    model.compile(optimizer=keras.optimizers.SGD(0.02, momentum=0.9), loss="mean_squared_error")
    more = {"boundaries": np.array(first.bin_boundaries)} if ranges else {}
    train(path, model, x, y, epochs=5, batch_size=16, **more)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    classes(os.path.join(folder, "classes.npz"))
    regression(os.path.join(folder, "momentum.npz"), nesterov=False)
    regression(os.path.join(folder, "nesterov.npz"), nesterov=True)
    normalized(os.path.join(folder, "normalized.npz"))
    penalised(os.path.join(folder, "penalised.npz"))
    embedded(os.path.join(folder, "embedded.npz"))
    stepped(os.path.join(folder, "stepped.npz"))
    masked(os.path.join(folder, "masked.npz"))
    adapted(os.path.join(folder, "adapted.npz"), ranges=False)
    adapted(os.path.join(folder, "ranges.npz"), ranges=True)


if __name__ == "__main__":
    main()
