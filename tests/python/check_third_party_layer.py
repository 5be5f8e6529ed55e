#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens a .keras file with a layer that Keras does not know, acme>GatedDense, without and with custom_objects.

    KERAS_BACKEND=jax check_third_party_layer.py MODEL.keras X.npy Y.npy [--tolerance 1e-5]

Without, Keras must refuse the file; with them, it must predict Y.npy for X.npy. On success, prints one line and exits
with 0; otherwise prints what was expected and what was found, and exits with 1.
"""

import argparse
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np


class GatedDense(keras.layers.Layer):
    """y = (x W + b) * sigmoid(x V + c)"""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel")
        self.bias = self.add_weight(shape=(self.units,), name="bias", initializer="zeros")
        self.gate_kernel = self.add_weight(shape=(shape[-1], self.units), name="gate_kernel")
        self.gate_bias = self.add_weight(shape=(self.units,), name="gate_bias", initializer="zeros")

    def call(self, x):
        content = keras.ops.matmul(x, self.kernel) + self.bias
        return content * keras.ops.sigmoid(keras.ops.matmul(x, self.gate_kernel) + self.gate_bias)


def fail(message):
    sys.exit(f"check_third_party_layer: {message}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("x")
    parser.add_argument("y")
    parser.add_argument("--tolerance", type=float, default=1e-5)
    options = parser.parse_args()

    try:
        keras.models.load_model(options.model)
    except (TypeError, ValueError) as error:
        if "GatedDense" not in str(error):
            fail(f"an error that names GatedDense expected, Keras says: {error}")
    else:
        fail("Keras was expected to refuse a layer that it does not know")
    model = keras.models.load_model(options.model, custom_objects={"acme>GatedDense": GatedDense})
    expected = np.load(options.y)
    found = model.predict(np.load(options.x), verbose=0)
    if found.shape != expected.shape:
        fail(f"predictions of shape {expected.shape} expected, Keras has {found.shape}")
    difference = float(np.max(np.abs(found - expected)))
    if not difference <= options.tolerance:
        fail(f"predictions differ by {difference:.3g}, at most {options.tolerance:.3g} expected")
    print(f"ok: {options.model}: predictions differ by {difference:.3g}, keras {keras.__version__}")


if __name__ == "__main__":
    main()
