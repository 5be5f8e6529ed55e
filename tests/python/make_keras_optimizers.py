#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains one small model with the real Keras in many ways: optimizers, schedules, regularizers, constraints.

    KERAS_BACKEND=jax make_keras_optimizers.py FILE.npz

x [61, 3] -> Dense 4 tanh -> Dense 2, mean_squared_error; 5 epochs of 4 steps, the last one of 13 samples, not shuffled.
FILE.npz has float32 x, y and `before`, the weights in Keras's order, one after the other; and of each case
  CASE/config      u8, JSON: the compiled model as it stands in a .keras file
  CASE/after       float32, the weights after the training, one after the other
  CASE/variables   float32, the optimizer's variables then, likewise, without the first, the iteration
  CASE/loss        float64, the loss of each epoch
  CASE/evaluated   float64, evaluate() afterwards
  CASE/y           float32, its y, where that is not the others'
and of each schedule
  schedules/NAME/config   u8, JSON
  schedules/NAME/rates    float64, the learning rates of steps 0 to 39
"""

import json
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np

O = keras.optimizers
S = keras.optimizers.schedules

# The learning rates are large enough for 20 steps to show.
OPTIMIZERS = {
    "sgd": lambda: O.SGD(0.05),
    "sgd_momentum": lambda: O.SGD(0.05, momentum=0.9),
    "sgd_nesterov": lambda: O.SGD(0.05, momentum=0.9, nesterov=True),
    "adam": lambda: O.Adam(0.01),
    "adam_defaults": lambda: O.Adam(),
    "adam_betas": lambda: O.Adam(0.02, beta_1=0.5, beta_2=0.9, epsilon=1e-3),
    "adam_amsgrad": lambda: O.Adam(0.02, beta_2=0.6, amsgrad=True),
    "adamw": lambda: O.AdamW(0.01, weight_decay=0.2),
    "adamw_defaults": lambda: O.AdamW(),
    "rmsprop": lambda: O.RMSprop(0.01),
    "rmsprop_momentum": lambda: O.RMSprop(0.01, rho=0.8, momentum=0.7, epsilon=1e-4),
    "rmsprop_centered": lambda: O.RMSprop(0.01, momentum=0.5, centered=True, epsilon=1e-3),
    "adagrad": lambda: O.Adagrad(0.1),
    "adagrad_initial": lambda: O.Adagrad(0.1, initial_accumulator_value=0.5, epsilon=1e-2),
    "adadelta": lambda: O.Adadelta(5.0),
    "adadelta_rho": lambda: O.Adadelta(1.0, rho=0.6, epsilon=1e-3),
    "adamax": lambda: O.Adamax(0.02),
    "adamax_betas": lambda: O.Adamax(0.02, beta_1=0.6, beta_2=0.8, epsilon=1e-2),
    "nadam": lambda: O.Nadam(0.01),
    "nadam_betas": lambda: O.Nadam(0.02, beta_1=0.6, beta_2=0.8, epsilon=1e-2),
    "lion": lambda: O.Lion(0.01),
    "lion_betas": lambda: O.Lion(0.01, beta_1=0.5, beta_2=0.7),
    "lamb": lambda: O.Lamb(0.02),
    "lamb_betas": lambda: O.Lamb(0.02, beta_1=0.6, beta_2=0.8, epsilon=1e-2),
    "ftrl": lambda: O.Ftrl(0.1),
    "ftrl_penalties": lambda: O.Ftrl(
        0.2, learning_rate_power=-0.3, initial_accumulator_value=0.2, l1_regularization_strength=0.05,
        l2_regularization_strength=0.1, l2_shrinkage_regularization_strength=0.1, beta=0.3),
    "adafactor": lambda: O.Adafactor(0.05),
    "adafactor_clip": lambda: O.Adafactor(0.1, beta_2_decay=-0.5, epsilon_2=0.01, clip_threshold=0.5),
    "muon": lambda: O.Muon(0.02),
    "muon_plain": lambda: O.Muon(
        0.02, nesterov=False, momentum=0.6, weight_decay=0.1, adam_weight_decay=0.2, adam_lr_ratio=0.5, ns_steps=3,
        rms_rate=0.4),
    "muon_excluded": lambda: O.Muon(0.02, exclude_layers=["no such", "sec.*/ker"]),
    "schedule_free_adamw": lambda: O.ScheduleFreeAdamW(0.02),
    "schedule_free_adamw_warmup": lambda: O.ScheduleFreeAdamW(0.02, beta_1=0.7, beta_2=0.9, warmup_steps=6),
    # Features of every optimizer.
    "weight_decay": lambda: O.SGD(0.05, momentum=0.5, weight_decay=0.1),
    "clipnorm": lambda: O.SGD(0.1, clipnorm=0.05),
    "clipvalue": lambda: O.Adam(0.02, clipvalue=0.02),
    "global_clipnorm": lambda: O.SGD(0.1, momentum=0.5, global_clipnorm=0.1),
    "use_ema": lambda: O.SGD(0.1, momentum=0.5, use_ema=True, ema_momentum=0.8),
    "ema_overwrite_frequency": lambda: O.RMSprop(0.02, use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=3),
    "loss_scale_factor": lambda: O.SGD(0.05, loss_scale_factor=1024.0),
    "gradient_accumulation": lambda: O.Adam(0.05, gradient_accumulation_steps=3, clipnorm=0.5),
    "all_together": lambda: O.Adam(
        0.05, gradient_accumulation_steps=2, use_ema=True, ema_momentum=0.6, ema_overwrite_frequency=3,
        weight_decay=0.05, global_clipnorm=0.2),
    # Scaled losses, some so large that gradients overflow in one step of each epoch: see OUTLIERS.
    "loss_scale": lambda: O.LossScaleOptimizer(O.Adam(0.02)),
    "loss_scale_grows": lambda: O.LossScaleOptimizer(
        O.SGD(0.05, momentum=0.5), initial_scale=8.0, dynamic_growth_steps=3),
    "loss_scale_overflows": lambda: O.LossScaleOptimizer(
        O.Adam(0.03, clipnorm=0.5, weight_decay=0.1), initial_scale=2.0**80, dynamic_growth_steps=2),
    "loss_scale_all": lambda: O.LossScaleOptimizer(
        O.SGD(S.ExponentialDecay(0.2, 3, 0.7), momentum=0.5, gradient_accumulation_steps=2, use_ema=True,
              ema_momentum=0.6),
        initial_scale=2.0**80, dynamic_growth_steps=3),
    # Learning rates that follow a schedule.
    "exponential_decay": lambda: O.SGD(S.ExponentialDecay(0.1, 6, 0.5), momentum=0.5),
    "exponential_staircase": lambda: O.SGD(S.ExponentialDecay(0.1, 6, 0.5, staircase=True)),
    "piecewise_constant": lambda: O.SGD(S.PiecewiseConstantDecay([3, 9], [0.1, 0.05, 0.02])),
    "polynomial_decay": lambda: O.SGD(S.PolynomialDecay(0.1, 12, end_learning_rate=0.01, power=2.0)),
    "polynomial_cycle": lambda: O.SGD(S.PolynomialDecay(0.1, 6, power=0.5, cycle=True)),
    "inverse_time_decay": lambda: O.Adam(S.InverseTimeDecay(0.05, 5, 0.7), weight_decay=0.1),
    "cosine_decay": lambda: O.SGD(S.CosineDecay(0.1, 15, alpha=0.1)),
    "cosine_warmup": lambda: O.AdamW(S.CosineDecay(0.01, 11, warmup_target=0.05, warmup_steps=5), weight_decay=0.1),
    "cosine_restarts": lambda: O.SGD(S.CosineDecayRestarts(0.1, 4, t_mul=1.5, m_mul=0.8, alpha=0.05)),
    "schedule_accumulated": lambda: O.SGD(S.ExponentialDecay(0.2, 6, 0.5), gradient_accumulation_steps=3),
}

# Cases with an outlier: its gradient, times the scale, overflows f32 in any order of multiplication, and that of all
# other samples does not. These have a y of their own.
OUTLIERS = ("loss_scale_overflows", "loss_scale_all")

SCHEDULES = {
    "exponential": S.ExponentialDecay(0.1, 7, 0.5),
    "exponential_staircase": S.ExponentialDecay(0.1, 7, 0.5, staircase=True),
    "piecewise": S.PiecewiseConstantDecay([3, 9, 20], [0.1, 0.05, 0.02, 0.01]),
    "polynomial": S.PolynomialDecay(0.1, 15),
    "polynomial_power": S.PolynomialDecay(0.1, 15, end_learning_rate=0.02, power=2.5),
    "polynomial_cycle": S.PolynomialDecay(0.1, 9, power=0.5, cycle=True),
    "inverse_time": S.InverseTimeDecay(0.1, 5, 0.7),
    "inverse_time_staircase": S.InverseTimeDecay(0.1, 5, 0.7, staircase=True),
    "cosine": S.CosineDecay(0.1, 25),
    "cosine_alpha": S.CosineDecay(0.1, 25, alpha=0.2),
    "cosine_warmup": S.CosineDecay(0.01, 20, alpha=0.1, warmup_target=0.1, warmup_steps=8),
    "restarts": S.CosineDecayRestarts(0.1, 5),
    "restarts_equal": S.CosineDecayRestarts(0.1, 8, t_mul=1.0, m_mul=0.7),
    "restarts_all": S.CosineDecayRestarts(0.1, 5, t_mul=1.3, m_mul=0.9, alpha=0.1),
}

# A model whose layers have penalties and constraints: arguments of the first and the second layer.
R, C = keras.regularizers, keras.constraints
LAYERS = {
    "l1": (dict(kernel_regularizer="l1"), dict(kernel_regularizer=R.L1(0.03))),
    "l2": (dict(kernel_regularizer="l2"), dict(kernel_regularizer=R.L2(0.1), bias_regularizer=R.L2(0.2))),
    "l1_l2": (dict(kernel_regularizer=R.L1L2(0.02, 0.05)), dict(bias_regularizer=R.L1L2(l2=0.1))),
    "orthogonal": (dict(kernel_regularizer=R.OrthogonalRegularizer(0.2)),
                   dict(kernel_regularizer=R.OrthogonalRegularizer(0.3, mode="columns"))),
    "activity": (dict(activity_regularizer=R.L2(0.1)), dict(activity_regularizer="l1", kernel_regularizer="l2")),
    "max_norm": (dict(kernel_constraint=C.MaxNorm(0.8), bias_constraint="max_norm"),
                 dict(kernel_constraint=C.MaxNorm(0.7, axis=1))),
    "min_max_norm": (dict(kernel_constraint=C.MinMaxNorm(0.5, 0.9, rate=0.6)),
                     dict(kernel_constraint=C.MinMaxNorm(axis=[0, 1]))),
    "unit_norm": (dict(kernel_constraint="unit_norm"), dict(kernel_constraint=C.UnitNorm(axis=1))),
    "non_neg": (dict(kernel_constraint="non_neg"), dict(bias_constraint=C.NonNeg())),
}


def model_of(optimizer, first=None, second=None):
    keras.utils.set_random_seed(21)
    model = keras.Sequential([
        keras.layers.Input((3,)),
        keras.layers.Dense(4, activation="tanh", name="first", **(first or {})),
        keras.layers.Dense(2, name="second", **(second or {})),
    ], name="small")
    model.compile(optimizer=optimizer, loss="mean_squared_error")
    return model


def flat(arrays):
    return np.concatenate([np.asarray(a, np.float32).ravel() for a in arrays] or [np.zeros(0, np.float32)])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    rng = np.random.default_rng(21)
    x = rng.normal(size=(61, 3)).astype(np.float32)
    y = np.stack([np.sin(x[:, 0]) + x[:, 1], x[:, 2] * x[:, 0]], axis=1).astype(np.float32)
    cases = {name: model_of(make()) for name, make in OPTIMIZERS.items()}
    cases |= {name: model_of(O.Adam(0.03), *layers) for name, layers in LAYERS.items()}
    before = [w + 0.1 * rng.normal(size=w.shape).astype(np.float32) for w in cases["sgd"].get_weights()]
    arrays = {"x": x, "y": y, "before": flat(before)}
    for name, model in cases.items():
        config = keras.saving.serialize_keras_object(model)
        model.set_weights(before)
        own = y.copy()
        if name in OUTLIERS:
            own[37, 0] = 1e18
            arrays[f"{name}/y"] = own
        history = model.fit(x, own, epochs=5, batch_size=16, shuffle=False, verbose=0).history
        arrays[f"{name}/config"] = np.frombuffer(json.dumps(config).encode(), np.uint8)
        arrays[f"{name}/after"] = flat(model.get_weights())
        arrays[f"{name}/variables"] = flat(v.numpy() for v in model.optimizer.variables[1:])
        arrays[f"{name}/loss"] = np.array(history["loss"])
        arrays[f"{name}/evaluated"] = np.array(model.evaluate(x, own, batch_size=16, verbose=0))
        moved = np.max(np.abs(arrays[f"{name}/after"] - arrays["before"]))
        print(f"{name}: loss {history['loss'][0]:.4f} -> {history['loss'][-1]:.4f}, moved {moved:.3f}")
        assert np.all(np.isfinite(arrays[f"{name}/after"])) and moved > 0
    for name, schedule in SCHEDULES.items():
        config = keras.saving.serialize_keras_object(schedule)
        arrays[f"schedules/{name}/config"] = np.frombuffer(json.dumps(config).encode(), np.uint8)
        arrays[f"schedules/{name}/rates"] = np.array([float(schedule(step)) for step in range(40)])
    np.savez_compressed(sys.argv[1], **arrays)
    print(f"{os.path.getsize(sys.argv[1])} bytes")


if __name__ == "__main__":
    main()
