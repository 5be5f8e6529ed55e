#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Saves models with Keras 2 of TensorFlow 2.15 (requirements_tf2.txt), a format that many existing files have.

    make_tf_keras_models.py FOLDER

For each model NAME.h5 and NAME.keras, after some training:
  stack       x [4, 2] -> Flatten -> Dense 6 relu, l2 -> BatchNormalization -> LeakyReLU 0.2 -> Dense 3 softmax;
              SGD 0.05 with momentum 0.9, sparse_categorical_crossentropy, accuracy
  graph       two_outputs of make_keras_functional.py in small: wide_input [3], deep_input [4]; one Dense called twice;
              the losses, loss weights and metrics of two outputs; Adam
  nested      a [4], b [4] through the Sequential `encoder` (Dense 5 tanh, BatchNormalization, frozen Dense 5), added,
              Dense 1; mean_squared_error, RMSprop
  deferred    x [4] -> Dense 5 relu -> BatchNormalization -> Dense 1 sigmoid, its input's shape known only from the
              data; binary_crossentropy, binary_accuracy, Adagrad
and NAME.npz: x_<input>, y_<output>, prediction_<output>, final_<key> of evaluate(); and, after another epoch without
shuffling, next_loss and next_prediction_<output>.
"""

import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

keras = tf.keras
layers = keras.layers
ROWS = 24


def stack(rng):
    model = keras.Sequential([
        layers.Flatten(input_shape=(4, 2)),
        layers.Dense(6, activation="relu", kernel_regularizer="l2"),
        layers.BatchNormalization(),
        layers.LeakyReLU(0.2),
        layers.Dense(3, activation="softmax"),
    ], name="stack")
    model.compile(optimizer=keras.optimizers.SGD(0.05, momentum=0.9), loss="sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    return model, [rng.normal(size=(ROWS, 4, 2))], [rng.integers(0, 3, ROWS)]


def graph(rng):
    wide, deep = keras.Input((3,), name="wide_input"), keras.Input((4,), name="deep_input")
    shared = layers.Dense(4, activation="relu", name="shared")
    h = shared(shared(deep))
    both = layers.Concatenate(name="both")([wide, h])
    model = keras.Model([wide, deep], [layers.Dense(3, activation="softmax", name="main_output")(both),
                                       layers.Dense(1, name="aux_output")(h)], name="graph")
    model.compile(
        optimizer=keras.optimizers.Adam(0.01),
        loss={"main_output": "sparse_categorical_crossentropy", "aux_output": keras.losses.Huber(delta=0.5)},
        loss_weights={"main_output": 0.9, "aux_output": 0.1},
        metrics={"main_output": ["accuracy"], "aux_output": [keras.metrics.MeanAbsoluteError(name="off")]})
    return (model, [rng.normal(size=(ROWS, 3)), rng.normal(size=(ROWS, 4))],
            [rng.integers(0, 3, ROWS), rng.normal(size=(ROWS, 1))])


def nested(rng):
    encoder = keras.Sequential([layers.Dense(5, activation="tanh", name="d", input_shape=(4,)),
                                layers.BatchNormalization(momentum=0.9, name="n"),
                                layers.Dense(5, name="frozen", trainable=False)], name="encoder")
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    model = keras.Model([a, b], layers.Dense(1, name="out")(layers.Add(name="sum")([encoder(a), encoder(b)])),
                        name="nested")
    model.compile(optimizer=keras.optimizers.RMSprop(0.01), loss="mean_squared_error")
    return model, [rng.normal(size=(ROWS, 4)) for _ in range(2)], [rng.normal(size=(ROWS, 1))]


def deferred(rng):
    model = keras.Sequential([layers.Dense(5, activation="relu"), layers.BatchNormalization(),
                              layers.Dense(1, activation="sigmoid")], name="deferred")
    model.compile(optimizer=keras.optimizers.Adagrad(0.05), loss=keras.losses.BinaryCrossentropy(),
                  metrics=[keras.metrics.BinaryAccuracy()])
    return model, [rng.normal(size=(ROWS, 4))], [rng.integers(0, 2, (ROWS, 1))]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for i, build in enumerate([stack, graph, nested, deferred]):
        keras.utils.set_random_seed(40 + i)
        model, x, y = build(np.random.default_rng(40 + i))
        x = [a.astype(np.float32) for a in x]
        y = [a.astype(np.int32 if a.dtype.kind == "i" else np.float32) for a in y]
        one = lambda some: some if len(some) > 1 else some[0]
        model.fit(one(x), one(y), batch_size=8, epochs=2, verbose=0)
        base = os.path.join(folder, build.__name__)
        names = [t.name.split(":")[0] for t in model.inputs] if len(x) > 1 else ["x"]
        arrays = {f"x_{n}": a for n, a in zip(names, x)} | {f"y_{n}": a for n, a in zip(model.output_names, y)}
        predicted = model.predict(one(x), verbose=0)
        arrays |= {f"prediction_{n}": p
                   for n, p in zip(model.output_names, predicted if len(y) > 1 else [predicted])}
        final = model.evaluate(one(x), one(y), batch_size=8, verbose=0, return_dict=True)
        arrays |= {f"final_{key}": np.array(value) for key, value in final.items()}
        model.save(base + ".h5")
        model.save(base + ".keras")
        history = model.fit(one(x), one(y), batch_size=8, shuffle=False, verbose=0).history
        arrays["next_loss"] = np.array(history["loss"])
        predicted = model.predict(one(x), verbose=0)
        arrays |= {f"next_prediction_{n}": p
                   for n, p in zip(model.output_names, predicted if len(y) > 1 else [predicted])}
        np.savez_compressed(base + ".npz", **arrays)


if __name__ == "__main__":
    main()
