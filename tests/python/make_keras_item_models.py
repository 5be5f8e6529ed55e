#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Saves models whose layers, initializers and metrics have settings out of the ordinary.

    KERAS_BACKEND=jax make_keras_item_models.py FOLDER       with requirements.txt

For each model NAME.keras and NAME.h5, after some training, and NAME.npz: x_<input>, y_<output>, prediction_<output>,
final_<key> of evaluate(), with final_<key>_<i> of the elements of a list, and next_loss, the loss of another epoch
without shuffling.
  activations      layers in the place of activations: with weights, with statistics, within one another, in a wrapper,
                   in a model within that is called twice
  initial          initializers with seeds and with arrays; layers with seeds
  preprocessing    Rescaling, Normalization and Discretization with arrays and dtypes
  merges           merging layers of inputs of different ranks
  integers         layers that are given integers
  vectors          metrics of several numbers
"""

import os
import sys
import zipfile

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np

I, L, M = keras.initializers, keras.layers, keras.metrics
ROWS = 12


def activations():
    x, steps = keras.Input((5,), name="x"), keras.Input((4, 3), name="steps")
    h = L.Dense(4, activation=L.PReLU(), name="prelu")(x)
    h = L.Dense(4, activation=L.LeakyReLU(negative_slope=0.2), name="leaky")(h)
    h = L.Dense(4, activation=L.ELU(alpha=0.7), name="elu")(h)
    h = L.Dense(4, activation=L.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2), name="relu")(h)
    h = L.Dense(4, activation=L.BatchNormalization(), name="normalized")(h)
    h = L.Activation(L.PReLU(alpha_initializer=I.Constant(0.25), alpha_regularizer="l2"), name="as_layer")(h)
    h = L.Dense(4, activation=L.Dense(4, activation=L.PReLU()), name="dense")(h)
    h = L.Dense(4, activation=L.Activation("tanh"), name="tanh")(h)
    h = L.Dense(4, activation=L.Dropout(0.0), name="dropped")(h)
    a = keras.Input((4,), name="a")
    within = keras.Model(a, L.Dense(4, activation=L.PReLU(), name="p")(a), name="within")
    t = L.TimeDistributed(L.Dense(2, activation=L.PReLU()), name="wrapped")(steps)
    t = L.Dense(2, activation=L.PReLU(shared_axes=[1]), name="shared")(t)
    h = L.Concatenate(name="both")([within(within(h)), L.Flatten(name="flat")(t)])
    h = L.Dense(3, activation=L.Softmax(), name="softmax")(h)
    model = keras.Model([x, steps], h)
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


def initial():
    x, ids = keras.Input((5,), name="x"), keras.Input((4,), name="ids", dtype="int32")
    h = L.Dense(3, kernel_initializer=I.GlorotUniform(seed=42), bias_initializer=I.Constant([1.0, 2.0, 3.0]),
                name="glorot")(x)
    h = L.Dense(4, kernel_initializer=I.Constant(np.arange(12).reshape(3, 4) / 7), name="matrix",
                bias_initializer=I.RandomNormal(stddev=0.3, seed=3))(h)
    h = L.Dropout(0.0, seed=3, name="drop")(h)
    h = L.GaussianNoise(0.0, seed=4, name="noise")(h)
    h = L.Dense(4, kernel_initializer=I.Orthogonal(seed=keras.random.SeedGenerator(5)), name="orthogonal",
                bias_initializer=I.Constant(np.array([0.5], "float32")))(h)
    h = L.PReLU(alpha_initializer=I.VarianceScaling(2.0, "fan_out", "uniform", seed=2**31 + 7), name="prelu")(h)
    h = L.BatchNormalization(gamma_initializer=I.Constant([1.0, 2.0, 3.0, 4.0]), name="bn")(h)
    e = L.Embedding(7, 3, embeddings_initializer=I.Constant(np.arange(21).reshape(7, 3) / 10), name="table")(ids)
    e = L.TimeDistributed(L.Dense(2, kernel_initializer=I.HeNormal(seed=1)), name="wrapped")(e)
    a = keras.Input((4,), name="a")
    within = keras.Model(a, L.Dense(2, kernel_initializer=I.LecunUniform(seed=9), name="p")(a), name="within")
    model = keras.Model([x, ids], L.Concatenate(name="both")([within(h), L.Flatten(name="flat")(e)]))
    model.compile("sgd", "mse")
    return model


def preprocessing():
    x = keras.Input((4, 3), name="x")
    grid = np.arange(12).reshape(4, 3) / np.float32(5)
    parts = [
        L.Rescaling([0.1, 0.2, 0.3], 1.0)(x),
        L.Rescaling(np.array([1, 2, 3], "float32"), np.float32(2))(x),
        L.Rescaling(grid, [1.0, 2.0, 3.0])(x),
        L.Rescaling((1 / 3, 2, 3), grid[:, :1])(x),
        L.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 2.0, 0.0], invert=True)(x),
        L.Normalization(axis=(1, 2), mean=grid, variance=1 + grid)(x),
        L.Normalization(axis=(1, 2), mean=grid[:, :1], variance=1 + grid[:, :1])(x),
        L.Normalization(axis=(1, 2), mean=[1.0, 2.0, 3.0], variance=[3.0, 2.0, 1.0])(x),
        L.Normalization(axis=1, mean=np.arange(4), variance=np.arange(1, 5))(x),
        L.Normalization(axis=None, mean=1, variance=4)(x),
        L.Rescaling(0.5)(L.Discretization(bin_boundaries=[-1.0, 0.0, 1.0])(x)),
        L.Rescaling(0.5)(L.Discretization(bin_boundaries=[0.0], dtype="float32")(x)),
        L.Rescaling(0.5)(L.Discretization(bin_boundaries=[-1, 0, 1], dtype="int64")(x)),
    ]
    bins = L.Discretization(bin_boundaries=[-1.0, 0.5], output_mode="one_hot", dtype="int32")(x)
    parts.append(L.Rescaling(0.1)(L.Reshape((4, 9))(bins)))
    model = keras.Model(x, L.Dense(1, name="out")(L.Flatten(name="flat")(L.Concatenate(name="all")(parts))))
    model.compile(keras.optimizers.SGD(1e-4), "mse")
    return model


def merges():
    a, b, c = keras.Input((3,), name="a"), keras.Input((4, 3), name="b"), keras.Input((1,), name="c")
    parts = [L.Add()([a, b]), L.Subtract()([b, a]), L.Subtract()([a, b]), L.Multiply()([a, b, c]),
             L.Average()([c, a, b]), L.Maximum()([a, b]), L.Minimum()([b, c])]
    model = keras.Model([a, b, c], L.Dense(1, name="out")(L.Flatten(name="flat")(L.Concatenate(name="all")(parts))))
    model.compile("sgd", "mse")
    return model


def integers():
    n = keras.Input((6,), name="n", dtype="int32")
    parts = [
        L.Dense(3, activation="tanh", name="dense")(n),
        L.BatchNormalization(name="bn")(n),
        L.Normalization(mean=2.0, variance=3.0, name="norm")(n),
        L.Dense(2, name="binned")(L.Discretization(bin_boundaries=[1, 3], name="bins")(n)),
        L.Add(name="sum")([n, L.Dense(6, name="other")(n)]),
        L.PReLU(name="prelu")(n),
        L.LeakyReLU(name="leaky")(n),
        L.ELU(name="elu")(n),
    ]
    model = keras.Model(n, L.Dense(1, name="out")(L.Concatenate(name="all")(parts)))
    model.compile(keras.optimizers.SGD(1e-3), "mse")
    return model


def vectors():
    x = keras.Input((5,), name="x")
    model = keras.Model(x, L.Dense(3, activation="softmax", name="out")(x))
    model.compile("sgd", "categorical_crossentropy", metrics=[
        M.F1Score(average=None), M.Precision(thresholds=[0.3, 0.5]), M.Recall(thresholds=[0.2, 0.3, 0.5], class_id=1),
        M.TruePositives(thresholds=[0.3, 0.5], name="tp"), M.R2Score(class_aggregation=None), "accuracy"],
        weighted_metrics=[M.FBetaScore(average=None, beta=2.0, threshold=0.4)])
    return model


def data_of(name, model):
    rng = np.random.default_rng(len(name))
    some = lambda shape: rng.normal(size=(ROWS, *shape)).astype("float32")
    x = {each.name: rng.integers(0, 7, (ROWS, *each.shape[1:])).astype("int32") if each.dtype == "int32"
         else some(each.shape[1:]) for each in model.inputs}
    classes = np.eye(3, dtype="float32")[rng.integers(0, 3, ROWS)]
    return x, classes if name == "vectors" else some(model.output.shape[1:])


def save(model, path):
    """As model.save; a .keras compressed, as files of tests are to be small."""
    model.save(path)
    if path.endswith(".h5"):
        return
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def make(name, folder):
    keras.utils.set_random_seed(len(name))
    model = globals()[name]()
    x, y = data_of(name, model)
    xs = [x[each.name] for each in model.inputs]
    model.fit(xs, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    for ending in ("keras", "h5"):
        save(model, f"{folder}/{name}.{ending}")
    out = model.output_names[0]
    arrays = {f"x_{key}": value for key, value in x.items()} | {f"y_{out}": y}
    arrays[f"prediction_{out}"] = model.predict(xs, verbose=0)
    for key, value in model.evaluate(xs, y, batch_size=4, return_dict=True, verbose=0).items():
        value = np.asarray(value, "float32")
        arrays |= {f"final_{key}_{i}": each for i, each in enumerate(value)} if value.ndim else {f"final_{key}": value}
    arrays["next_loss"] = np.float32(
        model.fit(xs, y, batch_size=4, epochs=1, shuffle=False, verbose=0).history["loss"][0])
    np.savez_compressed(f"{folder}/{name}.npz", **arrays)
    print(name, {key: float(value) for key, value in arrays.items() if value.ndim == 0})


def main():
    (folder,) = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    for name in ("activations", "initial", "preprocessing", "merges", "integers", "vectors"):
        make(name, folder)


main()
