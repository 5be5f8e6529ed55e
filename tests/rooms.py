# SPDX-License-Identifier: Apache-2.0
"""Checks the include lines of the tree against tests/rooms.txt.

  1. Every folder with sources is a room of the table, and includes only what its line allows. The rooms see each other
     without a circle.
  2. No circle between units anywhere. A unit is a header with its source: x.h, x_inl.h and x.cc.
  3. Third-party headers stay in the rooms that the table names, and out of public headers: all of ours that
     runtime/fusebox.h and plugins/sdk/sdk.h reach.
  4. Every room has a main header. Its leading comment names the folder ("plan/" or "compiler/plan"), says what it sees
     ("sees"), and has 20 words or more.
"""
import argparse
import difflib
import pathlib
import re
import sys
import tempfile

TOP = ["graph", "compiler", "plugins", "runtime", "tools"]
PUBLIC = ["runtime/fusebox.h", "plugins/sdk/sdk.h"]
GENERATED = {"build_id.h"}
LEAST_WORDS = 20


class Tree:
    """All sources, and what each includes: ours by path, others by name."""

    def __init__(self, root):
        self.root = root
        self.ours, self.others = {}, {}
        self.wrong = []
        for top in TOP:
            for path in sorted((root / top).rglob("*")):
                if path.suffix in (".h", ".cc"):
                    self.read(path.relative_to(root).as_posix())

    def read(self, file):
        self.ours[file], self.others[file] = [], []
        for line in (self.root / file).read_text().splitlines():
            match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
            if not match:
                continue
            quote, name = match.groups()
            if name.startswith("fusebox/"):
                name = name.removeprefix("fusebox/")
                name = "runtime/fusebox.h" if name == "fusebox.h" else name
            elif not name.startswith("tools/"):
                self.others[file].append(name)
                if quote == '"' and (self.root / file).parent.joinpath(name).exists():
                    self.wrong.append(f"{file} includes \"{name}\": write fusebox/{folder(file)}/{name}")
                continue
            if name in GENERATED:
                continue
            if (self.root / name).exists():
                self.ours[file].append(name)
            else:
                self.wrong.append(f"{file} includes {name}, which is no file of ours")


def folder(file):
    return file.rsplit("/", 1)[0]


def unit(file):
    return re.sub(r"(_inl)?\.(h|cc)$", "", file)


class Table:
    """rooms.txt: see its head for the form."""

    def __init__(self, text):
        self.rooms = {}     # Name -> (main header or "-", the set of rooms that it sees).
        self.groups = {}    # File -> the name of its group.
        self.libraries = {} # Name -> (beginnings of header names, rooms that may include them).
        for line in text.splitlines():
            line = line.split("#")[0].strip()
            if not line:
                continue
            if line.startswith("group "):
                name, files = line.removeprefix("group ").split("=")
                for file in files.split():
                    self.groups[file] = name.strip()
                continue
            cells = [cell.strip() for cell in line.split("|")]
            if len(cells) != 3:
                sys.exit(f"rooms.txt: expected 3 cells with '|' between, got: {line}")
            if cells[0].startswith("library "):
                self.libraries[cells[0].removeprefix("library ")] = (tuple(cells[1].split()), split(cells[2]))
            else:
                self.rooms[cells[0]] = (cells[1], split(cells[2]))

    def room(self, file):
        """The room of a file: its group, or its folder, where plugins/* stands for any kind of plugin."""
        if file in self.groups:
            return self.groups[file]
        if folder(file) in self.rooms:
            return folder(file)
        wild = folder(folder(file)) + "/*"
        return wild if wild in self.rooms else None


def split(cell):
    return [name.strip() for name in cell.split(",") if name.strip() not in ("", "-")]


def check_rooms(tree, table):
    for name in sorted({folder(file) for file in tree.ours if table.room(file) is None}):
        yield f"{name}/ is no room: give it a line in tests/rooms.txt"
    for file, included in tree.ours.items():
        room = table.room(file)
        if room is None:
            continue
        for target in included:
            # Kinds of plugins share a line, but do not see each other.
            here, there = (folder(f) if name.endswith("*") else name for f, name in
                           ((file, room), (target, table.room(target) or folder(target))))
            sees = table.rooms[room][1]
            if here != there and there not in sees:
                yield f"{file} includes {target}: {here} does not see {there}"
    sees = {name: {} for name in table.rooms}
    for name, (_, others) in table.rooms.items():
        for other in others:
            if other not in table.rooms:
                yield f"tests/rooms.txt: {name} sees {other}, which is no room"
            elif other != folder(name):  # A sub-room may look up at its own folder.
                sees[name][other] = True
    for knot in knots(sees):
        yield f"tests/rooms.txt: circle of rooms {', '.join(knot)}"
    for file in table.groups:
        if file not in tree.ours:
            yield f"tests/rooms.txt: the group {table.groups[file]} names {file}, which is no file"


def unit_edges(tree):
    edges = {}  # Unit -> {unit: (the file that includes, what it includes)}
    for file, included in tree.ours.items():
        mine = edges.setdefault(unit(file), {})
        for target in included:
            edges.setdefault(unit(target), {})
            if unit(target) != unit(file):
                mine.setdefault(unit(target), (file, target))
    return edges


def knots(edges):
    """Sets of units that all reach each other, by Tarjan's algorithm."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in edges[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            knot = []
            while True:
                knot.append(stack.pop())
                if knot[-1] == node:
                    break
            if len(knot) > 1:
                found.append(sorted(knot))

    sys.setrecursionlimit(10000)
    for node in sorted(edges):
        if node not in index:
            visit(node)
    return found


def check_circles(tree):
    edges = unit_edges(tree)
    for knot in knots(edges):
        yield f"circle of {len(knot)} units: {', '.join(knot)}"
        for one in knot:
            for other in sorted(edges[one]):
                if other in knot:
                    file, target = edges[one][other]
                    yield f"    {file} includes {target}"


def check_libraries(tree, table):
    for file, names in tree.others.items():
        for name in names:
            for library, (beginnings, rooms) in table.libraries.items():
                if name.startswith(beginnings) and table.room(file) not in rooms and file not in rooms:
                    yield f"{file} includes <{name}>: {library} is for {', '.join(rooms)} only"
    reached = {header: header for header in PUBLIC if header in tree.ours}
    for header in list(reached):
        pending = [header]
        while pending:
            file = pending.pop()
            for target in tree.ours[file]:
                if target not in reached:
                    reached[target] = f"{reached[file]} -> {target}"
                    pending.append(target)
    for file in reached:
        for name in tree.others[file]:
            for library, (beginnings, _) in table.libraries.items():
                if name.startswith(beginnings):
                    yield f"public header {reached[file]} includes <{name}> of {library}"


def check_paragraphs(tree, table):
    for room, (header, _) in table.rooms.items():
        if header == "-":
            continue
        if header not in tree.ours:
            yield f"{room}: its main header {header} does not exist"
            continue
        comment = leading_comment((tree.root / header).read_text())
        name = room.rsplit("/", 1)[-1]
        named = "*" in room or f"{name}/" in comment or "/" in room and room in comment
        wanted = ["" if named else f"names {name}/",
                  "" if re.search(r"\b[Ss]ees?\b", comment) else "says what it sees",
                  "" if len(comment.split()) >= LEAST_WORDS else f"has {LEAST_WORDS} words"]
        missing = [one for one in wanted if one]
        if missing:
            yield f"{header}: {room} needs a leading comment that {', '.join(missing)}"


def leading_comment(text):
    lines = []
    for line in text.splitlines():
        if not line.startswith("//"):
            break
        if "SPDX" not in line:
            lines.append(line[2:])
    return "\n".join(lines)


def violations(root, table):
    tree = Tree(root)
    yield from tree.wrong
    yield from check_rooms(tree, table)
    yield from check_circles(tree)
    yield from check_libraries(tree, table)
    yield from check_paragraphs(tree, table)


# ---- The check of the check: a made-up tree that has each violation once.

MADE_UP_TABLE = """
graph          | graph/graph.h        | -
compiler       | compiler/compiler.h  | graph, compiler/plan, words
words          | -                    | graph
group words = compiler/report.h
compiler/plan  | compiler/plan/plan.h | graph, words
plugins/sdk    | plugins/sdk/sdk.h    | graph
plugins/*      | -                    | plugins/sdk
runtime        | runtime/fusebox.h    | graph, compiler, tools
tools          | -                    | runtime, lab
library LLVM   | llvm/                | compiler
library JSON   | nlohmann/            | runtime
"""
PARAGRAPH = ("// {0}/ does one thing, and this comment says at length which one, and why it does not do any other.\n"
             "// Sees {1}.\n")
MADE_UP = {
    "graph/graph.h": PARAGRAPH.format("graph", "nothing") + '#include "fusebox/compiler/plan/plan.h"\n',
    "compiler/compiler.h": PARAGRAPH.format("compiler", "graph") + '#include "fusebox/compiler/plan/plan.h"\n'
                           '#include "fusebox/compiler/report.h"\n#include <llvm/IR/Module.h>\n',
    "compiler/report.h": '#include "fusebox/graph/graph.h"\n',
    "compiler/plan/plan.h": "// plan/ is short.\n#include \"fusebox/compiler/report.h\"\n",
    "compiler/plan/plan.cc": '#include "fusebox/compiler/plan/order.h"\n',
    "compiler/plan/order.h": '#include "arena.h"\n',
    "compiler/plan/order_inl.h": '#include "fusebox/compiler/plan/plan.h"\n',
    "compiler/plan/arena.h": "",
    "plugins/sdk/sdk.h": PARAGRAPH.format("sdk", "graph"),
    "plugins/layers/dense.cc": '#include "fusebox/plugins/losses/loss.h"\n#include "fusebox/plugins/sdk/sdk.h"\n',
    "plugins/losses/loss.h": "",
    "runtime/fusebox.h": PARAGRAPH.format("runtime", "graph") + '#include "fusebox/runtime/model.h"\n'
                         '#include "fusebox/build_id.h"\n',
    "runtime/model.h": "#include <nlohmann/json.hpp>\n#include <llvm/IR/Module.h>\n"
                       '#include "fusebox/runtime/gone.h"\n',
    "runtime/odd/odd.cc": "#include <vector>\n",
}
EXPECTED = """
compiler/plan/order.h includes "arena.h": write fusebox/compiler/plan/arena.h
runtime/model.h includes runtime/gone.h, which is no file of ours
runtime/odd/ is no room: give it a line in tests/rooms.txt
graph/graph.h includes compiler/plan/plan.h: graph does not see compiler/plan
plugins/layers/dense.cc includes plugins/losses/loss.h: plugins/layers does not see plugins/losses
tests/rooms.txt: tools sees lab, which is no room
tests/rooms.txt: circle of rooms runtime, tools
circle of 4 units: compiler/plan/order, compiler/plan/plan, compiler/report, graph/graph
    compiler/plan/order_inl.h includes compiler/plan/plan.h
    compiler/plan/plan.cc includes compiler/plan/order.h
    compiler/plan/plan.h includes compiler/report.h
    compiler/report.h includes graph/graph.h
    graph/graph.h includes compiler/plan/plan.h
runtime/model.h includes <llvm/IR/Module.h>: LLVM is for compiler only
public header runtime/fusebox.h -> runtime/model.h includes <nlohmann/json.hpp> of JSON
public header runtime/fusebox.h -> runtime/model.h includes <llvm/IR/Module.h> of LLVM
compiler/plan/plan.h: compiler/plan needs a leading comment that says what it sees, has 20 words
"""


def self_test():
    with tempfile.TemporaryDirectory() as made:
        root = pathlib.Path(made)
        for file, text in MADE_UP.items():
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_text(text)
        found = list(violations(root, Table(MADE_UP_TABLE)))
    differences = list(difflib.unified_diff(EXPECTED.strip().splitlines(), found, "expected", "found", lineterm=""))
    print(*differences, sep="\n", end="\n" if differences else "")
    return not differences


def main():
    tests = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=tests.parent, help="the tree to check")
    parser.add_argument("--self-test", action="store_true", help="check the checks on a made-up tree")
    arguments = parser.parse_args()
    if arguments.self_test:
        sys.exit(0 if self_test() else 1)
    found = list(violations(arguments.root, Table((tests / "rooms.txt").read_text())))
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
