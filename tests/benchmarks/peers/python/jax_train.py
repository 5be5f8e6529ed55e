#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seconds per epoch of jitted JAX: the whole epoch in one lax.scan, or one call per batch (--loop step).

Does the same work as fusebox: gathers rows in a shuffled order, and sums loss and accuracy. The last batch may be
smaller; the step is compiled once more for it. Weights are donated. NumPy's permutation is part of the time.
"""

import functools
import time

import workload

options = workload.options(__doc__)

import jax
import jax.numpy as jnp
import numpy as np
import optax

optimizer = workload.choose("jax_train.py", "optimizer", options.optimizer, {
    "sgd": optax.sgd(0.01),
    "momentum": optax.sgd(0.01, momentum=0.9),
    "nesterov": optax.sgd(0.01, momentum=0.9, nesterov=True),
    "adam": optax.adam(0.001, eps=1e-7),
    "rmsprop": optax.rmsprop(0.001, decay=0.9, eps=1e-7),
    "adamw": optax.adamw(0.001, eps=1e-7, weight_decay=0.004),
})
activation = workload.choose("jax_train.py", "activation", options.activation, {
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "gelu": functools.partial(jax.nn.gelu, approximate=False),
    "softplus": jax.nn.softplus,
})


def functional_loss(weights, x, y):
    wide, deep = x if options.model == "two_outputs" else (x, x)
    h = deep
    for w, b in weights[:2]:
        h = activation(h @ w + b)
    errors = [jnp.mean(jnp.square(inputs @ w + b - y))
              for (w, b), inputs in zip(weights[2:], [jnp.concatenate([wide, h], axis=1), h])]
    if len(errors) == 1:
        return errors[0], jnp.stack(errors)
    return workload.MAIN_WEIGHT * errors[0] + workload.AUX_WEIGHT * errors[1], jnp.stack(errors)


# The layer after each activation. Returns the transformed x and the state that it keeps between steps: moving averages,
# or the key of its random numbers. `weights` are its own.
def dropout(x, weights, key):
    key, mine = jax.random.split(key)
    return x * jax.random.bernoulli(mine, 0.8, x.shape) / 0.8, key


def batch_norm(x, weights, averages):
    scale, offset = weights
    mean, variance = jnp.mean(x, axis=0), jnp.var(x, axis=0)
    averages = [0.99 * average + 0.01 * now for average, now in zip(averages, (mean, variance))]
    return (x - mean) * (scale * jax.lax.rsqrt(variance + 1e-3)) + offset, averages


def none(x, weights, kept):
    return x, kept


extra = workload.choose("jax_train.py", "layer", options.extra,
                        {"none": none, "l2": none, "dropout": dropout, "batch_norm": batch_norm})


def loss_and_rest(weights, kept, x, y):
    """The loss; the number of correct predictions and the state of the extra layers."""
    if options.functional:
        loss, errors = functional_loss(weights, x, y)
        return loss, (errors, kept)
    still_kept = []
    for (w, b, *own), k in zip(weights[:-1], kept):
        x, k = extra(activation(x @ w + b), own, k)
        still_kept.append(k)
    w, b = weights[-1]
    x = x @ w + b
    if not options.classifies:
        return jnp.mean(jnp.square(x - y)), (0, still_kept)
    log_p = jax.nn.log_softmax(x)
    loss = -jnp.mean(jnp.take_along_axis(log_p, y[:, None], axis=1))
    if options.extra == "l2":
        loss += sum(workload.L2 * jnp.sum(jnp.square(w)) for w, *_ in weights)
    return loss, (jnp.sum(jnp.argmax(x, axis=1) == y), still_kept)


def step(state, rows, x, y):
    weights, kept, memory, loss_sum, hits = state
    batch = jax.tree.map(lambda array: array[rows], x)
    (loss, (more_hits, kept)), gradients = jax.value_and_grad(loss_and_rest, has_aux=True)(weights, kept, batch, y[rows])
    if options.functional:
        more_hits *= len(rows)  # The loss of each output, in place of hits.
    updates, memory = optimizer.update(gradients, memory, weights)
    return optax.apply_updates(weights, updates), kept, memory, loss_sum + loss * len(rows), hits + more_hits


@functools.partial(jax.jit, donate_argnums=0)
def scan_epoch(state, order, x, y):
    whole = len(order) // options.batch * options.batch
    batches = order[:whole].reshape(-1, options.batch)
    state, _ = jax.lax.scan(lambda s, rows: (step(s, rows, x, y), None), state, batches)
    return step(state, order[whole:], x, y) if whole < len(order) else state


jitted_step = jax.jit(step, donate_argnums=0)


def step_epoch(state, order, x, y):
    for begin in range(0, len(order), options.batch):
        state = jitted_step(state, order[begin:begin + options.batch], x, y)
    return state


epoch = scan_epoch if options.loop == "scan" else step_epoch
x, y = jax.tree.map(jnp.asarray, workload.data(options))
weights = jax.tree.map(jnp.asarray, workload.functional_weights(options) if options.functional
                       else workload.glorot_uniform(options.widths))
no_hits = np.zeros(len(weights) - 2, np.float32) if options.functional else np.int32(0)
kept = [None] * (len(weights) - 1)
if options.extra == "dropout":
    kept = [jax.random.key(layer) for layer in range(len(kept))]
if options.extra == "batch_norm":
    kept = [[jnp.zeros_like(b), jnp.ones_like(b)] for w, b in weights[:-1]]
    weights[:-1] = [(w, b, jnp.ones_like(b), jnp.zeros_like(b)) for w, b in weights[:-1]]
memory = optimizer.init(weights)
rng = np.random.default_rng(42)
seconds, losses = [], []
for _ in range(options.epochs + 1):
    start = time.perf_counter()
    order = rng.permutation(len(y)).astype(np.int32)
    state = (weights, kept, memory, jnp.float32(0), jnp.asarray(no_hits))
    weights, kept, memory, loss_sum, hits = epoch(state, order, x, y)
    loss, accuracy = float(loss_sum) / len(y), np.asarray(hits) / len(y)  # Waits.
    seconds.append(time.perf_counter() - start)
    losses.append(loss)
workload.answer(seconds[1:], losses[0], f"JAX {jax.__version__}")
