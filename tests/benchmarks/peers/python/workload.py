# SPDX-License-Identifier: Apache-2.0
"""Shared by the Python peers: arguments, data, initial weights, and the answer. tests/benchmarks/workload.h and
numbers.h do the same in C++."""

import argparse
import gzip
import json
import os
import sys

import numpy as np

L2 = 1e-4  # Of the squares of all kernels' elements, in the loss.
WIDTHS = {"mlp": [784, 300, 100, 10], "tiny": [8, 30, 30, 1], "wide_and_deep": [8, 30, 30, 1],
          "two_outputs": [6, 30, 30, 1]}
# The width of the input beside the deep layers of functional models, concatenated with their output; see functional.h.
BESIDE = {"wide_and_deep": 8, "two_outputs": 5}
MAIN_WEIGHT, AUX_WEIGHT = 0.9, 0.1  # Weights of the losses of two_outputs.


def options(doc):
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=WIDTHS, default="mlp")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--optimizer", default="sgd")
    parser.add_argument("--activation", default="relu", help="between layers")
    parser.add_argument("--extra", default="none", help="layer after each activation: dropout (0.2), batch_norm; or l2")
    parser.add_argument("--widths", help="widths of an unnamed regression model, as in 8,30,30,1")
    parser.add_argument("--rows", type=int, default=20640, help="rows of its data")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=3, help="timed epochs; another one runs before them")
    parser.add_argument("--seconds", type=float, default=0.1, help="time over which short calls are repeated")
    parser.add_argument("--loop", choices=["scan", "step"], default="scan", help="loop of JAX")
    parsed = parser.parse_args()
    parsed.widths_given = bool(parsed.widths)
    parsed.widths = list(map(int, parsed.widths.split(","))) if parsed.widths else WIDTHS[parsed.model]
    parsed.functional = parsed.model in BESIDE and not parsed.widths_given
    parsed.classifies = parsed.widths == WIDTHS["mlp"]  # Else: mean squared error.
    return parsed


def choose(peer, what, name, choices):
    """Returns one of the choices. Ends a peer that lacks it, so that `run` prints the reason."""
    if name not in choices:
        sys.exit(f"{peer} lacks the {what} {name}")
    return choices[name]


def data(options):
    """The data x and y of an epoch."""
    if options.model == "two_outputs" and options.functional:
        return (spread((options.rows, 5), 0, 1), spread((options.rows, 6), 1, 1)), spread((options.rows, 1), 2, 1)
    if not options.classifies:
        return spread((options.rows, options.widths[0]), 0, 1), spread((options.rows, options.widths[-1]), 1, 1)
    x, y = pictures()
    return x.reshape(len(x), -1), y


def pictures():
    """The last 55,000 of Fashion-MNIST's training images, f32 in [0, 1]; noise of that shape if it is missing."""
    debians = "/usr/share/datasets/fashion-mnist"
    folder = os.environ.get("FUSEBOX_DATA_DIR") or debians
    # As in the data set: a folder with only other data sets is ignored.
    if os.path.isdir(folder) and not os.path.exists(f"{folder}/train-images-idx3-ubyte.gz"):
        folder = debians
    try:
        with gzip.open(f"{folder}/train-images-idx3-ubyte.gz") as file:
            x = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
        with gzip.open(f"{folder}/train-labels-idx1-ubyte.gz") as file:
            y = np.frombuffer(file.read(), np.uint8, offset=8)
        return x[5000:].astype(np.float32) / 255, y[5000:].astype(np.int32)
    except OSError:
        rng = np.random.default_rng(1)
        return rng.random((55000, 28, 28), dtype=np.float32), rng.integers(0, 10, 55000).astype(np.int32)


def glorot_uniform(widths):
    """The initial weights of a model: a list of kernel [in, units] and bias [units]."""
    rng = np.random.default_rng(42)
    weights = []
    for fan_in, units in zip(widths, widths[1:]):
        limit = np.sqrt(6 / (fan_in + units))
        weights.append((rng.uniform(-limit, limit, (fan_in, units)).astype(np.float32), np.zeros(units, np.float32)))
    return weights


def functional_weights(options):
    """Weights of the two deep layers; then of the output of beside and deep, and of two_outputs' second output."""
    hidden = options.widths[-2]
    weights = glorot_uniform(options.widths[:-1]) + glorot_uniform([BESIDE[options.model] + hidden, 1])
    return weights + (glorot_uniform([hidden, 1]) if options.model == "two_outputs" else [])


def spread(shape, salt, scale):
    """As Spread of numbers.h."""
    mask = 0xFFFFFFFF
    index = np.arange(np.prod(shape), dtype=np.uint64) + np.uint64(salt * 0x9E3779B9 & mask)
    value = (index & mask) * 0x9E3779B1 & mask
    value = (value ^ (value >> 16)) * 0x85EBCA6B & mask
    return (((value >> 8).astype(np.float32) / np.float32(1 << 23) - 1) * np.float32(scale)).reshape(shape)


def spread_weights(model):
    """The weights of a model for inference, as SpreadLayer of numbers.h."""
    widths = WIDTHS[model]
    return [(spread((fan_in, units), 2 * layer + 2, np.sqrt(np.float32(6 / (fan_in + units)))),
             spread(units, 2 * layer + 3, 0.1)) for layer, (fan_in, units) in enumerate(zip(widths, widths[1:]))]


def digest(values):
    """As Digest of numbers.h."""
    values = np.abs(values.ravel().astype(np.float64))
    return float(np.mean(values * (1 + np.arange(values.size) % 7)))


def answer(seconds, check, version):
    """Prints the result for `run`. Peers should agree on `check`: the first epoch's loss, or an output's digest."""
    print(json.dumps({"seconds": seconds, "check": check, "version": version}))
