#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains functional models with the real Keras, and saves them and every number that another trainer must reproduce.

    KERAS_BACKEND=jax make_keras_functional.py make FOLDER

Files NAME.keras and NAME.h5 (before the training), NAME.txt (its summary) and NAME.npz of
  two_outputs   wide_input [5], deep_input [6]; deep -> Dense 8 relu -> Dense 7 relu = h;
                main_output: Dense 3 softmax of wide and h, sparse_categorical_crossentropy, accuracy, weight 0.9;
                aux_output: Dense 1 of h, mean_squared_error, weight 0.1; SGD 0.1
  nested        a [4], b [4], each through the Sequential `encoder` (Dense 5 relu, BatchNormalization), then each
                through the model `head` (Dense 6 tanh, Dense 3), which has weights regularized by l2; added;
                mean_squared_error, SGD 0.05 with momentum 0.9
Arrays: x_<input>, y_<output>, weights in Keras's order before (before_00, ...) and after 3 epochs in batches of 16
without shuffling (after_00, ...), epoch_<key> of the history with validation on the last 20 samples, final_<key> of
evaluate(), prediction_<output>.

    KERAS_BACKEND=jax make_keras_functional.py check MODEL.keras ARRAYS.npz

Opens a model that another program saved, and compares its predictions for x_<input> with prediction_<output>; evaluates
it and compares with final_<key>, if present; trains it for another epoch and compares with epoch_<key>.
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["COLUMNS"] = "80"

import keras
import numpy as np

layers = keras.layers
VALIDATION = 20


def two_outputs(rng):
    wide, deep = keras.Input((5,), name="wide_input"), keras.Input((6,), name="deep_input")
    h = layers.Dense(7, activation="relu", name="h2")(layers.Dense(8, activation="relu", name="h1")(deep))
    main = layers.Dense(3, activation="softmax", name="main_output")(layers.Concatenate(name="both")([wide, h]))
    model = keras.Model([wide, deep], [main, layers.Dense(1, name="aux_output")(h)], name="two_outputs")
    model.compile(
        optimizer=keras.optimizers.SGD(0.1),
        loss={"main_output": "sparse_categorical_crossentropy", "aux_output": "mean_squared_error"},
        loss_weights={"main_output": 0.9, "aux_output": 0.1},
        metrics={"main_output": ["accuracy"]})
    y = rng.integers(0, 3, 97)
    x = [(rng.normal(size=(3, n))[y] + 0.8 * rng.normal(size=(97, n))).astype(np.float32) for n in (5, 6)]
    return model, x, [y.astype(np.int32), (x[1][:, :1] * x[1][:, 1:2]).astype(np.float32)]


def nested(rng):
    encoder = keras.Sequential([layers.Dense(5, activation="relu", name="d"), layers.BatchNormalization(
        momentum=0.9, name="n")], name="encoder")
    inside = keras.Input((5,), name="code")
    head = keras.Model(inside, layers.Dense(3, name="last", kernel_regularizer="l2")(
        layers.Dense(6, activation="tanh", name="first")(inside)), name="head")
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    model = keras.Model([a, b], layers.Add(name="sum")([head(encoder(a)), head(encoder(b))]), name="nested")
    model.compile(optimizer=keras.optimizers.SGD(0.05, momentum=0.9), loss="mean_squared_error")
    x = [rng.normal(size=(97, 4)).astype(np.float32) for _ in range(2)]
    return model, x, [np.stack([x[0][:, 0] + x[1][:, 0], x[0][:, 1] * x[1][:, 2], x[1][:, 3]], axis=1)]


def arrays_of(model, x, y):
    outputs = [t for t in model.output_names]
    arrays = {f"x_{t.name}": a for t, a in zip(model.inputs, x)} | {f"y_{n}": a for n, a in zip(outputs, y)}
    arrays |= {f"before_{i:02}": np.array(w) for i, w in enumerate(model.get_weights())}
    target = y if len(y) > 1 else y[0]
    cut = lambda some, rows: [a[rows] for a in some] if isinstance(some, list) else some[rows]
    train, valid = slice(None, -VALIDATION), slice(-VALIDATION, None)
    history = model.fit(cut(x, train), cut(target, train), batch_size=16, epochs=3, shuffle=False, verbose=0,
                        validation_data=(cut(x, valid), cut(target, valid))).history
    arrays |= {f"after_{i:02}": np.array(w) for i, w in enumerate(model.get_weights())}
    arrays |= {f"epoch_{key}": np.array(values) for key, values in history.items()}
    final = model.evaluate(x, target, batch_size=16, verbose=0, return_dict=True)
    arrays |= {f"final_{key}": np.array(value) for key, value in final.items()}
    predicted = model.predict(x, verbose=0)
    for name, p in zip(outputs, predicted if len(outputs) > 1 else [predicted]):
        arrays[f"prediction_{name}"] = p
    assert all(np.all(np.isfinite(a)) for a in arrays.values())
    return arrays


def make(folder):
    os.makedirs(folder, exist_ok=True)
    for i, build in enumerate([two_outputs, nested]):
        keras.utils.set_random_seed(20 + i)
        model, x, y = build(np.random.default_rng(20 + i))
        base = os.path.join(folder, build.__name__)
        lines = []
        model.summary(print_fn=lines.append)
        with open(base + ".txt", "w") as file:
            file.write("\n".join(line.rstrip() for line in "\n".join(lines).rstrip().split("\n")) + "\n")
        model.save(base + ".keras")
        model.save(base + ".h5")
        np.savez_compressed(base + ".npz", **arrays_of(model, x, y))


def check(path, arrays_path):
    model, arrays = keras.models.load_model(path), np.load(arrays_path)
    x = [arrays[f"x_{t.name}"] for t in model.inputs]
    target = [arrays[f"y_{n}"] for n in model.output_names]
    target = target if len(target) > 1 else target[0]
    predicted = model.predict(x, verbose=0)
    found = {f"prediction_{n}": p
             for n, p in zip(model.output_names, predicted if len(model.output_names) > 1 else [predicted])}
    found |= {f"final_{k}": v
              for k, v in model.evaluate(x, target, batch_size=16, verbose=0, return_dict=True).items()}
    history = model.fit(x, target, batch_size=16, epochs=1, shuffle=False, verbose=0).history
    found |= {f"epoch_{key}": values[0] for key, values in history.items()}
    for key, value in found.items():
        if key in arrays:
            difference = np.max(np.abs(arrays[key] - value))
            assert difference < 2e-5, f"{key}: expected {arrays[key]}, found {value}"
        else:
            assert not key.startswith("prediction"), f"no {key} among {sorted(arrays)}"
    missing = [key for key in arrays if key.startswith(("epoch_", "final_")) and key not in found]
    assert not missing, f"Keras does not report {missing}, but {sorted(found)}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"] and len(sys.argv) == 3:
        make(sys.argv[2])
    elif sys.argv[1:2] == ["check"] and len(sys.argv) == 4:
        check(*sys.argv[2:])
    else:
        sys.exit(__doc__)
