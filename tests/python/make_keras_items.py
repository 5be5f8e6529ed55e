#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Computes activations and layers with the real Keras, for tests that compare ours with them.

    KERAS_BACKEND=jax make_keras_items.py FOLDER

FOLDER/activations.npz    x, float32 [40, 6]: ordinary numbers, corners of the functions, large and small ones;
                          r, float32 [40, 6]; and for each activation, under the text that names it for us,
                          "gelu:approximate=true"             y, float32
                          "gradient gelu:approximate=true"    of sum(y r[:, :columns of y]) by x, where there is one
FOLDER/layers.npz         for each layer, under the text that names it for us,
                          "layer_normalization x"             the input; "add x1" the second one
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

# Ids; numbers at boundaries; masked steps.
IDS = np.array([[0, 5, 2, 2], [1, 0, 0, 4], [3, 3, 3, 3], [5, 4, 1, 0], [2, 0, 5, 1]], np.int32)
EDGES = np.array([[-0.5, 0, 0.7], [-0.6, 0.69, 0.71], [-1e30, 1e30, np.inf], [-np.inf, np.nan, -0.0]], np.float32)
STEPS = np.array([[[0.25, 0.25], [1, 0.25], [0, 0]], [[3, 4], [0.25, 0.25], [0.25, 5]]], np.float32)

# The text that names a layer for us, the layer, and the shape of x or x itself.
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
    ("embedding:input_dim=7,output_dim=3", K.Embedding(7, 3), IDS),
    ("embedding:input_dim=6,mask_zero=true,output_dim=2", K.Embedding(6, 2, mask_zero=True), IDS.astype(np.float32)),
    ("category_encoding:num_tokens=6", K.CategoryEncoding(6), IDS),
    ("category_encoding:num_tokens=6,output_mode=count", K.CategoryEncoding(6, "count"), IDS),
    ("category_encoding:num_tokens=5,output_mode=count", K.CategoryEncoding(5, "count"), IDS, (5, 4)),
    ("category_encoding:num_tokens=6,output_mode=one_hot", K.CategoryEncoding(6, "one_hot"), IDS),
    ("category_encoding:num_tokens=4,output_mode=one_hot", K.CategoryEncoding(4, "one_hot"), IDS[:, :1]),
    ("discretization:bin_boundaries=[-0.5;0;0.7]", K.Discretization([-0.5, 0.0, 0.7]), EDGES),
    ("discretization:bin_boundaries=[0;0;0.7],output_mode=one_hot",
     K.Discretization([0.0, 0.0, 0.7], output_mode="one_hot"), EDGES),
    ("discretization:bin_boundaries=[-0.5;0.7],output_mode=count",
     K.Discretization([-0.5, 0.7], output_mode="count"), (5, 3, 4)),
    ("discretization:bin_boundaries=[-0.5;0.7],output_mode=multi_hot",
     K.Discretization([-0.5, 0.7], output_mode="multi_hot"), (5, 4)),
    ("normalization", K.Normalization(), (5, 4)),
    ("normalization:axis=[1;2]", K.Normalization(axis=[1, 2]), (5, 3, 4)),
    ("normalization:axis=1,invert=true", K.Normalization(axis=1, invert=True), (5, 3, 4)),
    ("normalization:axis=[]", K.Normalization(axis=None), (5, 3, 4)),
    ("normalization:mean=[0.5],variance=[2]", K.Normalization(mean=0.5, variance=2.0), (5, 3, 4)),
    ("normalization:axis=[1;2],mean=[0;1;2;3],variance=[0;1;2;4]",
     K.Normalization(axis=[1, 2], mean=[0.0, 1.0, 2.0, 3.0], variance=[0.0, 1.0, 2.0, 4.0]), (5, 3, 4)),
    ("activity_regularization:l1=0.1,l2=0.2", K.ActivityRegularization(0.1, 0.2), (5, 4)),
    ("masking:mask_value=0.25", K.Masking(0.25), STEPS),
    ("time_distributed:layer='dense:activation=tanh,units=2'", K.TimeDistributed(K.Dense(2, activation="tanh")),
     (5, 3, 4)),
    ("time_distributed:layer='time_distributed:layer=''layer_normalization:axis=1'''",
     K.TimeDistributed(K.TimeDistributed(K.LayerNormalization(axis=1))), (5, 2, 3, 4)),
]


def named(words):
    """The function of Keras, with the arguments of the text."""
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
        inputs = [shape if isinstance(shape, np.ndarray) else
                  rng.normal(size=shape).astype(np.float32) + np.float32(0.3) for shape in shapes]
        shapes = [value.shape for value in inputs]
        x = inputs[0] if len(inputs) == 1 else inputs
        layer.build(shapes[0] if len(shapes) == 1 else shapes)
        # The last weight of a batch normalization is a variance.
        layer.set_weights([(0.2 + rng.random(w.shape)).astype(w.dtype) for w in layer.weights])
        if isinstance(layer, K.Normalization):
            layer.finalize_state()
        call = layer
        if isinstance(layer, K.CategoryEncoding) and len(inputs) == 2:
            call = lambda x, training: layer(x[0], count_weights=x[1])
        for i, value in enumerate(inputs):
            arrays[f"{words} x{i or ''}"] = value
        for i, w in enumerate(layer.get_weights()):
            arrays[f"{words} weight {i}"] = w
        arrays[f"{words} y"] = np.array(call(x, training=False))
        if isinstance(layer, K.BatchNormalization):
            arrays[f"{words} training"] = np.array(layer(x, training=True))
            for i, w in enumerate(layer.get_weights()):
                arrays[f"{words} after {i}"] = w
    assert all(a.dtype in (np.float32, np.int32) for a in arrays.values())
    assert all(np.all(np.isfinite(a)) for a in arrays.values() if a is not EDGES)
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
