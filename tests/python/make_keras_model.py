#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a .keras file with the real Keras, and arrays to compare with.

    KERAS_BACKEND=jax make_keras_model.py FOLDER NAME [--layers 784,300,100,10] [--epochs 1] [--optimizer sgd]
                        [--seed 7] [--pixels]

FOLDER/NAME.keras    Flatten -> Dense relu ... -> Dense softmax, compiled; trained so many epochs on random data
FOLDER/NAME_x.npy    float32 [16, 28, 28], or [16, inputs] where the inputs are not 784
FOLDER/NAME_y.npy    Keras's prediction for it

With --pixels the first layer is Rescaling(1/255), and x is uint8.
"""

import argparse
import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("name")
    parser.add_argument("--layers", default="784,300,100,10")
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--optimizer", default="sgd", help="sgd, momentum, adam or loss_scale")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--pixels", action="store_true")
    options = parser.parse_args()

    keras.utils.set_random_seed(options.seed)
    inputs, *units = [int(n) for n in options.layers.split(",")]
    shape = (28, 28) if inputs == 784 else (inputs,)
    model = keras.Sequential([keras.layers.Input(shape)])
    if options.pixels:
        model.add(keras.layers.Rescaling(1 / 255))
    model.add(keras.layers.Flatten())
    for n in units[:-1]:
        model.add(keras.layers.Dense(n, activation="relu"))
    model.add(keras.layers.Dense(units[-1], activation="softmax"))
    optimizer = {
        "sgd": keras.optimizers.SGD(),
        "momentum": keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        "adam": keras.optimizers.Adam(),
        "loss_scale": keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(), dynamic_growth_steps=3),
    }[options.optimizer]
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])

    rng = np.random.default_rng(options.seed)

    def samples(n):
        if options.pixels:
            return rng.integers(0, 256, (n, *shape), dtype=np.uint8)
        return rng.random((n, *shape), dtype=np.float32)

    if options.epochs > 0:
        model.fit(samples(64), rng.integers(0, units[-1], 64), epochs=options.epochs, batch_size=16, verbose=0)

    x = samples(16)
    base = os.path.join(options.folder, options.name)
    model.save(base + ".keras")
    np.save(base + "_x.npy", x)
    np.save(base + "_y.npy", model.predict(x, verbose=0))


if __name__ == "__main__":
    main()
