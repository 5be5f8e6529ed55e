# SPDX-License-Identifier: Apache-2.0
"""Random graphs of layers for random_keras_models.py, with every form of call that Keras knows."""

MOST_DEEP = 3

# Kinds of outputs, by what their targets are: the layers' activations and how targets are drawn.
HEADS = ["real", "binary", "classes", "one_hot", "positive"]


def shape_of(x):
    return tuple(x.shape[1:])


def head(kit, x, kind):
    """The last layer of an output."""
    if kind == "classes" or kind == "one_hot":
        return kit.dense(kit.size(3, 4), "softmax")(x)
    if kind == "binary":
        return kit.dense(kit.pick([1, 1, 2]), "sigmoid")(x)
    if kind == "positive":
        return kit.dense(kit.size(1, 2), "softplus")(x)
    return kit.dense(kit.size(1, 3), "linear")(x)


def call(kit, layer, x):
    """Calls a layer on a value or values in one of the forms: a plain argument, a keyword, a training flag."""
    flags = {}
    takes_flag = isinstance(layer, (kit.layers.BatchNormalization, kit.layers.Dropout, kit.layers.GaussianNoise,
                                    kit.keras.Model))
    if takes_flag and kit.chance(0.25):
        flags["training"] = kit.pick([True, False, None])
        kit.notes.add("training flag")
        if flags["training"] and not kit.is3:
            flags["training"] = False  # Keras 2 would be random in predict as well.
    if kit.chance(0.1) and isinstance(layer, (kit.layers.Dense, kit.layers.BatchNormalization, kit.layers.Flatten)):
        kit.notes.add("keyword argument")
        return layer(inputs=x, **flags)
    return layer(x, **flags)


class Graph:
    """Values by and by, from some inputs; layers and inner models that were used come again."""

    def __init__(self, kit, values, depth):
        self.kit, self.values, self.depth = kit, list(values), depth
        self.shared = []  # Layers or models, and the shape that they take.

    def grow(self):
        kit = self.kit
        x = kit.pick(self.values[-4:])
        shape = shape_of(x)
        kind = kit.size(0, 11)
        fitting = [layer for layer, takes in self.shared if takes == shape]
        if kind == 0 and fitting:
            kit.notes.add("shared")
            y = call(kit, kit.pick(fitting), x)
        elif kind == 1:
            y = kit.operation(x)
        elif kind in (2, 3) and self.depth < MOST_DEEP:
            y = self.nested(x)
        elif kind in (4, 5):
            y = self.merge(x)
        else:
            layer = kit.layer(shape)
            y = call(kit, layer, x)
            self.shared.append((layer, shape))
        if len(shape_of(y)) in (1, 2) and all(shape_of(y)) and max(shape_of(y)) <= 40:
            self.values.append(y)

    def merge(self, x):
        kit = self.kit
        same = [v for v in self.values if shape_of(v) == shape_of(x)]
        if len(same) == 1:
            other = kit.dense(shape_of(x)[-1])(x)
            self.values.append(other)
            same.append(other)
        if kit.chance(0.15):
            return kit.layers.Subtract()(same[:2])
        if kit.chance(0.15) and len(shape_of(x)) == 1:
            return kit.layers.Dot(axes=1, normalize=kit.chance(0.5))(same[:2])
        return kit.merging()(same[:kit.size(2, 3)])

    def nested(self, x):
        kit = self.kit
        kit.notes.add(f"nested {self.depth + 1}")
        if kit.chance(0.4):
            inner = sequential(kit, shape_of(x), self.depth + 1, kit.size(1, 3))
            self.shared.append((inner, shape_of(x)))
            return call(kit, inner, x)
        others = [x] if kit.chance(0.5) else [x, kit.pick(self.values)]
        form = kit.pick(["list", "dict"]) if len(others) > 1 or kit.chance(0.2) else "one"
        inputs = [kit.keras.Input(shape_of(v), **kit.name_settings()) for v in others]
        graph = Graph(kit, inputs, self.depth + 1)
        for _ in range(kit.size(1, 4)):
            graph.grow()
        ends = graph.outputs(kit.pick([1, 1, 2]))
        keys = [f"k{9 - i}" for i in range(len(inputs))]
        takes = dict(zip(keys, inputs)) if form == "dict" else inputs if form == "list" else inputs[0]
        gives = kit.pick(["list", "dict"]) if len(ends) > 1 else "one"
        outputs = {"zz": ends[0], "aa": ends[1]} if gives == "dict" else ends if gives == "list" else ends[0]
        inner = kit.keras.Model(takes, outputs, **kit.name_settings())
        kit.notes.add(f"nested: {form} to {gives}")
        if form == "one":
            self.shared += [(inner, shape_of(x))] if gives == "one" else []
        result = call(kit, inner, dict(zip(keys, others)) if form == "dict" else others if form == "list" else x)
        if gives == "one":
            return result
        result = list(result.values()) if isinstance(result, dict) else list(result)
        self.values.append(result[0])
        return result[1]

    def outputs(self, count):
        """Values that all the inputs lead to, as far as one concatenation makes them."""
        kit = self.kit
        flat = [kit.layers.Flatten()(v) if len(shape_of(v)) > 1 else v for v in self.values]
        if kit.chance(0.3) and count == 1 and self.depth:
            return [flat[-1]]
        last = kit.layers.Concatenate()(flat[-6:] + flat[:2])
        return [last] + [kit.dense(kit.size(2, 4))(last) for _ in range(count - 1)]


def sequential(kit, shape, depth, count):
    """A Sequential of some layers; one with an Input layer, whose shapes are then known one by one."""
    model = kit.keras.Sequential([kit.keras.Input(shape)], **kit.name_settings())
    for _ in range(count):
        if depth < MOST_DEEP and kit.chance(0.15):
            layer = sequential(kit, shape, depth + 1, kit.size(1, 2))
            kit.notes.add(f"nested {depth + 1}")
        else:
            layer = kit.layer(shape)
        model.add(layer)
        shape = shape_of(model.outputs[0])
        if max(shape) > 40:
            break
    return model


def first(kit, name=None):
    """An input and the first values made of it; the second says how its data are drawn."""
    keras, layers = kit.keras, kit.layers
    names = {"name": name} if name else {}
    kind = kit.size(0, 9)
    if kind == 0:
        x = keras.Input((kit.size(2, 4),), dtype="int32", **names)
        kit.notes.add("embedding")
        mask = kit.chance(0.3)
        kit.masks |= mask
        return x, layers.Embedding(7, kit.size(2, 4), mask_zero=mask, **kit.name_settings())(x), "ids"
    if kind == 1:
        x = keras.Input((kit.size(2, 4),), dtype=kit.pick(["int32", "int64"]), **names)
        mode = kit.pick(["multi_hot", "count", "one_hot"])
        kit.notes.add("category encoding")
        return x, layers.CategoryEncoding(num_tokens=7, output_mode=mode)(x), "ids"
    if kind <= 3:
        x = keras.Input((kit.size(2, 4), kit.size(2, 4)), **names)
        if kit.chance(0.3):
            kit.masks = True
            return x, layers.Masking(mask_value=0.5)(x), "real"
        return x, x, "real"
    x = keras.Input((kit.size(2, 6),), **names)
    return x, x, "real"


def sequential_model(kit):
    """A whole model: the model, its output's kind, how its input is drawn."""
    kit.notes.add("Sequential")
    kinds = [kit.pick(HEADS)]
    if kit.chance(0.2):  # Its input's shape is known only from the data.
        kit.notes.add("deferred")
        model = kit.keras.Sequential([kit.dense(), kit.layers.BatchNormalization(), kit.dense()], **kit.name_settings())
        model.build((None, 4))
    else:
        model = sequential(kit, kit.pick([(4,), (3, 2), (5,)]), 0, kit.size(1, 5))
        if len(shape_of(model.outputs[0])) > 1:
            model.add(kit.layers.Flatten())
    last = {"classes": (3, "softmax"), "one_hot": (3, "softmax"), "binary": (1, "sigmoid"), "positive": (2, "softplus"),
            "real": (2, "linear")}[kinds[0]]
    model.add(kit.dense(*last))
    if not model.built:
        model.build((None, 4))
    return model, kinds, ["real"]


def functional_model(kit):
    kit.notes.add("functional")
    count = kit.pick([1, 1, 2, 3])
    inputs, values, draws = zip(*[first(kit, kit.name()) for _ in range(count)])
    graph = Graph(kit, values, 0)
    for _ in range(kit.size(2, 9)):
        graph.grow()
    kinds = [kit.pick(HEADS) for _ in range(kit.pick([1, 1, 2, 3]))]
    outputs = [head(kit, x, kind) for kind, x in zip(kinds, graph.outputs(len(kinds)))]
    takes = kit.pick(["one", "list", "dict"]) if count == 1 else kit.pick(["list", "list", "dict"])
    gives = kit.pick(["one", "one", "list", "dict"]) if len(kinds) == 1 else kit.pick(["list", "list", "dict"])
    kit.notes.add(f"model: {takes} to {gives}")
    keys = ["in b", "in.a", "in_c"][:count] if kit.chance(0.3) else ["zeta", "alpha", "mid"][:count]
    ends = ["y2", "y1", "y0"][:len(kinds)]
    forms = {"one": lambda some, _: some[0], "list": lambda some, _: list(some),
             "dict": lambda some, names: dict(zip(names, some))}
    model = kit.keras.Model(forms[takes](inputs, keys), forms[gives](outputs, ends), **kit.name_settings())
    model.random_names = (keys if takes == "dict" else None, ends if gives == "dict" else None)
    return model, kinds, draws
