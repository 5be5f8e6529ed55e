# SPDX-License-Identifier: Apache-2.0
"""Random compile settings for random_keras_models.py: optimizers, schedules, losses and metrics, in every form."""

LOSSES = {
    "real": ["MeanSquaredError", "MeanAbsoluteError", "Huber", "LogCosh", "CosineSimilarity"],
    "binary": ["BinaryCrossentropy", "BinaryFocalCrossentropy", "MeanSquaredError", "Hinge", "SquaredHinge"],
    "classes": ["SparseCategoricalCrossentropy"],
    "one_hot": ["CategoricalCrossentropy", "KLDivergence", "CategoricalHinge", "MeanSquaredError"],
    "positive": ["Poisson", "MeanSquaredLogarithmicError", "MeanAbsolutePercentageError", "MeanSquaredError"],
}
LOSSES_3 = {"one_hot": ["CategoricalFocalCrossentropy", "CategoricalGeneralizedCrossEntropy"],
            "binary": ["Dice", "Tversky"]}
METRICS = {
    "real": ["MeanSquaredError", "MeanAbsoluteError", "RootMeanSquaredError", "CosineSimilarity", "LogCoshError"],
    "binary": ["BinaryAccuracy", "AUC", "Precision", "Recall", "TruePositives", "FalseNegatives", "BinaryCrossentropy",
               "MeanSquaredError", "Hinge"],
    "classes": ["SparseCategoricalAccuracy", "SparseCategoricalCrossentropy", "SparseTopKCategoricalAccuracy"],
    "one_hot": ["CategoricalAccuracy", "CategoricalCrossentropy", "TopKCategoricalAccuracy", "KLDivergence",
                "Precision", "AUC", "F1Score", "CategoricalHinge"],
    "positive": ["Poisson", "MeanSquaredLogarithmicError", "MeanAbsolutePercentageError", "MeanAbsoluteError"],
}
METRICS_3 = {"real": ["R2Score"], "binary": ["BinaryIoU"]}
FUNCTIONS = {  # What is called as a function too, by its snake_case name.
    "MeanSquaredError": "mse", "MeanAbsoluteError": "mae", "BinaryCrossentropy": "binary_crossentropy",
    "SparseCategoricalCrossentropy": "sparse_categorical_crossentropy", "KLDivergence": "kl_divergence",
    "CategoricalCrossentropy": "categorical_crossentropy", "Poisson": "poisson", "Hinge": "hinge",
    "MeanSquaredLogarithmicError": "msle", "MeanAbsolutePercentageError": "mape", "SquaredHinge": "squared_hinge",
    "CategoricalHinge": "categorical_hinge", "LogCosh": "log_cosh", "Huber": "huber",
    "CosineSimilarity": "cosine_similarity",
}
FUNCTIONS_OF_METRICS = {
    "BinaryAccuracy": "binary_accuracy", "SparseCategoricalAccuracy": "sparse_categorical_accuracy",
    "CategoricalAccuracy": "categorical_accuracy", "TopKCategoricalAccuracy": "top_k_categorical_accuracy",
    "MeanSquaredError": "mean_squared_error", "MeanAbsoluteError": "mean_absolute_error",
    "CategoricalCrossentropy": "categorical_crossentropy", "Poisson": "poisson",
}
SETTINGS_OF_LOSSES = {
    "BinaryCrossentropy": {"label_smoothing": 0.1}, "CategoricalCrossentropy": {"label_smoothing": 0.2},
    "Huber": {"delta": 0.5}, "BinaryFocalCrossentropy": {"gamma": 1.5, "apply_class_balancing": True},
}
SETTINGS_OF_METRICS = {
    "BinaryAccuracy": {"threshold": 0.4}, "AUC": {"num_thresholds": 20}, "Precision": {"thresholds": 0.3},
    "Recall": {"top_k": 1}, "SparseTopKCategoricalAccuracy": {"k": 2}, "TopKCategoricalAccuracy": {"k": 2},
    "F1Score": {"average": "macro"}, "Hinge": {"name": "margin"},
}


def schedule(kit):
    s = kit.keras.optimizers.schedules
    return kit.pick([
        lambda: s.ExponentialDecay(0.05, 3, 0.8, staircase=kit.chance(0.5)), lambda: s.CosineDecay(0.05, 10),
        lambda: s.PiecewiseConstantDecay([2, 5], [0.05, 0.02, 0.01]),
        lambda: s.PolynomialDecay(0.05, 8, 0.001, power=2.0),
        lambda: s.InverseTimeDecay(0.05, 2, 0.5), lambda: s.CosineDecay(0.01, 10, warmup_target=0.05, warmup_steps=3),
        lambda: s.CosineDecayRestarts(0.05, 4)])()


def optimizer(kit):
    o = kit.keras.optimizers
    rate = lambda: schedule(kit) if kit.chance(0.25) else kit.number(0.005, 0.05)
    kind = kit.size(0, 3)
    if kind == 0:
        return kit.pick(["adam", "sgd", "rmsprop", "Adam", "SGD", "Nadam", "adagrad", "adamax", "ftrl", "adadelta"])
    common = {}
    if kit.chance(0.2):
        common[kit.pick(["clipnorm", "clipvalue", "global_clipnorm"])] = 0.3
    if kit.chance(0.15):
        common["weight_decay"] = 0.01
    if kit.chance(0.15):
        common |= {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": kit.pick([None, 2])}
    if kit.is3 and kit.chance(0.1) and not common:
        common["gradient_accumulation_steps"] = 2
    if kit.is3 and kit.chance(0.1) and not common:
        common["loss_scale_factor"] = 16.0
    kit.notes |= {f"optimizer: {key}" for key in common}
    some = [
        lambda: o.SGD(rate(), momentum=kit.pick([0.0, 0.8]), nesterov=kit.chance(0.3), **common),
        lambda: o.Adam(rate(), epsilon=kit.pick([1e-7, 1e-4]), amsgrad=kit.chance(0.3), **common),
        lambda: o.RMSprop(rate(), momentum=kit.pick([0.0, 0.5]), centered=kit.chance(0.3), **common),
        lambda: o.Adagrad(rate(), **common), lambda: o.Adamax(rate(), **common), lambda: o.Nadam(0.01, **common),
        lambda: o.Adadelta(rate(), **common), lambda: o.Ftrl(rate(), **common), lambda: o.Adafactor(rate()),
        lambda: o.AdamW(rate(), **(common | {"weight_decay": 0.02})), lambda: o.Lion(0.003, **common),
    ]
    if kit.is3:
        some += [lambda: o.Lamb(rate()), lambda: o.LossScaleOptimizer(o.SGD(0.02), initial_scale=8.0)]
    return kit.pick(some)()


def snake(name):
    out = "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")
    return out.replace("k_l_", "kl_").replace("top_k_", "top_k_")


def loss(kit, kind):
    name = kit.pick(LOSSES[kind] + (LOSSES_3.get(kind, []) if kit.is3 else []))
    made = getattr(kit.keras.losses, name)
    form = kit.size(0, 3)
    if form == 0 and name in FUNCTIONS:
        return FUNCTIONS[name]
    if form == 1 and name in FUNCTIONS:
        function = snake(name)
        return getattr(kit.keras.losses, function, made())
    if form == 2 and kit.is3 and name != "CategoricalGeneralizedCrossEntropy":  # Keras 3 does not know its name.
        return name
    settings = dict(SETTINGS_OF_LOSSES.get(name, {})) if kit.chance(0.5) else {}
    if kit.chance(0.15):
        settings["reduction"] = kit.pick(["sum", "sum_over_batch_size"])
    if kit.chance(0.1):
        settings["name"] = "my loss"
    return made(**settings)


def metric(kit, kind, number):
    name = kit.pick(METRICS[kind] + (METRICS_3.get(kind, []) if kit.is3 else []))
    form = kit.size(0, 4)
    if form == 0:
        return "accuracy" if kind != "real" and kind != "positive" else kit.pick(["mse", "mae"])
    if form == 1 and name in FUNCTIONS_OF_METRICS:
        return FUNCTIONS_OF_METRICS[name]
    if form == 2 and name in FUNCTIONS_OF_METRICS:
        return getattr(kit.keras.metrics, FUNCTIONS_OF_METRICS[name])
    if form == 3 and kit.is3 and name not in ("AUC",):
        return name
    settings = dict(SETTINGS_OF_METRICS.get(name, {})) if kit.chance(0.5) else {}
    if kit.chance(0.3):
        settings["name"] = kit.pick(["my metric", "a.b", "größe", "m, \"quoted\""]) + str(number)
    return getattr(kit.keras.metrics, name)(**settings)


def compile_model(kit, model, kinds):
    """Compiles with settings for the outputs' kinds; outputs are named by their keys where they are a dict."""
    keys = model.random_names[1] or list(getattr(model, "output_names", ["y"]))  # Not a Sequential's in Keras 3.
    several = len(kinds) > 1 or model.random_names[1]
    losses = [loss(kit, kind) for kind in kinds]
    metrics = [[metric(kit, kind, 10 * i + j) for j in range(kit.pick([0, 1, 1, 2]))] for i, kind in enumerate(kinds)]
    for some in metrics:  # Keras wants names to differ.
        names = set()
        for each in list(some):
            name = each if isinstance(each, str) else getattr(each, "name", getattr(each, "__name__", ""))
            some.remove(each) if snake(name) in names else names.add(snake(name))
    settings = {"optimizer": optimizer(kit)}
    if not several:
        settings |= {"loss": losses[0], "metrics": metrics[0] or None}
        if kit.chance(0.1):
            settings["weighted_metrics"] = [metric(kit, kinds[0], 99)]
    elif model.random_names[1] or kit.chance(0.5):
        settings |= {"loss": dict(zip(keys, losses)),
                     "metrics": {key: some if kit.chance(0.5) or len(some) != 1 else some[0]
                                 for key, some in zip(keys, metrics) if some}}
        if kit.chance(0.4):
            settings["loss_weights"] = {key: kit.number(0.2, 2) for key in keys}
        kit.notes.add("compile: dicts")
    else:
        settings |= {"loss": losses, "metrics": metrics}
        if kit.chance(0.4):
            settings["loss_weights"] = [kit.number(0.2, 2) for _ in keys]
        kit.notes.add("compile: lists")
    model.compile(**settings)
