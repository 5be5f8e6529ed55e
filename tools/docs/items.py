#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reference pages of plugin items, one for each kind, from the items' own schemas.

  fusebox plugins list --json | items.py FOLDER
"""

import json
import pathlib
import sys

KINDS = {
    "layer": "Layers", "activation": "Activations", "loss": "Losses", "metric": "Metrics", "optimizer": "Optimizers",
    "schedule": "Schedules", "initializer": "Initializers", "regularizer": "Regularizers", "constraint": "Constraints",
    "callback": "Callbacks", "dataset": "Data sources",
}


def cell(text):
    """Text in a table: nothing in it is markup."""
    for mark in "\\|*_<>@#$&":
        text = text.replace(mark, "\\" + mark)
    return text


def number(value):
    return f"{value:g}"


def range_of(attribute):
    low, high = attribute.get("min"), attribute.get("max")
    if low is not None and high is not None:
        return f"[{number(low)}, {number(high)}]"
    if low is not None:
        return f"at least {number(low)}"
    return f"at most {number(high)}" if high is not None else ""


def default_of(attribute):
    if attribute["required"]:
        return "required"
    value = attribute.get("default")
    if value is None or value == "" or value == []:
        return "none"
    return "`" + (value if isinstance(value, str) else json.dumps(value)) + "`"


def meaning_of(attribute):
    """Its documentation; an item that makes a weight is named after it: "beta_initializer"."""
    if attribute["doc"]:
        return attribute["doc"]
    weight, _, kind = attribute["name"].rpartition("_")
    meanings = {"initializer": "initializer of {}", "regularizer": "penalty on {}", "constraint": "constraint of {}"}
    return meanings.get(kind, "").format(weight)


def page(kind, items):
    lines = [f"# {KINDS[kind]} {{#items_{kind}}}", "",
             f"The installed items of the kind {kind}. `fusebox plugins describe NAME` prints the same.", ""]
    for item in sorted(items, key=lambda item: item["id"]):
        name = item["id"].removeprefix("fusebox/").rsplit("@", 1)[0]
        lines += [f"## {name}", "", cell(item["doc"]), "", f"Id: `{item['id']}`", ""]
        if not item["attributes"]:
            continue
        lines += ["| attribute | type | range | default | meaning |", "|---|---|---|---|---|"]
        for a in item["attributes"]:
            lines.append(f"| `{a['name']}` | {a['type']} | {range_of(a)} | {default_of(a)} | {cell(meaning_of(a))} |")
        lines.append("")
    return "\n".join(lines)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    items = json.load(sys.stdin)
    for kind in KINDS:
        of_kind = [item for item in items if item["kind"] == kind]
        if not of_kind:
            sys.exit(f"items.py: no item of the kind '{kind}' is installed")
        undocumented = [item["id"] for item in of_kind if not item["doc"]]
        undocumented += [f"{item['id']}: {a['name']}" for item in of_kind for a in item["attributes"]
                         if not meaning_of(a)]
        if undocumented:
            sys.exit(f"items.py: no documentation: {', '.join(undocumented)}")
        (folder / f"{kind}.md").write_text(page(kind, of_kind), encoding="utf-8")


if __name__ == "__main__":
    main()
