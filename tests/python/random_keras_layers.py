# SPDX-License-Identifier: Apache-2.0
"""Random layers and names for random_keras_models.py: all that fusebox has, with random settings.

A Kit is one Keras (3, or 2 of TensorFlow) with a source of random choices. Shapes are those of a sample.
"""

import numpy as np

ACTIVATIONS = ["relu", "softmax", "elu", "selu", "softplus", "softsign", "gelu", "tanh", "sigmoid", "hard_sigmoid",
               "linear", "exponential", "swish", "mish"]
ACTIVATIONS_3 = ["leaky_relu", "relu6", "log_softmax", "celu", "silu", "tanh_shrink", "hard_tanh", "log_sigmoid",
                 "hard_silu", "soft_shrink", "hard_shrink", "squareplus", "sparse_plus", "sparse_sigmoid"]
NAMES = ["plain", "With.dots", "trailing_1", "a-b", "UPPER", "x" * 40]
# Keras 3 forbids '/', TensorFlow's scopes everything else.
NAMES_3 = NAMES + ["two words", "colon:1", "größe", "名前", "comma, quote\"", "it's", "p%d", "{b}"]
NAMES_2 = NAMES + ["a/b", "a/b/c", "deep/.dot", "9first"]


class Kit:
    def __init__(self, keras, seed):
        self.keras = keras
        self.layers = keras.layers
        self.is3 = getattr(keras, "__version__", "2").startswith("3")
        self.rng = np.random.default_rng(seed)
        self.used = {}
        self.random_layers = False  # Whether a layer draws random numbers in training.
        self.masks = False
        self.notes = set()  # What the model has, for the table.

    def chance(self, share):
        return self.rng.random() < share

    def pick(self, some):
        return some[int(self.rng.integers(len(some)))]

    def number(self, low, high):
        return round(float(self.rng.uniform(low, high)), 4)

    def size(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def name(self, share=0.3):
        """A name, or none: then Keras makes one."""
        if not self.chance(share):
            return None
        base = self.pick(NAMES_3 if self.is3 else NAMES_2)
        self.used[base] = self.used.get(base, 0) + 1
        return base if self.used[base] == 1 else f"{base}{self.used[base]}"

    def name_settings(self):
        name = self.name()
        return {} if name is None else {"name": name}

    # Items of a layer.

    def activation(self):
        name = self.pick(ACTIVATIONS + (ACTIVATIONS_3 if self.is3 else []))
        kind = self.size(0, 9)
        if kind == 0:
            self.notes.add("activation: function")
            return getattr(self.keras.activations, name)
        if kind == 1:
            self.notes.add("activation: layer")
            layers = self.layers
            return self.pick([lambda: layers.LeakyReLU(0.2), lambda: layers.ReLU(1.5, 0.1), lambda: layers.ELU(0.7)])()
        return name

    def initializer(self):
        i = self.keras.initializers
        return self.pick([
            lambda: "he_normal", lambda: "glorot_normal", lambda: "lecun_uniform", lambda: "HeUniform",
            lambda: i.RandomNormal(0.1, 0.3), lambda: i.RandomUniform(-0.5, 0.5, seed=3),
            lambda: i.TruncatedNormal(stddev=0.2, seed=1), lambda: i.GlorotUniform(seed=5),
            lambda: i.Orthogonal(gain=0.5),
            lambda: i.VarianceScaling(0.7, "fan_avg", "uniform"), lambda: i.LecunNormal(seed=2)])()

    def regularizer(self):
        r = self.keras.regularizers
        return self.pick([lambda: "l2", lambda: "l1", lambda: "L1L2", lambda: r.L2(0.02), lambda: r.L1(0.003),
                          lambda: r.L1L2(0.01, 0.02), lambda: r.OrthogonalRegularizer(0.01, mode="columns")])()

    def constraint(self):
        c = self.keras.constraints
        return self.pick([lambda: "max_norm", lambda: "non_neg", lambda: c.UnitNorm(axis=0), lambda: c.MaxNorm(0.8),
                          lambda: c.MinMaxNorm(0.2, 0.9, rate=0.7), lambda: c.NonNeg()])()

    def dense(self, units=None, activation=None, **more):
        settings = dict(more)
        if self.chance(0.3):
            settings["kernel_initializer"] = self.initializer()
        if self.chance(0.15):
            settings["bias_initializer"] = self.pick(["ones", "random_normal", self.keras.initializers.Constant(0.1)])
        if self.chance(0.15):
            settings["kernel_regularizer"] = self.regularizer()
        if self.chance(0.05):
            settings["bias_regularizer"] = "l2"
        if self.chance(0.05):
            settings["activity_regularizer"] = self.pick(["l2", self.keras.regularizers.L1(0.01)])
        if self.chance(0.08):
            settings["kernel_constraint"] = self.constraint()
        if self.chance(0.1):
            settings["use_bias"] = False
        settings.setdefault("name", self.name())
        layer = self.layers.Dense(units or self.size(2, 6), activation=activation or self.activation(), **settings)
        if self.chance(0.05) and units is None:
            layer.trainable = False
            self.notes.add("frozen layer")
        return layer

    def noise(self, shape):
        """A layer that is random in training; half of them by a share of 0, which is not."""
        layers = self.layers
        share = 0.0 if self.chance(0.5) else 0.3
        self.random_layers |= share > 0
        some = [lambda: layers.Dropout(share, seed=self.pick([None, 7]), **self.name_settings()),
                lambda: layers.GaussianDropout(share), lambda: layers.GaussianNoise(share),
                lambda: layers.AlphaDropout(share)]
        if len(shape) == 2:
            some += [lambda: layers.SpatialDropout1D(share),
                     lambda: layers.Dropout(share, noise_shape=(None, 1, shape[1]))]
        return self.pick(some)()

    def normalization(self, shape):
        layers = self.layers
        axis = self.pick([-1, len(shape)])
        some = [
            lambda: layers.BatchNormalization(**self.name_settings()),
            lambda: layers.BatchNormalization(axis=axis, momentum=self.number(0.5, 0.99),
                                              epsilon=self.number(1e-3, 0.1),
                                              center=self.chance(0.7), scale=self.chance(0.7)),
            lambda: layers.LayerNormalization(epsilon=self.number(1e-3, 0.1), center=self.chance(0.7),
                                              scale=self.chance(0.7), **self.name_settings()),
            lambda: layers.UnitNormalization(),
            lambda: layers.Normalization(mean=self.number(-1, 1), variance=self.number(0.5, 2)),
            lambda: layers.Normalization(mean=[self.number(-1, 1) for _ in range(shape[-1])],
                                         variance=[self.number(0.5, 2) for _ in range(shape[-1])]),
            lambda: layers.GroupNormalization(groups=self.pick([1, -1, shape[-1]])),
        ]
        if len(shape) == 2:
            some += [lambda: layers.BatchNormalization(axis=1), lambda: layers.LayerNormalization(axis=[1, 2])]
        if self.is3:
            some += [lambda: layers.RMSNormalization(epsilon=self.number(1e-3, 0.1))]
        return self.pick(some)()

    def elementwise(self, shape):
        layers = self.layers
        some = [
            lambda: layers.Activation(self.activation(), **self.name_settings()), lambda: layers.ReLU(),
            lambda: layers.ReLU(self.number(1, 3), self.number(0, 0.3)), lambda: layers.LeakyReLU(self.number(0, 0.5)),
            lambda: layers.ELU(self.number(0.2, 1.5)), lambda: layers.PReLU(alpha_initializer="ones"),
            lambda: layers.PReLU(),
            lambda: layers.Softmax(), lambda: layers.Rescaling(self.number(0.5, 2), self.number(-1, 1)),
            lambda: layers.Rescaling([self.number(0.5, 2) for _ in range(shape[-1])]),
            lambda: layers.ActivityRegularization(self.number(0, 0.1), self.number(0, 0.1)),
            lambda: layers.Activation("linear"),
        ]
        if self.is3:
            some += [lambda: layers.Identity(**self.name_settings())]
        return self.pick(some)()

    def reshaping(self, shape):
        layers = self.layers
        size = int(np.prod(shape))
        if len(shape) == 1:
            some = [lambda: layers.RepeatVector(self.size(1, 3)), lambda: layers.Reshape((1, size)),
                    lambda: layers.Reshape((-1, 1)), lambda: layers.Flatten()]
        else:
            some = [lambda: layers.Flatten(**self.name_settings()), lambda: layers.Permute((2, 1)),
                    lambda: layers.Reshape((shape[1], shape[0])), lambda: layers.Reshape((-1,)),
                    lambda: layers.TimeDistributed(self.dense(), **self.name_settings()),
                    lambda: layers.TimeDistributed(self.keras.Sequential([self.layers.Dense(3, activation="tanh")])),
                    lambda: layers.TimeDistributed(layers.Activation("tanh"))]
        return self.pick(some)()

    def layer(self, shape):
        return self.pick([lambda: self.dense(), lambda: self.dense(), lambda: self.normalization(shape),
                          lambda: self.noise(shape), lambda: self.elementwise(shape),
                          lambda: self.reshaping(shape)])()

    def merging(self):
        layers = self.layers
        return self.pick([layers.Add, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum,
                          layers.Concatenate])(**self.name_settings())

    # Operations on values.

    def operation(self, x):
        import_ops = self.operations_3 if self.is3 else self.operations_2
        self.notes.add("operation")
        return self.pick(import_ops(x))()

    def operations_3(self, x):
        ops = self.keras.ops
        return [lambda: x * 2.0, lambda: 1.0 - x, lambda: x + x, lambda: x / (ops.square(x) + 1.0), lambda: -x,
                lambda: ops.tanh(x), lambda: ops.clip(x, -1.0, 1.0), lambda: ops.relu(x),
                lambda: ops.softmax(x, axis=-1),
                lambda: ops.concatenate([x, x * 0.5], axis=-1), lambda: ops.maximum(x, 0.1),
                lambda: x - ops.mean(x, axis=-1, keepdims=True), lambda: ops.log1p(ops.abs(x)),
                lambda: ops.flip(x, axis=-1),
                lambda: x[..., :2], lambda: ops.add(x, np.ones(x.shape[-1], "float32")),
                lambda: ops.where(x > 0, x, 0.1),
                lambda: ops.sqrt(ops.square(x) + 0.1), lambda: ops.squeeze(ops.expand_dims(x, 1), axis=1)]

    def operations_2(self, x):
        import tensorflow as tf
        return [lambda: x * 2.0, lambda: 1.0 - x, lambda: x + x, lambda: x / (tf.square(x) + 1.0), lambda: -x,
                lambda: tf.tanh(x), lambda: tf.clip_by_value(x, -1.0, 1.0), lambda: tf.nn.relu(x),
                lambda: tf.nn.softmax(x, axis=-1), lambda: tf.concat([x, x * 0.5], axis=-1), lambda: tf.maximum(x, 0.1),
                lambda: x - tf.reduce_mean(x, axis=-1, keepdims=True), lambda: tf.math.log1p(tf.abs(x)),
                lambda: x[..., :2], lambda: tf.where(x > 0, x, 0.1), lambda: tf.sqrt(tf.square(x) + 0.1),
                lambda: tf.squeeze(tf.expand_dims(x, 1), axis=1)]
