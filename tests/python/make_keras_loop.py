#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the real Keras's training loop with all its arguments, and saves its reports.

    KERAS_BACKEND=jax make_keras_loop.py FILE.npz

Models, all with SGD 0.1:
  flat  x [4] -> Dense 6 tanh -> Dense 3 softmax; sparse_categorical_crossentropy, accuracy, weighted accuracy named
        "hits"
  two   x [4] -> Dense 6 tanh -> `a` Dense 3 softmax, as in flat, and `b` Dense 2, mean_squared_error, weighted
        mean_absolute_error; loss weights 0.7, 0.3
  deep  x [3, 4] -> Dense 5 tanh -> Dense 2, mean_squared_error, weighted mean_absolute_error; with other reductions too
  tags  x [3, 4] -> Dense 5 tanh -> Dense 3 softmax, sparse_categorical_crossentropy of y [3], weighted accuracy
Arrays: MODEL_x, MODEL_y (or two_y_a, two_y_b), 53 samples, the last 20 of them for validation where there is one;
MODEL_before_00, ... the first weights; weights [53] and step_weights [53, 3]. For each case
  CASE|after_00, ...   the weights after training
  CASE|epoch_KEY       the history: as many numbers as Keras has
  CASE|log_KEY         the reports of successive calls
  CASE|predicted       the result of predict
Samples are not shuffled.
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np

layers = keras.layers
ROWS, VALID = 53, 20
arrays = {}


def flat():
    return keras.Sequential([keras.Input((4,)), layers.Dense(6, activation="tanh"),
                             layers.Dense(3, activation="softmax")])


def two():
    x = keras.Input((4,))
    h = layers.Dense(6, activation="tanh")(x)
    return keras.Model(x, [layers.Dense(3, activation="softmax", name="a")(h), layers.Dense(2, name="b")(h)])


def deep():
    return keras.Sequential([keras.Input((3, 4)), layers.Dense(5, activation="tanh"), layers.Dense(2)])


def tags():
    return keras.Sequential([keras.Input((3, 4)), layers.Dense(5, activation="tanh"),
                             layers.Dense(3, activation="softmax")])


def ready(build, reduction="sum_over_batch_size"):
    """The model with its initial weights, which are made once."""
    name = build.__name__
    model = build()
    if f"{name}_before_00" not in arrays:
        arrays.update({f"{name}_before_{i:02}": np.array(w) for i, w in enumerate(model.get_weights())})
    model.set_weights([arrays[f"{name}_before_{i:02}"] for i in range(len(model.get_weights()))])
    hits = [keras.metrics.SparseCategoricalAccuracy(name="hits")]
    mse = keras.losses.MeanSquaredError(reduction=reduction)
    ce = keras.losses.SparseCategoricalCrossentropy(reduction=reduction)
    how = {
        "flat": {"loss": ce, "metrics": ["accuracy"], "weighted_metrics": hits},
        "two": {"loss": {"a": ce, "b": mse}, "loss_weights": {"a": 0.7, "b": 0.3},
                "weighted_metrics": {"a": hits, "b": ["mean_absolute_error"]}},
        "deep": {"loss": mse, "weighted_metrics": ["mean_absolute_error"]},
        "tags": {"loss": ce, "weighted_metrics": hits},
    }[name]
    model.compile(optimizer=keras.optimizers.SGD(0.1), **how)
    return model


def keep(case, model, history=None, logs=(), predicted=None):
    arrays.update({f"{case}|after_{i:02}": np.array(w) for i, w in enumerate(model.get_weights())})
    if history is not None:
        arrays.update({f"{case}|epoch_{key}": np.array(values) for key, values in history.history.items()})
    for key in logs[0] if logs else ():
        arrays[f"{case}|log_{key}"] = np.array([float(log[key]) for log in logs])
    if predicted is not None:
        arrays[f"{case}|predicted"] = np.array(predicted)


def data(rng):
    labels = rng.integers(0, 3, ROWS).astype(np.int32)
    arrays["flat_x"] = arrays["two_x"] = (rng.normal(size=(3, 4))[labels] +
                                          rng.normal(size=(ROWS, 4))).astype(np.float32)
    arrays["flat_y"] = arrays["two_y_a"] = labels
    arrays["two_y_b"] = rng.normal(size=(ROWS, 2)).astype(np.float32)
    steps = rng.integers(0, 3, (ROWS, 3)).astype(np.int32)
    arrays["deep_x"] = arrays["tags_x"] = (rng.normal(size=(3, 4))[steps] +
                                           rng.normal(size=(ROWS, 3, 4))).astype(np.float32)
    arrays["deep_y"] = rng.normal(size=(ROWS, 3, 2)).astype(np.float32)
    arrays["tags_y"] = steps
    arrays["weights"] = rng.uniform(0.2, 2, ROWS).astype(np.float32)
    arrays["step_weights"] = rng.uniform(0.2, 2, (ROWS, 3)).astype(np.float32)


def loops():
    x, y, w = arrays["flat_x"], arrays["flat_y"], arrays["weights"]
    held = (x[-VALID:], y[-VALID:], w[-VALID:])
    common = {"shuffle": False, "verbose": 0}
    fits = {
        # Seven steps to a pass: epochs of 3, 3 and 1.
        "steps": {"epochs": 5, "batch_size": 8, "steps_per_epoch": 3, "validation_data": held, "validation_steps": 2,
                  "validation_batch_size": 6, "validation_freq": 2},
        "only_steps": {"epochs": 4, "steps_per_epoch": 4, "validation_data": held, "validation_steps": 3,
                       "validation_freq": [1, 3]},
        "more_steps": {"epochs": 2, "batch_size": 20, "steps_per_epoch": 9, "sample_weight": w},
        "initial": {"epochs": 5, "initial_epoch": 2, "batch_size": 16, "validation_data": held[:2],
                    "validation_batch_size": 7},
        "nothing": {"epochs": 2, "initial_epoch": 2},
        "classes": {"epochs": 2, "batch_size": 16, "class_weight": {0: 0.5, 2: 3.0}, "validation_split": 0.3},
    }
    for case, how in fits.items():
        model = ready(flat)
        keep(case, model, model.fit(x, y, **how, **common))

    model, logs = ready(flat), []
    evaluate = lambda **how: model.evaluate(x, y, verbose=0, return_dict=True, **how)
    for how in ({}, {"batch_size": 8, "steps": 2}, {"steps": 5}, {"steps": 2, "sample_weight": w}):
        logs.append(evaluate(**how))
    logs.append(dict(model.get_metrics_result()))
    model.reset_metrics()
    logs.append(dict(model.get_metrics_result()))
    keep("evaluations", model, logs=logs, predicted=model.predict(x, steps=2, batch_size=8, verbose=0))
    keep("predicted_steps", model, predicted=model.predict(x, steps=3, verbose=0)[-1:])


def batches():
    x, y, w = arrays["flat_x"], arrays["flat_y"], arrays["weights"]
    model, logs = ready(flat), []
    calls = [(slice(0, 5), {}), (slice(5, 21), {"sample_weight": w[5:21]}), (slice(21, 24), {}),
             (slice(24, 53), {"class_weight": {1: 4.0}})]
    for rows, how in calls:
        logs.append(model.train_on_batch(x[rows], y[rows], return_dict=True, **how))
        logs.append(model.test_on_batch(x[rows], y[rows], return_dict=True))
    logs.append(model.test_on_batch(x, y, sample_weight=w, return_dict=True))
    keep("batches", model, logs=logs, predicted=model.predict_on_batch(x))


def outputs():
    x, y = arrays["two_x"], [arrays["two_y_a"], arrays["two_y_b"]]
    w, other = arrays["weights"], arrays["step_weights"][:, 0].copy()
    # (By name it fails in Keras 3.15.1 unless the model's outputs are a dict themselves.)
    for case, weights in {"in_order": [w, other], "for_all": w}.items():
        model = ready(two)
        history = model.fit(x, y, sample_weight=weights, batch_size=16, epochs=3, shuffle=False, verbose=0,
                            validation_data=(x, y, weights))
        keep(case, model, history, logs=[model.evaluate(x, y, sample_weight=weights, batch_size=9, verbose=0,
                                                        return_dict=True)])


def steps():
    for build in (deep, tags):
        name = build.__name__
        x, y = arrays[f"{name}_x"], arrays[f"{name}_y"]
        for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight"):
            model = ready(build, reduction)
            model.optimizer.learning_rate = 0.01
            w = arrays["step_weights"]
            history = model.fit(x, y, sample_weight=w, batch_size=16, epochs=2, shuffle=False, verbose=0,
                                validation_data=(x, y, w))
            keep(f"{name}_{reduction}", model, history,
                 logs=[model.evaluate(x, y, sample_weight=w, batch_size=9, verbose=0, return_dict=True)])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    keras.utils.set_random_seed(31)
    data(np.random.default_rng(31))
    loops()
    batches()
    outputs()
    steps()
    assert all(np.all(np.isfinite(a)) for a in arrays.values())
    np.savez_compressed(sys.argv[1], **arrays)
    print(f"{sys.argv[1]}: {len(arrays)} arrays, {os.path.getsize(sys.argv[1])} bytes")


if __name__ == "__main__":
    main()
