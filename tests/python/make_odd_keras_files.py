#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Saves what Keras computes or writes in forms of its own, for tests/runtime/keras/keras_versions_test.cc.

    make_odd_keras_files.py FOLDER

With TensorFlow 2.15 (requirements_tf2.txt) into FOLDER/odd-keras-2.15: old optimizers, whose epsilon or momentum is
another, in .h5 files; optimizers that scale the loss; a crossentropy from_logits behind a softmax; a metric named by its
class; policy float64; ThresholdedReLU. With Keras 3 on JAX (requirements.txt) into FOLDER/odd-keras-3.15: weights of
bfloat16, LoRA, weights in several files. Numbers of what Keras computes in another precision come from the same model in
float32. expected.json has for each model x, y, the prediction, evaluate() and, if training goes on alike, next_loss: the
loss of one more epoch of the model that was saved.
"""

import json
import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np

ROWS, BATCH = 16, 4


def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 4)).round(3)
    y = np.exp(x @ rng.normal(size=(4, 3)))
    return x, (y / y.sum(axis=1, keepdims=True)).round(3)


def fit(model):
    x, y = data()
    return float(model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0).history["loss"][0])


def numbers(model, trains=True):
    x, y = data()
    about = {"x": {"x": x.tolist()}, "y": {"y": y.tolist()},
             "prediction": {"y": model.predict(x, verbose=0).astype(float).tolist()},
             "evaluate": {k: float(v) for k, v in
                          model.evaluate(x, y, batch_size=BATCH, verbose=0, return_dict=True).items()}}
    if trains:
        about["next_loss"] = fit(model)
    return about


def keras_2(folder):
    import tensorflow as tf
    keras, layers = tf.keras, tf.keras.layers
    old = keras.optimizers.legacy

    def stack(*behind, last=None):
        return keras.Sequential([layers.Dense(4, input_shape=(4,)), *behind, layers.Dense(3, activation=last)])

    def scaled(optimizer):
        return keras.mixed_precision.LossScaleOptimizer(optimizer)

    mse = {"loss": "mse"}
    logits = {"optimizer": "sgd", "loss": keras.losses.CategoricalCrossentropy(from_logits=True),
              "metrics": ["AUC", keras.metrics.CategoricalCrossentropy(from_logits=True, name="ce")]}
    models = {
        "old_rmsprop.h5": (stack(), {"optimizer": old.RMSprop(0.01, epsilon=1e-2), **mse}),
        "old_rmsprop_momentum.h5": (stack(), {"optimizer": old.RMSprop(0.01, momentum=0.5, epsilon=1e-2), **mse}),
        "old_adagrad.h5": (stack(), {"optimizer": old.Adagrad(0.1, epsilon=1e-2), **mse}),
        "old_nadam.h5": (stack(), {"optimizer": old.Nadam(0.02), **mse}),
        "old_scaled.h5": (stack(), {"optimizer": scaled(old.Adam(0.02)), **mse}),
        "scaled.keras": (stack(), {"optimizer": scaled(keras.optimizers.Adam(0.02)), **mse}),
        "nadam.keras": (stack(), {"optimizer": keras.optimizers.Nadam(0.02), **mse}),
        "logits.h5": (stack(last="softmax"), logits),
        "thresholded.keras": (stack(layers.ThresholdedReLU(0.3)), {"optimizer": "sgd", **mse}),
    }
    expected = {}
    for name, (model, settings) in models.items():
        model.compile(**settings)
        for _ in range(3 if name == "nadam.keras" else 1):
            fit(model)
        model.save(os.path.join(folder, name))
        expected[name] = {"files": [name], **numbers(model)}
    # TensorFlow multiplies Nadam's momenta more than once in a step, so its product, which is not saved, is another.
    expected["nadam.keras"]["next_loss_bound"] = 2e-4
    keras.backend.set_floatx("float64")
    wide = stack()
    wide.compile(optimizer="sgd", loss="mse")
    fit(wide)
    wide.save(os.path.join(folder, "float64.keras"))
    expected["float64"] = {"files": ["float64.keras"], **numbers(wide)}
    return {"version": "Keras 2, TensorFlow " + tf.__version__, "models": expected}


def keras_3(folder):
    os.environ["KERAS_BACKEND"] = "jax"
    import keras
    layers = keras.layers

    def stack(dtype=None):
        model = keras.Sequential([keras.Input((4,)), layers.Dense(4, "tanh", dtype=dtype), layers.Dense(3, dtype=dtype)])
        model.compile(optimizer="sgd", loss="mse")
        return model

    narrow = stack("bfloat16")
    fit(narrow)
    narrow.save(os.path.join(folder, "bfloat16.keras"))
    same = stack()
    same.set_weights([np.asarray(weight, "float32") for weight in narrow.get_weights()])
    expected = {"bfloat16": {"files": ["bfloat16.keras"], **numbers(same)}}
    adapted = stack()
    adapted.layers[0].enable_lora(2)
    adapted.compile(optimizer="adam", loss="mse")
    fit(adapted)
    adapted.save(os.path.join(folder, "lora.keras"))
    expected["lora"] = {"files": ["lora.keras"], **numbers(adapted, trains=False)}
    parts = stack()
    parts.save_weights(os.path.join(folder, "parts.weights.json"), max_shard_size=1e-7)
    parts.save_weights(os.path.join(folder, "whole.weights.h5"))
    return {"version": "Keras " + keras.__version__, "models": expected}


def main():
    try:
        import tensorflow
        name, make = "odd-keras-2.15", keras_2
    except ImportError:
        name, make = "odd-keras-3.15", keras_3
    folder = os.path.join(sys.argv[1], name)
    os.makedirs(folder, exist_ok=True)
    expected = make(folder)
    with open(os.path.join(folder, "expected.json"), "w") as file:
        json.dump(expected, file)
        file.write("\n")


main()
