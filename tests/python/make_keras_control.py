#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Computes keras.ops.scan, cond and while_loop on some arrays, and JAX's gradients through the first two.

    KERAS_BACKEND=jax make_keras_control.py FOLDER

Contents of control.npz in FOLDER:
  of a recurrent layer h = tanh(x w + h u + b) over 6 steps, forwards (rnn) and backwards (back): xs [6, 5, 3],
  h0 [5, 4], w, u, b; <name>_last, <name>_all, and <name>_d_<array> of the loss sum(all^2) + sum(last)
  of a cond on sum(xs) > 0 for xs and -xs (yes, no): <name>_y = tanh(h0 u) or 3 h0, <name>_d_h0 and <name>_d_u of
  sum(y^2)
  of a while: root_x, Newton's iterations for the square root of root_of until they change by less than 1e-6, and
  root_times
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import keras
import numpy as np

ops = keras.ops


def recurrent(arrays, reverse):
    def step(h, x):
        h = ops.tanh(ops.matmul(x, arrays["w"]) + ops.matmul(h, arrays["u"]) + arrays["b"])
        return h, h

    return ops.scan(step, arrays["h0"], arrays["xs"], reverse=reverse)


def chosen(arrays):
    return ops.cond(ops.sum(arrays["xs"]) > 0,
                    lambda: ops.tanh(ops.matmul(arrays["h0"], arrays["u"])), lambda: arrays["h0"] * 3.0)


def root(of):
    def body(x, before, times):
        return (x + of / x) / 2, x, times + 1

    x, _, times = ops.while_loop(lambda x, before, times: ops.abs(x - before) >= 1e-6, body,
                                 (of, of + 1.0, np.float32(0)), maximum_iterations=50)
    return x, times


def main(folder):
    rng = np.random.default_rng(7)
    shapes = {"xs": (6, 5, 3), "h0": (5, 4), "w": (3, 4), "u": (4, 4), "b": (4,)}
    arrays = {name: rng.normal(size=shape, scale=0.6).astype(np.float32) for name, shape in shapes.items()}
    arrays["xs"] += 0.05
    kept = dict(arrays)
    for name, reverse in (("rnn", False), ("back", True)):
        last, every = recurrent(arrays, reverse)
        kept[name + "_last"], kept[name + "_all"] = np.asarray(last), np.asarray(every)

        def loss(a):
            last, every = recurrent(a, reverse)
            return ops.sum(every * every) + ops.sum(last)

        for of, d in jax.grad(loss)(arrays).items():
            kept[f"{name}_d_{of}"] = np.asarray(d)
    for name, sign in (("yes", 1), ("no", -1)):
        signed = {**arrays, "xs": arrays["xs"] * sign}
        kept[name + "_y"] = np.asarray(chosen(signed))
        gradients = jax.grad(lambda a: ops.sum(chosen(a) ** 2))(signed)
        for of in ("h0", "u"):
            kept[f"{name}_d_{of}"] = np.asarray(gradients[of])
    x, times = root(np.float32(2))
    kept["root_of"], kept["root_x"], kept["root_times"] = np.float32(2), np.asarray(x), np.asarray(times)
    np.savez(os.path.join(folder, "control.npz"), **kept)


if __name__ == "__main__":
    main(sys.argv[1])
