#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seconds an epoch of jitted JAX, the whole epoch in one lax.scan: jax_scan.py [--epochs 3] [--batch 32]

The same work as fusebox's: the rows are gathered in a shuffled order, loss and accuracy are summed up, and the last batch
is a smaller one, for which the step is compiled once more. Weights are donated. The permutation is NumPy's and is timed.
Prints one JSON line, as keras_epoch.py does.
"""

import functools
import json
import time

import workload

options = workload.options(__doc__)

import jax
import jax.numpy as jnp
import numpy as np


def loss_and_hits(weights, x, y):
    for w, b in weights[:-1]:
        x = jax.nn.relu(x @ w + b)
    w, b = weights[-1]
    logits = x @ w + b
    log_p = jax.nn.log_softmax(logits)
    loss = -jnp.mean(jnp.take_along_axis(log_p, y[:, None], axis=1))
    return loss, jnp.sum(jnp.argmax(logits, axis=1) == y)


def step(state, rows, x, y):
    weights, loss_sum, hits = state
    (loss, more_hits), gradients = jax.value_and_grad(loss_and_hits, has_aux=True)(weights, x[rows], y[rows])
    weights = jax.tree.map(lambda w, g: w - 0.01 * g, weights, gradients)
    return weights, loss_sum + loss * len(rows), hits + more_hits


@functools.partial(jax.jit, donate_argnums=0)
def epoch(weights, order, x, y):
    whole = len(order) // options.batch * options.batch
    state = weights, jnp.float32(0), jnp.int32(0)
    batches = order[:whole].reshape(-1, options.batch)
    state, _ = jax.lax.scan(lambda s, rows: (step(s, rows, x, y), None), state, batches)
    if whole < len(order):
        state = step(state, order[whole:], x, y)
    weights, loss_sum, hits = state
    return weights, loss_sum / len(order), hits / len(order)


rng = np.random.default_rng(42)
x, y = workload.pictures()
x, y = jnp.asarray(x.reshape(len(x), -1)), jnp.asarray(y)
weights = []
for fan_in, fan_out in [(784, 300), (300, 100), (100, 10)]:
    limit = np.sqrt(6 / (fan_in + fan_out))
    weights.append((jnp.asarray(rng.uniform(-limit, limit, (fan_in, fan_out)).astype(np.float32)), jnp.zeros(fan_out)))
seconds = []
for _ in range(options.epochs + 1):
    start = time.perf_counter()
    order = rng.permutation(len(x)).astype(np.int32)
    weights, loss, accuracy = epoch(weights, order, x, y)
    loss, accuracy = float(loss), float(accuracy)  # Waits.
    seconds.append(time.perf_counter() - start)
print(json.dumps({"seconds": seconds[1:], "loss": loss, "version": f"jax {jax.__version__}"}))
