#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seconds per epoch of Keras's model.fit on the backend of KERAS_BACKEND. The first epoch, which compiles, is left
out."""

import time

import workload

options = workload.options(__doc__)

import keras
from keras import layers, optimizers

optimizer = workload.choose("keras_train.py", "optimizer", options.optimizer, {
    "sgd": lambda: optimizers.SGD(0.01),
    "momentum": lambda: optimizers.SGD(0.01, momentum=0.9),
    "nesterov": lambda: optimizers.SGD(0.01, momentum=0.9, nesterov=True),
    "adam": optimizers.Adam,
    "rmsprop": optimizers.RMSprop,
    "adamw": optimizers.AdamW,
})()
extra = workload.choose("keras_train.py", "layer", options.extra, {
    "none": lambda: [],
    "l2": lambda: [],
    "dropout": lambda: [layers.Dropout(0.2)],
    "batch_norm": lambda: [layers.BatchNormalization()],
})


penalty = keras.regularizers.L2(workload.L2) if options.extra == "l2" else None


class Clock(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds.append(time.perf_counter() - self.start)


seconds = []
x, y = workload.data(options)
keras.utils.set_random_seed(42)
*hidden, last = options.widths[1:]


def functional():
    """wide_and_deep and two_outputs."""
    deep = wide = layers.Input((options.widths[0],))
    if options.model == "two_outputs":
        wide = layers.Input((workload.BESIDE[options.model],))
    h = deep
    for units in hidden:
        h = layers.Dense(units, activation=options.activation)(h)
    main = layers.Dense(1)(layers.Concatenate()([wide, h]))
    if options.model == "two_outputs":
        return keras.Model([wide, deep], [main, layers.Dense(1)(h)])
    return keras.Model(deep, main)


def stack():
    model = keras.Sequential([layers.Input(x.shape[1:])])
    for units in hidden:
        for layer in [layers.Dense(units, activation=options.activation, kernel_regularizer=penalty), *extra()]:
            model.add(layer)
    model.add(layers.Dense(last, activation="softmax" if options.classifies else None, kernel_regularizer=penalty))
    return model


model = functional() if options.functional else stack()
if options.classifies:
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
elif options.functional and options.model == "two_outputs":
    model.compile(optimizer=optimizer, loss=["mean_squared_error"] * 2,
                  loss_weights=[workload.MAIN_WEIGHT, workload.AUX_WEIGHT])
    x, y = list(x), [y, y]
else:
    model.compile(optimizer=optimizer, loss="mean_squared_error")
history = model.fit(x, y, batch_size=options.batch, epochs=options.epochs + 1, verbose=0, callbacks=[Clock()]).history
if keras.backend.backend() == "jax":
    import jax
    backend = f"JAX {jax.__version__}"
else:
    import tensorflow
    backend = f"TensorFlow {tensorflow.__version__}"
workload.answer(seconds[1:], history["loss"][0], f"Keras {keras.__version__} on {backend}")
