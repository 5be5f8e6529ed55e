#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains scikit-learn's Perceptron, for tests that compare ours with it.

    python3 -m venv VENV && VENV/bin/pip install scikit-learn==1.5.2 numpy==2.4.6
    VENV/bin/python make_perceptron.py FOLDER

FOLDER/perceptron.npz: of the tasks
  setosa      petals of the irises, in centimetres: is it a setosa?   x f32 [150, 2], y i32 [150], which is 1 or 0
  versicolor  is it a versicolor? They are not linearly separable. In millimetres, which are integers, so that f32 and
              f64 make the same mistakes
  species     which of the three, likewise
  and, or, xor
arrays "TASK x", "TASK y", and the results of sklearn.linear_model.Perceptron(shuffle=False, tol=None, max_iter=EPOCHS)
after them: "TASK coef" [units, 2], "TASK intercept" [units], "TASK predicted" [n]. EPOCHS is 20 for the irises,
otherwise 10. Under "setosa seeded" are the predictions of Perceptron(random_state=42), as the notes have it.
Iris data: Fisher (1936), The use of multiple measurements in taxonomic problems.
"""

import os
import sys

import numpy as np
import sklearn
from sklearn.datasets import load_iris
from sklearn.linear_model import Perceptron

PINNED = "1.5.2"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sklearn.__version__ != PINNED:
        sys.exit(f"scikit-learn {PINNED} expected, got {sklearn.__version__}")
    iris = load_iris()
    petals = iris.data[:, 2:].astype(np.float32)
    millimetres = np.round(10 * petals)
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    tasks = {
        "setosa": (petals, iris.target == 0, 20),
        "versicolor": (millimetres, iris.target == 1, 20),
        "species": (millimetres, iris.target, 20),
        "and": (corners, np.array([0, 0, 0, 1]), 10),
        "or": (corners, np.array([0, 1, 1, 1]), 10),
        "xor": (corners, np.array([0, 1, 1, 0]), 10),
    }
    arrays = {}
    for task, (x, y, epochs) in tasks.items():
        y = y.astype(np.int32)
        unit = Perceptron(shuffle=False, tol=None, max_iter=epochs).fit(x.astype(np.float64), y)
        arrays[f"{task} x"], arrays[f"{task} y"] = x, y
        arrays[f"{task} coef"] = unit.coef_
        arrays[f"{task} intercept"] = unit.intercept_
        arrays[f"{task} predicted"] = unit.predict(x.astype(np.float64)).astype(np.int32)
    seeded = Perceptron(random_state=42).fit(petals.astype(np.float64), tasks["setosa"][1].astype(np.int32))
    arrays["setosa seeded"] = seeded.predict(petals.astype(np.float64)).astype(np.int32)
    os.makedirs(sys.argv[1], exist_ok=True)
    path = os.path.join(sys.argv[1], "perceptron.npz")
    np.savez_compressed(path, **arrays)
    print(f"{path}: {len(tasks)} tasks, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
