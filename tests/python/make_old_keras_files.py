#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Saves small models with whichever Keras is installed, to be read by tests of files that old versions wrote.

    KERAS_BACKEND=jax make_old_keras_files.py keras FOLDER       Keras 3.0 to 3.15
    make_old_keras_files.py tf_keras FOLDER                      Keras 2 for TensorFlow 2.15 to 2.21
    make_old_keras_files.py tensorflow.keras FOLDER              Keras 2 as a part of TensorFlow 2.15

FOLDER gets, after two epochs of training, mlp.keras, mlp.h5, two.keras and:
  mlp   a Sequential: Dense, BatchNormalization, Dropout, Dense; Adam, metrics by name
  two   a functional model of two inputs and two outputs, with a loss, a weight and metrics for each; SGD
  expected.json   the version, and for each model its files, data (x, y) and Keras's numbers: prediction, evaluate
                  (batches of 4) and, where no layer draws random numbers, next_loss: that of one more epoch.
                  penalties_twice: evaluate's loss is not that of other versions; weighed: what some of evaluate's
                  numbers are multiplied by.

tests/data/keras_versions holds those of each minor version that PyPI serves for Python 3.11.
"""

import importlib
import json
import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["JAX_PLATFORMS"] = "cpu"

import numpy as np

ROWS = 8
BATCH = 4


def mlp(keras):
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((3,), name="x"),
        layers.Dense(4, activation="relu", kernel_regularizer=keras.regularizers.L2(0.01), name="hidden"),
        layers.BatchNormalization(momentum=0.9, name="normalized"),
        layers.Dropout(0.25, name="thinned"),
        layers.Dense(3, activation="softmax", name="classes"),
    ], name="mlp")
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.01), loss="sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    return model


def two(keras):
    layers = keras.layers
    left, right = keras.Input((3,), name="left"), keras.Input((2,), name="right")
    both = layers.Concatenate(name="both")([layers.Dense(3, activation="tanh", name="shared")(left), right])
    model = keras.Model([left, right], [layers.Dense(2, name="price")(both),
                                        layers.Dense(1, activation="sigmoid", name="sold")(both)], name="two")
    model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9),
                  loss={"price": "mse", "sold": "binary_crossentropy"}, loss_weights={"price": 1.0, "sold": 0.5},
                  metrics={"price": ["mae"], "sold": ["accuracy"]})
    return model


def numbers(array, digits=None):
    array = np.asarray(array)
    return (array if digits is None else np.round(array, digits)).tolist()


def write(model, names, x, y, formats, folder, random):
    """Trains and saves a model; returns what expected.json says of it."""
    one = lambda some: some if len(some) > 1 else some[0]
    fit = lambda epochs: model.fit(one(x), one(y), batch_size=BATCH, epochs=epochs, shuffle=False, verbose=0)
    fit(2)
    files = [f"{model.name}.{ending}" for ending in formats]
    predicted = model.predict(one(x), verbose=0)
    predicted = predicted if isinstance(predicted, list) else [predicted]
    expected = {
        "files": files,
        "x": {name: numbers(a) for name, a in zip(names[0], x)},
        "y": {name: numbers(a) for name, a in zip(names[1], y)},
        "prediction": {name: numbers(a) for name, a in zip(names[1], predicted)},
        "evaluate": {key: float(value) for key, value in
                     model.evaluate(one(x), one(y), batch_size=BATCH, verbose=0, return_dict=True).items()},
    }
    for file in files:  # HDF5 last: saving it changes what Keras 3 writes into later files.
        model.save(os.path.join(folder, file))
    if not random:
        expected["next_loss"] = float(fit(1).history["loss"][0])
    return expected


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    keras = importlib.import_module(sys.argv[1])
    folder = sys.argv[2]
    os.makedirs(folder, exist_ok=True)
    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(3)
    real = lambda *shape: np.round(rng.normal(size=shape), 2).astype(np.float32)
    mlp_data = [real(ROWS, 3)], [rng.integers(0, 3, ROWS).astype(np.int32)]
    two_data = [real(ROWS, 3), real(ROWS, 2)], [real(ROWS, 2), rng.integers(0, 2, (ROWS, 1)).astype(np.float32)]
    models = {
        "mlp": write(mlp(keras), (["x"], ["classes"]), *mlp_data, ["keras", "h5"], folder, True),
        "two": write(two(keras), (["left", "right"], ["price", "sold"]), *two_data, ["keras"], folder, False),
    }
    # They add the penalties of a Sequential's weights to its loss twice; later versions, which open the file, once.
    if getattr(keras, "__version__", "").startswith(("3.0.", "3.1.")):
        models["mlp"]["penalties_twice"] = True
    # They report the losses of outputs times their weights; other versions as they are.
    if getattr(keras, "__version__", "").startswith(("3.5.", "3.6.")):
        models["two"]["weighed"] = {"price_loss": 1.0, "sold_loss": 0.5}
    with open(os.path.join(folder, "expected.json"), "w") as file:
        version = getattr(keras, "__version__", "2.15 of TensorFlow")
        json.dump({"version": version, "models": models}, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
