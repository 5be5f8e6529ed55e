#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Saves models that call their layers in every form that Keras knows.

    KERAS_BACKEND=jax make_keras_calls.py keras3 FOLDER       with requirements.txt
    make_keras_calls.py keras2 FOLDER                         with requirements_tf2.txt (TensorFlow 2.15)

For each model NAME.keras or NAME.h5, after some training, and NAME.npz: x_<input>, y_<output>, prediction_<output>,
final_<key> of evaluate(), and next_loss, the loss of another epoch without shuffling.
Keras 3:
  dict_outputs     {'zz': Dense 1, 'aa': Dense 1}: Keras flattens dicts by their sorted keys
  dict_keys        inputs {'k2': a, 'k1': b} and outputs {'price': Dense 1, 'rank': Dense 2}, whose keys are not the
                   layers' names
  one_key          a dict of one output
  nested_dicts     an inner model with dicts of inputs and outputs, called with a dict
  by_name          an inner model with a list of inputs, called with a dict of their names
  nested_twice     an inner functional model that is called twice, and whose first call is an output
  operations       keras.ops on values, each an output of its own; not compiled
  keywords         layer(inputs=x), and calls with training=True or False, which fit and predict of Keras 3 replace
Keras 2:
  flags2           calls with training=False, of layers and of a model, which fit and predict of Keras 2 heed
  dicts2           dicts of inputs and outputs
  operations2      functions of TensorFlow on values, as `operations`
  nested2          an inner functional model whose second call is an output
"""

import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
ROWS = 12



def dict_outputs():
    x = keras.Input((4,), name="x")
    h = layers.Dense(5, activation="tanh", name="h")(x)
    model = keras.Model(x, {"zz": layers.Dense(1, name="zz")(h), "aa": layers.Dense(1, name="aa")(h)})
    model.compile("sgd", {"zz": "mse", "aa": "mae"}, metrics={"aa": ["mse"]})
    return model


def dict_keys():
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    h = layers.Concatenate(name="both")([a, b])
    model = keras.Model({"k2": a, "k1": b},
                        {"price": layers.Dense(1, name="d1")(h), "rank": layers.Dense(2, name="d2")(h)})
    model.compile("sgd", {"price": "mse", "rank": "mae"})
    return model


def one_key():
    x = keras.Input((4,), name="x")
    model = keras.Model({"only": x}, {"out": layers.Dense(2, name="d")(x)})
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def nested_dicts():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    within = keras.Model({"k2": a, "k1": b}, {"r2": layers.Dense(2, name="p")(a), "r1": layers.Dense(2, name="q")(b)},
                         name="within")
    u, v = keras.Input((3,), name="u"), keras.Input((3,), name="v")
    r = within({"k1": u, "k2": v})
    model = keras.Model([u, v], layers.Subtract(name="o")([r["r1"], r["r2"]]))
    model.compile("sgd", "mse")
    return model


def by_name():
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    within = keras.Model([b, a], [layers.Dense(2, name="p")(a), layers.Dense(2, name="q")(b)], name="within")
    u, v = keras.Input((3,), name="u"), keras.Input((2,), name="v")
    p, q = within({"a": u, "b": v})
    model = keras.Model([u, v], layers.Subtract(name="o")([p, q]))
    model.compile("sgd", "mse")
    return model


def nested_twice():
    a = keras.Input((3,), name="a")
    within = keras.Model(a, layers.Dense(3, activation="tanh", name="p")(a), name="within")
    x = keras.Input((3,), name="x")
    once = within(x)
    model = keras.Model(x, [once, layers.Dense(1, name="last")(within(once))])
    model.compile("sgd", ["mse", "mae"])
    return model


def keywords():
    x = keras.Input((4,), name="x")
    h = layers.Dense(4, name="h")(inputs=x)
    h = layers.BatchNormalization(name="bn")(h, training=False)
    h = layers.BatchNormalization(name="bm")(h, training=True)
    h = layers.Dropout(0.0, name="drop")(h, training=True)
    model = keras.Model(x, layers.Dense(1, name="out")(h))
    model.compile("sgd", "mse")
    return model


def operations():
    ops = keras.ops
    x, z = keras.Input((4, 3), name="x"), keras.Input((4, 3), name="z")
    some = {
        "add": x + 1.0, "radd": 2.0 + x, "subtract": 1.0 - x, "multiply": x * z, "times": 2 * x, "divide": x / (z * z + 1),
        "power": x**2, "cube": x**3, "root": (x * x + 1)**0.5, "inverse": (x * x + 1)**-1, "negative": -x,
        "array": ops.add(x, np.array([1.0, 2.0, 3.0], "float32")), "first": x[:, 0], "part": x[:, 1:3, ::2],
        "last": x[..., -1], "axis": x[:, None], "matmul": x @ ops.transpose(z, (0, 2, 1)),
        "sum": ops.sum(x, axis=-1, keepdims=True), "mean": ops.mean(x, 1), "max": ops.max(x, axis=(1, 2)),
        "min": ops.min(x, axis=2), "var": ops.var(x, axis=1), "std": ops.std(x, axis=1),
        "logsumexp": ops.logsumexp(x, axis=1), "average": ops.average(x, axis=1), "argmax": ops.argmax(x, axis=1),
        "reshape": ops.reshape(x, (-1, 12)), "swapaxes": ops.swapaxes(x, 1, 2), "moveaxis": ops.moveaxis(x, 1, -1),
        "concatenate": ops.concatenate([x, z], axis=1), "stack": ops.stack([x, z], axis=1),
        "expand": ops.expand_dims(x, 1), "squeeze": ops.squeeze(x[:, :1], 1), "repeat": ops.repeat(x, 2, axis=1),
        "tile": ops.tile(x, (1, 2, 1)), "cast": ops.cast(x * 3, "int32"), "clip": ops.clip(x, -0.5, 1.0),
        "where": ops.where(x > 0, x, z), "maximum": ops.maximum(x, 0.5), "exp": ops.exp(x),
        "log": ops.log(ops.abs(x) + 1), "sqrt": ops.sqrt(ops.square(x)), "round": ops.round(x * 2), "ceil": ops.ceil(x),
        "sign": ops.sign(x), "one_hot": ops.one_hot(ops.argmax(x, axis=1), 4), "softmax": ops.softmax(x, axis=1),
        "sigmoid": ops.sigmoid(x), "relu": ops.relu(x), "gelu": ops.gelu(x), "gelu_exact": ops.gelu(x, False),
        "leaky_relu": ops.leaky_relu(x, 0.3), "elu": ops.elu(x, 0.5), "silu": ops.silu(x), "tanh": ops.tanh(x),
        "log_softmax": ops.log_softmax(x), "hard_sigmoid": ops.hard_sigmoid(x), "log1p": ops.log1p(x * x),
        "flip": ops.flip(x, axis=-1), "flip_steps": ops.flip(x, 1), "flip_both": ops.flip(x, axis=(1, 2)),
    }
    return keras.Model([x, z], some)


def operations2():
    x, z = keras.Input((4, 3), name="x"), keras.Input((4, 3), name="z")
    some = {
        "add": x + 1.0, "subtract": 1.0 - x, "difference": x - z, "multiply": x * z, "times": 2.0 * x,
        "divide": x / (z * z + 1.0), "power": x**2, "negative": -x, "first": x[:, 0], "part": x[:, 1:3, ::2],
        "last": x[..., 0], "axis": x[:, tf.newaxis], "matmul": tf.matmul(x, tf.transpose(z, [0, 2, 1])),
        "sum": tf.reduce_sum(x, axis=-1, keepdims=True), "mean": tf.reduce_mean(x, 1), "max": tf.reduce_max(x, [1, 2]),
        "reshape": tf.reshape(x, (-1, 12)), "concat": tf.concat([x, z], 1), "stack": tf.stack([x, z], axis=1),
        "expand": tf.expand_dims(x, 1), "squeeze": tf.squeeze(x[:, :1], 1), "cast": tf.cast(x * 3.0, tf.int32),
        "clip": tf.clip_by_value(x, -0.5, 1.0), "where": tf.where(x > 0, x, z), "maximum": tf.maximum(x, 0.5),
        "relu": tf.nn.relu(x), "sigmoid": tf.sigmoid(x), "softmax": tf.nn.softmax(x, axis=1),
        "leaky_relu": tf.nn.leaky_relu(x), "gelu": tf.nn.gelu(x), "silu": tf.nn.silu(x), "abs": tf.abs(x),
        "backend": keras.backend.mean(x, axis=1), "tile": tf.tile(x, [1, 2, 1]), "argmax": tf.argmax(x, 1),
        "one_hot": tf.one_hot(tf.argmax(x, 1), 4),
    }
    return keras.Model([x, z], some)


def flags2():
    a = keras.Input((4,), name="a")
    within = keras.Model(a, layers.Dropout(0.5, name="d")(layers.BatchNormalization(name="n")(a)), name="within")
    x = keras.Input((4,), name="x")
    h = layers.BatchNormalization(name="bn")(layers.Dense(4, name="h")(x), training=False)
    h = layers.Dropout(0.5, name="drop")(h, training=False)
    model = keras.Model(x, layers.Dense(1, name="out")(within(h, training=False)))
    model.compile("sgd", "mse")
    return model


def dicts2():
    a, b = keras.Input((3,), name="k2"), keras.Input((2,), name="k1")
    h = layers.Concatenate(name="both")([a, b])
    model = keras.Model({"k2": a, "k1": b}, {"zz": layers.Dense(1, name="zz")(h), "aa": layers.Dense(1, name="aa")(h)})
    model.compile("sgd", {"zz": "mse", "aa": "mae"})
    return model


def nested2():
    a = keras.Input((3,), name="a")
    within = keras.Model(a, layers.Dense(3, activation="tanh", name="p")(a), name="within")
    x = keras.Input((3,), name="x")
    model = keras.Model(x, within(layers.Dense(3, name="between")(within(x))))
    model.compile("sgd", "mse")
    return model


def by_key(structure, names):
    if isinstance(structure, dict):
        return structure
    return dict(zip(names, structure if isinstance(structure, (list, tuple)) else [structure]))


def make_operations(name, folder, ending):
    model = globals()[name]()
    rng = np.random.default_rng(1)
    x = {key: rng.normal(size=(3, 4, 3)).astype("float32") for key in ("x", "z")}
    model.save(f"{folder}/{name}.{ending}")
    arrays = {f"x_{key}": value for key, value in x.items()}
    arrays |= {f"prediction_{key}": np.asarray(value, "float32")
               for key, value in model.predict([x["x"], x["z"]], verbose=0).items()}
    np.savez_compressed(f"{folder}/{name}.npz", **arrays)


def make(name, folder, ending):
    keras.utils.set_random_seed(len(name))
    rng = np.random.default_rng(len(name))
    model = globals()[name]()
    shapes = by_key(model.input, [tensor.name for tensor in model.inputs])
    x = {key: rng.normal(size=(ROWS, value.shape[1])).astype("float32") for key, value in shapes.items()}
    out = by_key(model.output, model.output_names)
    y = {key: rng.normal(size=(ROWS, value.shape[1])).astype("float32") for key, value in out.items()}
    xs, ys = x, y
    if not isinstance(model.input, dict):
        xs = [x[key] for key in shapes]
    if not isinstance(model.output, dict):
        ys = [y[key] for key in out] if len(y) > 1 else y[next(iter(y))]
    model.fit(xs, ys, batch_size=4, epochs=2, shuffle=False, verbose=0)
    model.save(f"{folder}/{name}.{ending}")
    predictions = by_key(model.predict(xs, verbose=0), list(out))
    arrays = {f"x_{key}": value for key, value in x.items()} | {f"y_{key}": value for key, value in y.items()}
    arrays |= {f"prediction_{key}": value for key, value in predictions.items()}
    logs = model.evaluate(xs, ys, batch_size=4, return_dict=True, verbose=0)
    arrays |= {f"final_{key}": np.float32(value) for key, value in logs.items()}
    arrays["next_loss"] = np.float32(
        model.fit(xs, ys, batch_size=4, epochs=1, shuffle=False, verbose=0).history["loss"][0])
    np.savez(f"{folder}/{name}.npz", **arrays)


def main():
    global keras, layers, np, tf
    which, folder = sys.argv[1:]
    import numpy as np
    if which == "keras3":
        os.environ["KERAS_BACKEND"] = "jax"
        import keras
        names, ending = ["dict_outputs", "dict_keys", "one_key", "nested_dicts", "by_name", "nested_twice",
                         "keywords"], "keras"
    else:
        import tensorflow as tf
        keras = tf.keras
        names, ending = ["flags2", "dicts2", "nested2"], "h5"
    layers = keras.layers
    make_operations("operations" if which == "keras3" else "operations2", folder, ending)
    for name in names:
        make(name, folder, ending)


main()
