#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares fusebox with Keras on random models that Keras saves.

    KERAS_BACKEND=jax random_keras_models.py --fusebox BIN --seeds 0:100      Keras 3: requirements.txt
    random_keras_models.py --fusebox BIN --tf --seeds 0:100                   Keras 2: requirements_tf2.txt

For each seed a model (random_keras_graphs.py) of random layers and calls is compiled with random settings
(random_keras_compile.py) and saved before and after an epoch of training, as .keras, .h5 and .weights.h5. `fusebox
predict` and `evaluate` must then give Keras's numbers for each file, and `fusebox train` those of one more epoch where
no layer draws random numbers. A seed gives the same model every time.

Prints what was opened, agreed, was refused (by message) and what was wrong; also as JSON (--json FILE). Exits with 1 if
something is wrong, or is refused with a message that no line of random_keras_models_known.txt has.
Options: --keep FOLDER keeps the files of models that do not agree, in a folder for each; --verbose prints as it goes.
"""

import argparse
import collections
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"  # Compiles in half the time, which is all that is spent here.
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np

import random_keras_compile
import random_keras_graphs
import random_keras_layers

ROWS = 10
BATCH = 4  # The last batch has 2 samples.
KNOWN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "random_keras_models_known.txt")

# Of f32; training adds up more than one step's error, and divides by small numbers.
PREDICTION_BOUND = 1e-4
TRAINING_BOUND = 2e-3


def import_keras(tf):
    if tf:
        import tensorflow
        return tensorflow.keras
    import keras
    return keras


def listed(some):
    return list(some.values()) if isinstance(some, dict) else list(some) if isinstance(some, (list, tuple)) else [some]


class Case:
    """A random model with data, and what Keras says of it."""

    def __init__(self, keras, seed, folder):
        self.keras, self.seed, self.folder = keras, seed, folder
        self.kit = kit = random_keras_layers.Kit(keras, seed)
        keras.utils.set_random_seed(seed)
        make = random_keras_graphs.sequential_model if kit.chance(0.25) else random_keras_graphs.functional_model
        self.model, kinds, draws = make(kit)
        if not hasattr(self.model, "random_names"):
            self.model.random_names = (None, None)
        in_keys, out_keys = self.model.random_names
        random_keras_compile.compile_model(kit, self.model, kinds)
        self.kinds = kinds
        ins = [self.model.inputs] if not isinstance(self.model.inputs, (list, tuple, dict)) else self.model.inputs
        if in_keys:
            given = self.model.input if isinstance(self.model.input, dict) else dict(zip(in_keys, listed(ins)))
            shapes = [random_keras_graphs.shape_of(given[key]) for key in in_keys]
        else:
            shapes = [random_keras_graphs.shape_of(x) for x in listed(ins)]
        self.in_names = in_keys or list(self.model.input_names if not kit.is3 else
                                        [x._keras_history.operation.name for x in listed(ins)])
        self.out_names = out_keys or list(getattr(self.model, "output_names", ["y"]))
        self.x = self.form([self.draw(shape, how) for shape, how in zip(shapes, draws)], in_keys)
        widths = self.model(self.x, training=False)
        widths = [widths[key] for key in out_keys] if out_keys else listed(widths)
        self.y = self.form([self.target(kind, tuple(w.shape)) for kind, w in zip(kinds, widths)], out_keys)
        self.files = {}  # Name to what is expected of it.

    def form(self, arrays, keys):
        return dict(zip(keys, arrays)) if keys else arrays[0] if len(arrays) == 1 else arrays

    def draw(self, shape, how):
        rng = self.kit.rng
        if how == "ids":
            return rng.integers(0, 7, (ROWS, *shape)).astype(np.int32)
        return np.round(rng.normal(size=(ROWS, *shape)), 2).astype(np.float32)

    def target(self, kind, shape):
        rng = self.kit.rng
        if kind == "classes":
            return rng.integers(0, shape[-1], ROWS).astype(np.int32)
        if kind == "one_hot":
            return np.eye(shape[-1], dtype=np.float32)[rng.integers(0, shape[-1], ROWS)]
        if kind == "binary":
            return rng.integers(0, 2, shape).astype(np.float32)
        if kind == "positive":
            return np.round(rng.uniform(0.2, 3, shape), 2).astype(np.float32)
        return np.round(rng.normal(size=shape), 2).astype(np.float32)

    def arrays(self, some, names):
        return dict(zip(names, [some[n] for n in names] if isinstance(some, dict) else listed(some)))

    def numbers(self, model):
        predicted = model.predict(self.x, batch_size=ROWS, verbose=0)
        logs = model.evaluate(self.x, self.y, batch_size=BATCH, verbose=0, return_dict=True)
        predictions = {k: np.asarray(v) for k, v in self.arrays(predicted, self.out_names).items()}
        # Behind a softmax or sigmoid fusebox computes a crossentropy from the logits, as Keras on TensorFlow does. On JAX
        # Keras clips probabilities at 1e-7.
        likely = [v for kind, v in zip(self.kinds, predictions.values()) if kind in ("classes", "one_hot", "binary")]
        saturated = any(np.any(v < 1e-6) or np.any(v > 1 - 1e-6) for v in likely)
        return {"prediction": predictions, "evaluate": {k: np.asarray(v, np.float64) for k, v in logs.items()},
                "saturated": bool(saturated)}

    def save(self, stage, endings):
        expected = self.numbers(self.model)
        for ending in endings:
            path = os.path.join(self.folder, f"{stage}.{ending}")
            try:
                self.model.save_weights(path) if ending == "weights.h5" else self.model.save(path)
                self.files[os.path.basename(path)] = dict(expected)
            except Exception as error:  # Keras cannot save some: no fault of ours.
                self.kit.notes.add(f"Keras does not save .{ending}: {type(error).__name__}")

    def make(self):
        """Saves all files; HDF5 files last, as saving one changes what Keras 3 writes into later .keras files."""
        fit = lambda: self.model.fit(self.x, self.y, batch_size=BATCH, shuffle=False, verbose=0)
        early_h5 = self.kit.chance(0.2)
        self.save("before", ["h5"] if early_h5 else ["keras"])
        fit()
        self.save("after", ["h5"] if early_h5 else ["keras", "weights.h5", "h5"])
        if not self.kit.random_layers:
            history = fit().history
            for name, expected in self.files.items():
                if name.startswith("after.") and not name.endswith("weights.h5"):
                    expected["history"] = {k: v[0] for k, v in history.items()}
        x, y = self.arrays(self.x, self.in_names), self.arrays(self.y, self.out_names)
        if len(x) == 1 and len(y) == 1:
            x, y = {"x": listed(self.x)[0]}, {"y": listed(self.y)[0]}
        np.savez(os.path.join(self.folder, "x.npz"), **x)
        np.savez(os.path.join(self.folder, "data.npz"), **x, **y)
        if len(y) < len(self.out_names) or set(x) & set(y):
            raise ValueError("outputs of one name")  # Data files name arrays.


class Disagreement(Exception):
    pass


class Refusal(Exception):
    pass


class Command:
    """Runs fusebox on a case's files."""

    def __init__(self, fusebox, folder):
        self.fusebox, self.folder = fusebox, folder

    def run(self, *words):
        result = subprocess.run([self.fusebox, *words, "--threads", "1"], cwd=self.folder, capture_output=True,
                                text=True, timeout=120)
        if result.returncode not in (0, 1, 2):
            raise Disagreement(f"{words[0]} ended with status {result.returncode}: {result.stderr[-300:]}")
        if result.returncode != 0:
            raise Refusal(f"{words[0]}: {(result.stderr or result.stdout).strip().splitlines()[-1]}")
        return result.stdout

    def check(self, name, expected):
        model = [name]
        if name.endswith(".weights.h5"):
            model = ["after.keras", "--weights", name]
        output = "p.npy" if len(expected["prediction"]) == 1 else "p.npz"
        self.run("predict", *model, "--input", "x.npz", "-o", output)
        loaded = np.load(os.path.join(self.folder, output))
        for key, value in expected["prediction"].items():
            if output == "p.npz" and key not in loaded:
                raise Disagreement(f"predict has {sorted(loaded)}, expected {key!r}")
            compare(f"predict {key}", loaded if output == "p.npy" else loaded[key], value, PREDICTION_BOUND)
        if expected["saturated"]:
            return
        logs = json.loads(self.run("evaluate", *model, "--data", "data.npz", "--batch-size", str(BATCH), "--json"))
        for key, value in expected["evaluate"].items():
            if key not in logs and value.ndim == 0:
                raise Disagreement(f"evaluate has {sorted(logs)}, expected {key!r}")
            if value.ndim == 0:
                compare(f"evaluate {key}", np.asarray(logs[key], np.float64), value, PREDICTION_BOUND * 5)
        if "history" in expected:
            self.run("train", name, "--data", "data.npz", "--batch-size", str(BATCH), "--no-shuffle", "--verbose", "0",
                     "--history", "history.csv", "-o", "trained.keras")
            history = read_history(os.path.join(self.folder, "history.csv"))
            compare("train loss", np.asarray(history["loss"]), np.asarray(expected["history"]["loss"]), TRAINING_BOUND)


def read_history(path):
    import csv
    with open(path, newline="") as file:
        keys, values = list(csv.reader(file))[:2]
    return {key: float(value) for key, value in zip(keys, values) if value}


def compare(what, got, expected, bound):
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    if got.shape != expected.shape:
        raise Disagreement(f"{what}: shape {got.shape}, expected {expected.shape}")
    if not np.allclose(got, expected, rtol=bound, atol=bound * max(1.0, float(np.nanmax(np.abs(expected), initial=0))),
                       equal_nan=True):
        where = np.unravel_index(np.nanargmax(np.abs(got - expected)), got.shape) if got.ndim else ()
        raise Disagreement(f"{what}: {got[where]:.7g}, expected {expected[where]:.7g}")


def keras_disagrees(case, name, expected):
    """What Keras itself does not do with its file: then fusebox need not. None if all is well."""
    try:
        if name.endswith(".weights.h5"):
            name = "after.keras"  # They are weights for this one.
        model = case.keras.models.load_model(os.path.join(case.folder, name))
        numbers = case.numbers(model)
        for part in ("prediction", "evaluate"):
            for key, value in expected[part].items():
                compare(f"{part} {key}", numbers[part][key], value, 5 * PREDICTION_BOUND)
        if "history" in expected:
            history = model.fit(case.x, case.y, batch_size=BATCH, shuffle=False, verbose=0).history
            compare("train loss", history["loss"][0], expected["history"]["loss"], TRAINING_BOUND)
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0][:200]
    return None


def message_kind(message):
    """A message without names and numbers, to count its like."""
    message = re.sub(r"(before|after)\.[a-z0-9.]+", "FILE", message)
    return re.sub(r"\d+", "N", re.sub(r"'[^']*'|\"[^\"]*\"", "'..'", message))


def run_seed(keras, seed, words, table):
    folder = tempfile.mkdtemp(prefix=f"random_keras_{seed}_")
    keep = False
    try:
        try:
            case = Case(keras, seed, folder)
            case.make()
        except Exception as error:
            table["not made"].append([seed, "", f"{type(error).__name__}: {error}".splitlines()[0][:160]])
            if words.verbose:
                traceback.print_exc()
            return
        command = Command(words.fusebox, folder)
        for name, expected in case.files.items():
            if name.endswith(".weights.h5") and "after.keras" not in case.files:
                continue  # Keras cannot save the model that they are for.
            outcome, text = "agreed", ""
            try:
                command.check(name, expected)
            except Refusal as refusal:
                outcome, text = "refused", str(refusal)
            except (Disagreement, subprocess.TimeoutExpired, KeyError, ValueError) as wrong:
                outcome = "wrong"
                text = str(wrong) if isinstance(wrong, Disagreement) else f"{type(wrong).__name__}: {wrong}"
            if outcome != "agreed":
                fault = keras_disagrees(case, name, expected)
                if fault:
                    outcome, text = "Keras differs too", f"{text} | Keras: {fault}"
                else:
                    keep = True
            table[outcome].append([seed, name, text])
            if outcome != "agreed" and words.verbose:
                print(seed, name, outcome, text, flush=True)
        if keep and words.keep:
            with open(os.path.join(folder, "expected.json"), "w") as file:
                json.dump(case.files, file, indent=1, default=lambda a: np.asarray(a).tolist())
            with open(os.path.join(folder, "outcome.txt"), "w") as file:
                file.writelines(f"{name} {outcome}: {text}\n" for outcome, rows in table.items()
                                for number, name, text in rows if number == seed)
            shutil.copytree(folder, os.path.join(words.keep, str(seed)), dirs_exist_ok=True)
    finally:
        keras.backend.clear_session()
        shutil.rmtree(folder, ignore_errors=True)


def report(table, known):
    count = {outcome: len(table[outcome]) for outcome in table}
    files = sum(n for outcome, n in count.items() if outcome != "not made")
    opened = count.get("agreed", 0) + count.get("wrong", 0)
    print(f"files {files}, opened {opened}, agreed {count.get('agreed', 0)}, refused {count.get('refused', 0)}, "
          f"wrong {count.get('wrong', 0)}; Keras differs too {count.get('Keras differs too', 0)}; "
          f"models not made {count.get('not made', 0)}")
    for outcome in ("wrong", "refused", "Keras differs too", "not made"):
        groups = collections.defaultdict(list)
        for seed, name, text in table[outcome]:
            groups[message_kind(text)].append((seed, name, text))
        for _, members in sorted(groups.items(), key=lambda group: -len(group[1])):
            seed, name, text = members[0]
            print(f"{outcome:9} {len(members):4}  seed {seed} {name}: {text}"
                  + (f"   (also {sorted({m[0] for m in members[1:]})[:8]})" if len(members) > 1 else ""))
    unknown = [text for _, _, text in table["refused"] if not any(re.search(k, text) for k in known)]
    for text in unknown:
        print("refused, and not known:", text)
    return 1 if table["wrong"] or unknown else 0


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--fusebox", required=True)
    words.add_argument("--seeds", default="0:20")
    words.add_argument("--tf", action="store_true")
    words.add_argument("--keep")
    words.add_argument("--json")
    words.add_argument("--verbose", action="store_true")
    words = words.parse_args()
    keras = import_keras(words.tf)
    words.fusebox = os.path.abspath(words.fusebox)
    with open(KNOWN) as file:  # A pattern a line; '#' begins the reason.
        known = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    table = collections.defaultdict(list)
    start, end = (int(n) for n in words.seeds.split(":"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # Stopped early, it reports what it has.
    try:
        for seed in range(start, end):
            run_seed(keras, seed, words, table)
    finally:
        status = report(table, known)
    if words.json:
        with open(words.json, "w") as file:
            json.dump(table, file, indent=1)
    sys.exit(status)


if __name__ == "__main__":
    main()
