#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lets the real Keras compute its activations and layers, for tests that compare ours with them.

    KERAS_BACKEND=jax make_keras_items.py FOLDER

FOLDER/activations.npz    x, float32 [40, 6]: ordinary numbers, corners of the functions, large and small ones;
                          r, float32 [40, 6]; and for each activation, under the words that name it for us,
                          "gelu:approximate=true"             y, float32
                          "gradient gelu:approximate=true"    of sum(y r[:, :columns of y]) by x, where there is one
FOLDER/layers.npz         for each layer, under the words that name it for us,
                          "layer_normalization x"             float32, the input; "add x1" the second one
                          "layer_normalization weight 0" ...  random, in Keras's order
                          "layer_normalization y"             predict(x)
                          and for those that differ in training
                          "batch_normalization training"      layer(x, training=True)
                          "batch_normalization after 0" ...   the weights after that
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import keras
import numpy as np

ACTIVATIONS = [
    "relu", "relu:negative_slope=0.1", "relu:max_value=2.5", "relu:threshold=0.7",
    "relu:negative_slope=0.1,max_value=2,threshold=0.5", "leaky_relu", "leaky_relu:negative_slope=0.03", "relu6",
    "softmax", "log_softmax", "elu", "elu:alpha=0.4", "selu", "celu", "celu:alpha=2", "softplus", "softsign", "silu",
    "swish", "gelu", "gelu:approximate=true", "glu", "tanh", "tanh_shrink", "hard_tanh", "sigmoid", "hard_sigmoid",
    "log_sigmoid", "hard_silu", "hard_swish", "exponential", "linear", "mish", "soft_shrink",
    "soft_shrink:threshold=1.1", "hard_shrink", "hard_shrink:threshold=1.1", "threshold:threshold=0.3,default_value=-2",
    "squareplus", "squareplus:b=0.5", "sparse_plus", "sparse_sigmoid",
]  # Not sparsemax: that of Keras 3.15 on JAX gives results that do not add up to 1.

# The words that name a layer for us, the layer, and the shape of x.
K = keras.layers
LAYERS = [
    ("activation:activation=gelu", K.Activation("gelu"), (7, 5)),
    ("identity", K.Identity(), (3, 2)),
    ("relu", K.ReLU(), (7, 5)),
    ("relu:max_value=1,negative_slope=0.2,threshold=0.1", K.ReLU(1.0, 0.2, 0.1), (7, 5)),
    ("leaky_relu", K.LeakyReLU(), (7, 5)),
    ("elu", K.ELU(), (7, 5)),
    ("elu:alpha=0.3", K.ELU(0.3), (7, 5)),
    ("prelu", K.PReLU(), (5, 3, 4)),
    ("prelu:shared_axes=[1]", K.PReLU(shared_axes=[1]), (5, 3, 4)),
    ("softmax", K.Softmax(), (5, 3, 4)),
    ("softmax:axis=1", K.Softmax(axis=1), (5, 3, 4)),
    ("softmax:axis=[1;2]", K.Softmax(axis=(1, 2)), (5, 3, 4)),
    ("reshape:target_shape=[3;-1]", K.Reshape((3, -1)), (5, 12)),
    ("permute:dims=[3;1;2]", K.Permute((3, 1, 2)), (5, 2, 3, 4)),
    ("repeat_vector:n=3", K.RepeatVector(3), (5, 4)),
    ("dropout:rate=0.4", K.Dropout(0.4), (5, 4)),
    ("batch_normalization", K.BatchNormalization(), (9, 4)),
    ("batch_normalization:axis=1,epsilon=0.1,momentum=0.8", K.BatchNormalization(1, 0.8, 0.1), (6, 3, 4)),
    ("batch_normalization:center=false", K.BatchNormalization(center=False), (6, 3, 4)),
    ("batch_normalization:scale=false", K.BatchNormalization(scale=False), (9, 4)),
    ("layer_normalization", K.LayerNormalization(), (5, 3, 4)),
    ("layer_normalization:axis=[1;2]", K.LayerNormalization(axis=[1, 2]), (5, 3, 4)),
    ("layer_normalization:axis=1,center=false", K.LayerNormalization(axis=1, center=False), (5, 3, 4)),
    ("layer_normalization:scale=false", K.LayerNormalization(scale=False), (5, 7)),
    ("group_normalization:groups=2", K.GroupNormalization(2), (5, 3, 4)),
    ("group_normalization:axis=1,groups=3", K.GroupNormalization(3, axis=1), (5, 6, 4)),
    ("group_normalization:groups=-1", K.GroupNormalization(-1), (5, 3, 4)),
    ("rms_normalization", K.RMSNormalization(), (5, 3, 4)),
    ("rms_normalization:axis=[1;2]", K.RMSNormalization(axis=[1, 2]), (5, 3, 4)),
    ("unit_normalization", K.UnitNormalization(), (5, 3, 4)),
    ("unit_normalization:axis=1", K.UnitNormalization(axis=1), (5, 3, 4)),
    ("add", K.Add(), (5, 4), (5, 4), (5, 4)),
    ("subtract", K.Subtract(), (5, 3, 4), (5, 3, 4)),
    ("multiply", K.Multiply(), (5, 4), (5, 4), (5, 4)),
    ("average", K.Average(), (5, 4), (5, 4), (5, 4)),
    ("maximum", K.Maximum(), (5, 4), (5, 4), (5, 4)),
    ("minimum", K.Minimum(), (5, 4), (5, 4)),
    ("concatenate", K.Concatenate(), (5, 3), (5, 4), (5, 2)),
    ("concatenate:axis=1", K.Concatenate(axis=1), (5, 3, 4), (5, 2, 4)),
    ("dot:axes=1", K.Dot(1), (5, 4), (5, 4)),
    ("dot:axes=[2;1]", K.Dot((2, 1)), (5, 3, 4), (5, 4, 2)),
    ("dot:axes=-1,normalize=true", K.Dot(-1, normalize=True), (5, 3, 4), (5, 2, 4)),
]


def named(words):
    """The function of Keras, with the arguments that the words give."""
    name, _, rest = words.partition(":")
    arguments = {}
    for pair in filter(None, rest.split(",")):
        key, value = pair.split("=")
        arguments[key] = value == "true" if value in ("true", "false") else float(value)
    function = keras.activations.get(name)
    return lambda x: function(x, **arguments)


def activations(path):
    rng = np.random.default_rng(21)
    x = 3 * rng.normal(size=(40, 6))
    x[0] = [0.0, 1e-6, -1e-6, 1e-3, -1e-3, 1e-30]
    x[1] = [12.0, -12.0, 30.0, -30.0, 60.0, -60.0]
    x[2] = [2.9, 2.9, 2.9, -1.2, 2.2, -2.9]  # Ties.
    x[3:20] *= 0.2
    x = x.astype(np.float32)
    r = rng.normal(size=x.shape).astype(np.float32)
    arrays = {"x": x, "r": r}
    for words in ACTIVATIONS:
        function = named(words)
        arrays[words] = np.array(function(x))
        gradient = jax.grad(lambda x: (lambda y: (y * r[:, :y.shape[1]]).sum())(function(x)))(jax.numpy.array(x))
        arrays["gradient " + words] = np.array(gradient)
    assert all(a.dtype == np.float32 and np.all(np.isfinite(a)) for a in arrays.values())
    np.savez_compressed(path, **arrays)
    print(f"{path}: {len(ACTIVATIONS)} activations, {os.path.getsize(path)} bytes")


def layers(path):
    rng = np.random.default_rng(22)
    arrays = {}
    for words, layer, *shapes in LAYERS:
        inputs = [rng.normal(size=shape).astype(np.float32) + np.float32(0.3) for shape in shapes]
        x = inputs[0] if len(inputs) == 1 else inputs
        layer.build(shapes[0] if len(shapes) == 1 else shapes)
        # The last one of a batch normalisation is a variance.
        layer.set_weights([(0.2 + rng.random(w.shape)).astype(np.float32) for w in layer.weights])
        for i, value in enumerate(inputs):
            arrays[f"{words} x{i or ''}"] = value
        for i, w in enumerate(layer.get_weights()):
            arrays[f"{words} weight {i}"] = w
        arrays[f"{words} y"] = np.array(layer(x, training=False))
        if isinstance(layer, K.BatchNormalization):
            arrays[f"{words} training"] = np.array(layer(x, training=True))
            for i, w in enumerate(layer.get_weights()):
                arrays[f"{words} after {i}"] = w
    assert all(a.dtype == np.float32 and np.all(np.isfinite(a)) for a in arrays.values())
    np.savez_compressed(path, **arrays)
    print(f"{path}: {len(LAYERS)} layers, {os.path.getsize(path)} bytes")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    os.makedirs(sys.argv[1], exist_ok=True)
    activations(os.path.join(sys.argv[1], "activations.npz"))
    layers(os.path.join(sys.argv[1], "layers.npz"))


if __name__ == "__main__":
    main()
