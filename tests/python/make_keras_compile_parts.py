# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data/keras_compile/: files of Keras whose compile settings or layers have code of the user's own, and what
Keras computes with them.

    KERAS_BACKEND=jax python tests/python/make_keras_compile_parts.py tests/data/keras_compile

The arrays of NAME.npz are x, y, predictions of the model, and what evaluate gives where the settings can be used. The
models are small and fitted for an epoch, so that the optimizer has a state.
"""

import pathlib
import sys

import keras
import numpy as np
from keras import layers, ops


def my_loss(y_true, y_pred):
    return ops.mean(ops.abs(y_true - y_pred) ** 3, axis=-1)


def my_metric(y_true, y_pred):
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


@keras.saving.register_keras_serializable("my_losses")
class ScaledLoss(keras.losses.Loss):
    def __init__(self, scale=3.0, name="scaled_loss", **kwargs):
        super().__init__(name=name, **kwargs)
        self.scale = scale

    def call(self, y_true, y_pred):
        return self.scale * ops.mean((y_true - y_pred) ** 2, axis=-1)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


@keras.saving.register_keras_serializable("my_metrics")
class Bias(keras.metrics.Mean):
    def update_state(self, y_true, y_pred, sample_weight=None):
        return super().update_state(y_pred - y_true)


@keras.saving.register_keras_serializable("my_schedules")
class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, peak=0.1):
        self.peak = peak

    def __call__(self, step):
        return self.peak * ops.minimum(1.0, (ops.cast(step, "float32") + 1) / 10)

    def get_config(self):
        return {"peak": self.peak}


@keras.saving.register_keras_serializable("my_optimizers")
class HalfSGD(keras.optimizers.SGD):
    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient / 2, variable, learning_rate)


@keras.saving.register_keras_serializable("my_layers")
class Gate(layers.Layer):
    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel")

    def call(self, x):
        return ops.tanh(x @ self.kernel)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("my_layers")
class Twice(layers.Layer):
    def call(self, x):
        return 2 * x


def dense_model(name):
    keras.utils.set_random_seed(3)
    return keras.Sequential([keras.Input((3,), name="x"), layers.Dense(2, name="head")], name=name)


def data(outputs=2):
    random = np.random.default_rng(5)
    return random.normal(size=(16, 3)).astype("float32"), random.normal(size=(16, outputs)).astype("float32")


def save(folder, model, x, y, formats=("keras",), **arrays):
    for suffix in formats:
        model.save(folder / f"{model.name}.{suffix}")
    predicted = model.predict(x, verbose=0)
    if isinstance(predicted, dict):
        arrays |= {f"predicted_{key}": value for key, value in predicted.items()}
    else:
        arrays["predicted"] = predicted
    np.savez(folder / f"{model.name}.npz", x=x, y=y, **arrays)


def own_loss(folder):
    """A function as loss and one as metric; then mse with the optimizer's state kept, as compile(model.optimizer) does."""
    x, y = data()
    model = dense_model("own_loss")
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=my_loss, metrics=[my_metric, "mae"])
    model.fit(x, y, epochs=2, batch_size=8, shuffle=False, verbose=0)
    for suffix in ("keras", "h5"):
        model.save(folder / f"own_loss.{suffix}")
    predicted = model.predict(x, verbose=0)
    own = model.evaluate(x, y, verbose=0)
    model.compile(optimizer=model.optimizer, loss="mse", metrics=["mae"])
    evaluated = model.evaluate(x, y, verbose=0)
    model.fit(x, y, epochs=1, batch_size=8, shuffle=False, verbose=0)
    trained = np.concatenate([w.ravel() for w in model.get_weights()])
    np.savez(folder / "own_loss.npz", x=x, y=y, predicted=predicted, own=own, evaluated=evaluated, trained=trained)


def registered(folder):
    x, y = data()
    model = dense_model("registered_loss")
    model.compile(optimizer="adam", loss=ScaledLoss(2.5), metrics=[Bias(), "mae"], weighted_metrics=["mse"])
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    save(folder, model, x, y, ("keras", "h5"), evaluated=model.evaluate(x, y, verbose=0))

    model = dense_model("registered_metric")
    model.compile(optimizer="sgd", loss="mse", metrics=[Bias(), "mae"])
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    save(folder, model, x, y, evaluated=model.evaluate(x, y, verbose=0))

    model = dense_model("schedule")
    model.compile(optimizer=keras.optimizers.SGD(Warmup(0.2), momentum=0.9), loss="mse", metrics=["mae"])
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    save(folder, model, x, y, ("keras", "h5"), evaluated=model.evaluate(x, y, verbose=0))

    model = dense_model("optimizer")
    model.compile(optimizer=HalfSGD(0.05, momentum=0.5), loss="mse", metrics=["mae"])
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    save(folder, model, x, y, ("keras", "h5"), evaluated=model.evaluate(x, y, verbose=0))


def own_layers(folder):
    x, y = data()
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.Input((3,)), Gate(4, name="gate"), Twice(name="twice"), layers.Dense(2, name="head")], name="own_layers")
    model.compile(optimizer="sgd", loss="mse")
    save(folder, model, x, y, ("keras", "h5"))
    model = keras.Sequential([keras.Input((3,)), Twice(name="twice"), layers.Dense(2, name="head")], name="one_layer")
    model.compile(optimizer="sgd", loss="mse")
    save(folder, model, x, y, ("keras", "h5"), evaluated=[model.evaluate(x, y, verbose=0)])


def class_names(folder):
    x, y = data(1)
    y = (y > 0).astype("float32")
    keras.utils.set_random_seed(4)
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, activation="sigmoid", name="head")], name="class_names")
    names = ["AUC", "Precision", "MeanSquaredError", "Accuracy", "BinaryAccuracy", "MAE", "KLDivergence"]
    model.compile(optimizer="RMSProp", loss="BinaryCrossentropy", metrics=names)
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    results = model.evaluate(x, y, verbose=0, return_dict=True)
    save(folder, model, x, y, ("keras", "h5"), evaluated=list(results.values()))


def by_keys(folder):
    x, y = data()
    keras.utils.set_random_seed(6)
    inputs = keras.Input((3,), name="x")
    outputs = {"price": layers.Dense(2, name="z")(inputs), "area": layers.Dense(2, name="a")(inputs)}
    model = keras.Model(inputs, outputs, name="by_keys")
    model.compile(optimizer="sgd", loss={"price": "mse", "area": my_loss},
                  metrics={"price": ["mae"], "area": [my_metric]}, loss_weights={"price": 0.25, "area": 1.0})
    save(folder, model, x, y, ("keras",))


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for make in (own_loss, registered, own_layers, class_names, by_keys):
        make(folder)


if __name__ == "__main__":
    main()
