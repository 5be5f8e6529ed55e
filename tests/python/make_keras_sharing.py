#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains models that share layers with the real Keras, and keeps what comes out.

    KERAS_BACKEND=jax make_keras_sharing.py FOLDER

Arrays NAME.npz of
  autoencoder   encoder (Dense 3 tanh) and decoder (Dense 6), each a Sequential, trained as one model; then what each
                predicts alone; then the decoder is trained alone, and what the autoencoder predicts
  extractor     Dense 5 relu -> Dense 1, and a second model from the same input to the inner value; the first is trained,
                then a third one from the inner value with another head
  towers        two models A and B that begin with the same Dense, added up in a third one, trained with momentum
  gan           generator and discriminator; in turn, the discriminator is trained and, switched to trainable = False, both
                as one model, with Adam
Of each: x..., y..., the first weights before_<model>_00, ..., those in the end after_<model>_00, ..., predictions
said_<what>, losses loss_<what>. No shuffling.
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np

layers = keras.layers


def weights(stage, **models):
    return {f"{stage}_{name}_{i:02}": np.array(w) for name, m in models.items() for i, w in enumerate(m.get_weights())}


def autoencoder(rng):
    x = rng.normal(size=(40, 6)).astype(np.float32)
    encoder = keras.Sequential([keras.Input((6,)), layers.Dense(3, activation="tanh")], name="encoder")
    decoder = keras.Sequential([keras.Input((3,)), layers.Dense(6)], name="decoder")
    both = keras.Sequential([encoder, decoder])
    arrays = {"x": x} | weights("before", encoder=encoder, decoder=decoder)
    both.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mean_squared_error")
    arrays["loss_both"] = np.array(both.fit(x, x, batch_size=16, epochs=3, shuffle=False, verbose=0).history["loss"])
    codes = encoder.predict(x, verbose=0)
    arrays |= {"said_codes": codes, "said_decoded": decoder.predict(codes, verbose=0)}
    decoder.compile(keras.optimizers.SGD(0.1), "mean_squared_error")
    arrays["loss_decoder"] = np.array(
        decoder.fit(codes, x, batch_size=16, epochs=2, shuffle=False, verbose=0).history["loss"])
    arrays["said_both"] = both.predict(x, verbose=0)
    return arrays | weights("after", encoder=encoder, decoder=decoder)


def extractor(rng):
    x = rng.normal(size=(40, 4)).astype(np.float32)
    y = np.sin(x[:, :1] + x[:, 1:2]).astype(np.float32)
    z = np.cos(x[:, :2]).astype(np.float32)
    inputs = keras.Input((4,))
    inner = layers.Dense(5, activation="relu", name="inner")(inputs)
    first = keras.Model(inputs, layers.Dense(1, name="one")(inner))
    features = keras.Model(inputs, inner)
    second = keras.Model(inputs, layers.Dense(2, name="two")(inner))
    arrays = {"x": x, "y": y, "z": z} | weights("before", first=first, second=second)
    first.compile(keras.optimizers.Adam(0.01), "mean_squared_error")
    second.compile(keras.optimizers.Adam(0.01), "mean_squared_error")
    fit = dict(batch_size=16, epochs=2, shuffle=False, verbose=0)
    arrays["loss_first"] = np.array(first.fit(x, y, **fit).history["loss"])
    arrays["said_features"] = features.predict(x, verbose=0)
    arrays["loss_second"] = np.array(second.fit(x, z, **fit).history["loss"])
    arrays["said_first"] = first.predict(x, verbose=0)
    arrays["loss_first_again"] = np.array(first.fit(x, y, **fit).history["loss"])
    return arrays | weights("after", first=first, second=second)


def towers(rng):
    x1, x2 = (rng.normal(size=(40, 4)).astype(np.float32) for _ in range(2))
    y = (x1[:, :2] * x2[:, :2]).astype(np.float32)
    shared = layers.Dense(3, activation="tanh", name="shared", kernel_regularizer="l2")
    a, b = keras.Input((4,)), keras.Input((4,))
    A = keras.Model(a, layers.Dense(2, name="last_a")(shared(a)), name="A")
    B = keras.Model(b, layers.Dense(2, name="last_b")(shared(b)), name="B")
    i1, i2 = keras.Input((4,)), keras.Input((4,))
    both = keras.Model([i1, i2], layers.Add()([A(i1), B(i2)]))
    arrays = {"x1": x1, "x2": x2, "y": y} | weights("before", A=A, B=B)
    both.compile(keras.optimizers.SGD(0.05, momentum=0.9), "mean_squared_error")
    arrays["loss_both"] = np.array(
        both.fit([x1, x2], y, batch_size=16, epochs=3, shuffle=False, verbose=0).history["loss"])
    arrays |= {"said_a": A.predict(x1, verbose=0), "said_b": B.predict(x2, verbose=0)}
    arrays["params"] = np.array(both.count_params())
    return arrays | weights("after", A=A, B=B, both=both)


def gan(rng):
    x = rng.normal(size=(16, 4)).astype(np.float32)
    z = rng.normal(size=(16, 2)).astype(np.float32)
    real, fake = np.ones((16, 1), np.float32), np.zeros((16, 1), np.float32)
    generator = keras.Sequential([keras.Input((2,)), layers.Dense(4, activation="tanh")], name="generator")
    discriminator = keras.Sequential(
        [keras.Input((4,)), layers.Dense(5, activation="relu"), layers.Dense(1, activation="sigmoid")],
        name="discriminator")
    both = keras.Sequential([generator, discriminator])
    arrays = {"x": x, "z": z} | weights("before", generator=generator, discriminator=discriminator)
    discriminator.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    both.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
    losses = []
    for _ in range(6):
        made = generator.predict(z, verbose=0)
        discriminator.trainable = True
        losses.append(float(discriminator.train_on_batch(x, real)))
        losses.append(float(discriminator.train_on_batch(made, fake)))
        discriminator.trainable = False
        losses.append(float(both.train_on_batch(z, real)))
    arrays["loss_steps"] = np.array(losses)
    arrays["said_made"] = generator.predict(z, verbose=0)
    return arrays | weights("after", generator=generator, discriminator=discriminator)


if __name__ == "__main__":
    os.makedirs(sys.argv[1], exist_ok=True)
    for make in (autoencoder, extractor, towers, gan):
        keras.utils.set_random_seed(7)
        np.savez_compressed(os.path.join(sys.argv[1], make.__name__ + ".npz"), **make(np.random.default_rng(7)))
