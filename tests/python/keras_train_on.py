#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens a .keras file with the real Keras, evaluates it, and trains it on for one epoch without shuffling.

    KERAS_BACKEND=jax keras_train_on.py MODEL.keras DATA.npz OUT.npz [--batch-size 32]

DATA.npz has the arrays x and y. OUT.npz gets
  prediction       predict(x), before any training here
  loss, accuracy   of evaluate(), before any training here
  epoch_loss       of the epoch of training
  weight_00, ...   the weights after it, in Keras's order
  iterations       of the optimizer after it
"""

import argparse
import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("out")
    parser.add_argument("--batch-size", type=int, default=32)
    options = parser.parse_args()

    model = keras.models.load_model(options.model)
    data = np.load(options.data)
    x, y = data["x"], data["y"]
    arrays = {"prediction": model.predict(x, verbose=0)}
    logs = model.evaluate(x, y, batch_size=options.batch_size, verbose=0, return_dict=True)
    arrays |= {name: np.float64(value) for name, value in logs.items()}
    history = model.fit(x, y, batch_size=options.batch_size, epochs=1, shuffle=False, verbose=0).history
    arrays["epoch_loss"] = np.float64(history["loss"][0])
    arrays |= {f"weight_{i:02}": w for i, w in enumerate(model.get_weights())}
    arrays["iterations"] = np.int64(model.optimizer.iterations)
    np.savez(options.out, **arrays)


if __name__ == "__main__":
    main()
