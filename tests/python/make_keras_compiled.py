#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes small .keras files, compiled with every loss and every metric, with the real Keras; or checks such files.

    KERAS_BACKEND=jax make_keras_compiled.py make FOLDER     NAME.keras and NAME.npz for each model
    KERAS_BACKEND=jax make_keras_compiled.py check FOLDER    opens every NAME_ours.keras and evaluates it

The model returns its input. NAME.npz has x, y and the results of evaluate() in batches of 7, "log loss" and so on.
`check` exits with 1 if a result differs by more than 1e-5 of it (or of 1).

JAX spends most of the time compiling. Its compiled code is kept in FOLDER/jax, so that `check` need not compile equal
models again.
"""

import glob
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import keras
import numpy as np

from make_keras_losses import LOSSES, METRICS, kinds

BATCH = 7


def compiled(data):
    """Arguments of compile() and the kind of data, by name."""
    models = {}
    for i, (words, loss, arguments, of) in enumerate(LOSSES):
        if "delta" in arguments or words == "cosine_similarity:axis=1":
            continue  # The files of Keras 3.15 do not record this.
        metric = "acc" if "class" in of or "embeddings" in of else "mse"
        models[f"loss_{i:02}"] = {"loss": loss(**arguments), "metrics": [metric]}, of.split()[0]
    for name in ("mse", "MAE", "huber", "crossentropy"):
        models[f"loss_{name}"] = {"loss": name, "metrics": ["mae", "mean_squared_error"]}, "shares"
    by_kind = {}
    for i, (words, metric, arguments, of) in enumerate(METRICS):
        if "num_regressors" in arguments or words in ("mean", "sum"):
            continue  # Keras 3.15 cannot compile these, the first one only with JAX.
        for kind in of.split():
            by_kind.setdefault(kind, []).append(metric(**arguments, name=f"metric_{i:02}"))
    for kind, metrics in by_kind.items():
        true, pred = data[kind]
        if pred.ndim < 2:
            continue
        classes = true.ndim < pred.ndim and pred.shape[-1] > 1
        loss = "sparse_categorical_crossentropy" if classes else "mean_squared_error"
        models[f"metrics_{kind}"] = {"loss": loss, "metrics": metrics}, kind
    return models


def keep_compiled(folder):
    jax.config.update("jax_compilation_cache_dir", os.path.join(os.path.abspath(folder), "jax"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


def evaluate(model, x, y):
    return model.evaluate(x, y, batch_size=BATCH, verbose=0, return_dict=True)


def make(folder):
    data = kinds(np.random.default_rng(51), 18)
    for name, (arguments, kind) in compiled(data).items():
        y, x = data[kind]
        model = keras.Sequential([keras.Input(x.shape[1:]),
                                  keras.layers.Dense(x.shape[-1], kernel_initializer="identity")])
        model.compile(optimizer="sgd", **arguments)
        logs = {f"log {key}": np.float64(value) for key, value in evaluate(model, x, y).items()}
        model.save(os.path.join(folder, name + ".keras"))
        np.savez(os.path.join(folder, name + ".npz"), x=x, y=y, **logs)


def check(folder):
    wrong = []
    paths = sorted(glob.glob(os.path.join(folder, "*_ours.keras")))
    for path in paths:
        arrays = dict(np.load(path[:-len("_ours.keras")] + ".npz"))
        x, y = arrays.pop("x"), arrays.pop("y")
        try:
            found = {f"log {key}": value for key, value in evaluate(keras.models.load_model(path), x, y).items()}
        except Exception as error:
            wrong.append(f"{path}: {error}")
            continue
        if found.keys() != arrays.keys():
            wrong.append(f"{path}: logs {sorted(found)}, expected {sorted(arrays)}")
            continue
        for key, value in arrays.items():
            if not np.all(np.abs(np.asarray(found[key]) - value) <= 1e-5 * np.maximum(1, np.abs(value))):
                wrong.append(f"{path}: {key} is {found[key]}, expected {value}")
    print("\n".join(wrong) or f"ok: {len(paths)} files")
    sys.exit(1 if wrong or not paths else 0)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("make", "check"):
        sys.exit(__doc__)
    keep_compiled(sys.argv[2])
    {"make": make, "check": check}[sys.argv[1]](sys.argv[2])
