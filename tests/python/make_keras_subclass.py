#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a subclassed model with the real Keras, and saves every number that another trainer must reproduce.

    KERAS_BACKEND=jax make_keras_subclass.py make FOLDER

The model is WideAndDeepModel of the notes, with 8 and 7 units and outputs as a dict. subclass.npz in FOLDER has its
arrays x_wide, x_deep, y, its weights before (before_00, ..., in Keras's order) and after 3 epochs in batches of 16
without shuffling (after_00, ...), epoch_<key> of the history with validation on the last 20 samples, and
prediction_<output>; subclass.weights.h5 is the result of save_weights after that.
nested.npz and nested.weights.h5 are of NestedModel, which contains another class and lists of layers: x, prediction and
weights, untrained.

    KERAS_BACKEND=jax make_keras_subclass.py check WEIGHTS.h5 ARRAYS.npz

Loads weights that another program saved into such a model, and compares its predictions with prediction_<output>, or
with prediction.
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np

layers = keras.layers
VALIDATION = 20


@keras.saving.register_keras_serializable("notes")
class WideAndDeepModel(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden1 = layers.Dense(8, activation="relu", name="hidden1")
        self.hidden2 = layers.Dense(7, activation="relu", name="hidden2")
        self.main_output = layers.Dense(1, name="main_output")
        self.aux_output = layers.Dense(1, name="aux_output")

    def call(self, inputs):
        wide, deep = inputs
        h = self.hidden2(self.hidden1(deep))
        return {"main_output": self.main_output(keras.ops.concatenate([wide, h], axis=-1)),
                "aux_output": self.aux_output(h)}


class Encoder(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [layers.Dense(6, activation="tanh"), layers.Dense(5, activation="elu")]
        self.norm = layers.LayerNormalization()

    def call(self, x):
        for layer in self.blocks:
            x = layer(x)
        return self.norm(x)


class NestedModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.heads = [layers.Dense(2, activation="tanh"), layers.Dense(2)]
        self.stack = [layers.Dense(3, activation="tanh")]

    def call(self, x):
        x = self.encoder(x)
        for layer in self.stack:
            x = layer(x)
        return self.heads[0](x) + self.heads[1](x)


def built(x):
    model = WideAndDeepModel()
    model([a[:1] for a in x])
    return model


def built_nested(x):
    model = NestedModel()
    model(x[:1])
    return model


def make_nested(folder):
    rng = np.random.default_rng(41)
    x = rng.normal(size=(9, 4)).astype(np.float32)
    model = built_nested(x)
    model.set_weights([rng.normal(size=w.shape).astype(np.float32) for w in model.get_weights()])
    model.save_weights(os.path.join(folder, "nested.weights.h5"))
    arrays = {f"weight_{i:02}": np.array(w) for i, w in enumerate(model.get_weights())}
    np.savez_compressed(os.path.join(folder, "nested.npz"), x=x, prediction=model.predict(x, verbose=0), **arrays)


def make(folder):
    keras.utils.set_random_seed(40)
    rng = np.random.default_rng(40)
    x = [rng.normal(size=(97, n)).astype(np.float32) for n in (5, 6)]
    y = (x[0][:, :1] * x[1][:, 1:2] + x[1][:, 2:3]).astype(np.float32)
    model = built(x)
    model.compile(optimizer=keras.optimizers.SGD(0.05, momentum=0.9),
                  loss={"main_output": "mean_squared_error", "aux_output": "mean_absolute_error"},
                  loss_weights={"main_output": 0.9, "aux_output": 0.1}, metrics={"main_output": ["mae"]})
    arrays = {"x_wide": x[0], "x_deep": x[1], "y": y}
    arrays |= {f"before_{i:02}": np.array(w) for i, w in enumerate(model.get_weights())}
    cut = lambda rows: ([a[rows] for a in x], {"main_output": y[rows], "aux_output": y[rows]})
    history = model.fit(*cut(slice(None, -VALIDATION)), batch_size=16, epochs=3, shuffle=False, verbose=0,
                        validation_data=cut(slice(-VALIDATION, None))).history
    arrays |= {f"after_{i:02}": np.array(w) for i, w in enumerate(model.get_weights())}
    arrays |= {f"epoch_{key}": np.array(values) for key, values in history.items()}
    arrays |= {f"prediction_{key}": value for key, value in model.predict(x, verbose=0).items()}
    model.save_weights(os.path.join(folder, "subclass.weights.h5"))
    np.savez_compressed(os.path.join(folder, "subclass.npz"), **arrays)
    make_nested(folder)


def check(weights, arrays_path):
    arrays = np.load(arrays_path)
    if "x" in arrays:
        model = built_nested(arrays["x"])
        model.load_weights(weights)
        difference = np.max(np.abs(arrays["prediction"] - model.predict(arrays["x"], verbose=0)))
        assert difference < 2e-5, f"off by {difference}"
        return
    x = [arrays["x_wide"], arrays["x_deep"]]
    model = built(x)
    model.load_weights(weights)
    for key, value in model.predict(x, verbose=0).items():
        difference = np.max(np.abs(arrays[f"prediction_{key}"] - value))
        assert difference < 2e-5, f"{key}: off by {difference}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"] and len(sys.argv) == 3:
        make(sys.argv[2])
    elif sys.argv[1:2] == ["check"] and len(sys.argv) == 4:
        check(*sys.argv[2:])
    else:
        sys.exit(__doc__)
