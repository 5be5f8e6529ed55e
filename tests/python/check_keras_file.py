#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens a .keras file of ours with the real Keras, compares its predictions and trains on.

    KERAS_BACKEND=jax check_keras_file.py MODEL.keras X.npy Y.npy [--iterations N] [--tolerance 1e-5] [--no-fit]

Y.npy is our prediction for X.npy. With --iterations, the restored optimizer must have done this many steps. On success,
prints one line and exits with 0; otherwise prints what was expected and what was found, and exits with 1.
"""

import argparse
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np


def fail(message):
    sys.exit(f"check_keras_file: {message}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("x")
    parser.add_argument("y")
    parser.add_argument("--iterations", type=int)
    parser.add_argument("--tolerance", type=float, default=1e-5)
    parser.add_argument("--no-fit", action="store_true")
    options = parser.parse_args()

    model = keras.models.load_model(options.model)
    x, expected = np.load(options.x), np.load(options.y)
    found = model.predict(x, verbose=0)
    if found.shape != expected.shape:
        fail(f"predictions of shape {expected.shape} expected, Keras has {found.shape}")
    difference = float(np.max(np.abs(found - expected)))
    if not difference <= options.tolerance:
        fail(f"predictions differ by {difference:.3g}, at most {options.tolerance:.3g} expected")
    if options.iterations is not None and int(model.optimizer.iterations) != options.iterations:
        fail(f"{options.iterations} optimizer steps expected, Keras has {int(model.optimizer.iterations)}")

    if not options.no_fit:
        before = [np.array(w) for w in model.get_weights()]
        labels = np.arange(len(x)) % expected.shape[-1]
        history = model.fit(x, labels, epochs=1, batch_size=4, verbose=0)
        if not np.isfinite(history.history["loss"][0]):
            fail(f"training on gives the loss {history.history['loss'][0]}")
        if all(np.array_equal(a, b) for a, b in zip(before, model.get_weights())):
            fail("training on changes no weight")
    print(f"ok: {options.model}: predictions differ by {difference:.3g}, keras {keras.__version__}")


if __name__ == "__main__":
    main()
