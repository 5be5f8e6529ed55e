#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seconds an epoch of model.fit: KERAS_BACKEND=jax|tensorflow keras_epoch.py [--epochs 3] [--batch 32]

Prints one JSON line: {"seconds": [...], "loss": ..., "version": "..."}; the first epoch, which compiles, is left out.
"""

import json
import time

import workload

options = workload.options(__doc__)

import keras


class Clock(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds.append(time.perf_counter() - self.start)


seconds = []
x, y = workload.pictures()
keras.utils.set_random_seed(42)
model = keras.Sequential([
    keras.layers.Input((28, 28)),
    keras.layers.Flatten(),
    keras.layers.Dense(300, activation="relu"),
    keras.layers.Dense(100, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile(optimizer=keras.optimizers.SGD(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x, y, batch_size=options.batch, epochs=options.epochs + 1, verbose=0, callbacks=[Clock()]).history
if keras.backend.backend() == "jax":
    import jax
    backend = f"jax {jax.__version__}"
else:
    import tensorflow
    backend = f"tensorflow {tensorflow.__version__}"
print(json.dumps({"seconds": seconds[1:], "loss": history["loss"][-1], "version": f"keras {keras.__version__}, {backend}"}))
