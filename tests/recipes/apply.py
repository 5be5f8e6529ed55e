# SPDX-License-Identifier: Apache-2.0
"""The recipes of CONTRIBUTING.md as changes to the tree: tests/recipes/<recipe>/ holds new files by their paths, and in
`edits` lines to insert:

    @@ PATH before TEXT       (or: after TEXT)
    lines

They go before (after) the first line that begins with TEXT, so they survive other edits of the file.

    apply.py count               prints how many files each recipe touches; fails above its target
    apply.py apply TREE NAME...  does these recipes in a copy of the tree
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
# Recipe: (its heading in CONTRIBUTING.md, how many files besides tests it may touch, how many lines it may add to
# existing ones).
RECIPES = {
    "elementwise_op": ("Add an op", 3, 99),
    "structural_op": ("Add an op", 5, 99),
    "layer": ("Add a layer", 1, 0),
    "pass": ("Add a pass", 3, 2),
    "verb": ("Add a subcommand", 2, 1),
}


def new_files(name):
    folder = HERE / name
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name != "edits")


def edits(name):
    """(path, "before" or "after", text, lines) of each edit."""
    file = HERE / name / "edits"
    found = []
    for line in file.read_text().splitlines() if file.exists() else []:
        match = re.fullmatch(r"@@ (\S+) (before|after) (.*)", line)
        if match:
            found.append((*match.groups(), []))
        else:
            found[-1][3].append(line)
    return found


def section(text, heading):
    match = re.search(rf"^## {re.escape(heading)}.*?(?=^## |\Z)", text, re.M | re.S)
    return match[0] if match else ""


def names(text, path):
    """Whether the text has the path in backticks, or one with <placeholders> that fits, or its end: codegen/cpu/."""
    for named in re.findall(r"`([\w./<>]+)`", text):
        pattern = re.sub(r"<\w+>", "[^/]+", re.escape(named).replace(r"\<", "<").replace(r"\>", ">"))
        if re.fullmatch(rf"(.*/)?{pattern}", path):
            return True
    return False


def count(root):
    contributing = (root / "CONTRIBUTING.md").read_text()
    wrong = []
    for name, (heading, most_files, most_lines) in RECIPES.items():
        changed = {path for path, *_ in edits(name)}
        touched = sorted(p for p in changed | set(new_files(name)) if not p.startswith("tests/"))
        lines = sum(len(added) for path, _, _, added in edits(name) if not path.startswith("tests/"))
        print(f"{name:<16} {len(touched)} of {most_files} files, {lines} lines in existing ones: {' '.join(touched)}")
        if len(touched) > most_files:
            wrong.append(f"{name} touches {len(touched)} files, its target is {most_files}")
        if lines > most_lines:
            wrong.append(f"{name} adds {lines} lines to existing files, its target is {most_lines}")
        wrong += [f"{name}: the section '{heading}' of CONTRIBUTING.md does not name {path}"
                  for path in touched if not names(section(contributing, heading), path)]
        wrong += [f"{name}: {where}" for where in missing_anchors(root, name)]
    return wrong


def missing_anchors(root, name):
    for path, _, text, _ in edits(name):
        file = root / path
        if not file.exists():
            yield f"{path} does not exist"
        elif not any(line.startswith(text) for line in file.read_text().splitlines()):
            yield f"no line of {path} begins with '{text}'"


def apply(root, name):
    for path in new_files(name):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text((HERE / name / path).read_text())
    for path, where, text, added in edits(name):
        lines = (root / path).read_text().splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith(text)) + (where == "after")
        lines[at:at] = added
        (root / path).write_text("\n".join(lines) + "\n")


def main():
    match sys.argv[1:]:
        case ["count"]:
            wrong = count(HERE.parent.parent)
            print(*wrong, sep="\n", end="\n" if wrong else "")
            sys.exit(1 if wrong else 0)
        case ["apply", tree, *recipes]:
            for name in recipes:
                apply(pathlib.Path(tree), name)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
