# SPDX-License-Identifier: Apache-2.0
"""Measures a tree. "Sources" are the .h and .cc files of graph, compiler, plugins, runtime and tools.

  files       lines of sources, the longest first
  functions   lines from the first of the signature to the closing brace, the longest first. Found by a scan of braces:
              a function is a block that opens in a namespace or a class, after something with parentheses. Lambdas and
              local classes count as part of the function that they stand in; tables are no functions.
  circles     units (a header with its source) that reach each other by includes: tests/rooms.py
  columns     lines of more than 120 characters
  Op::k       uses outside graph/op*, graph/ops* and graph/evaluate*, and how many files have one
  recipes     which files name an example of each: what adding another one touches
"""
import pathlib
import re
import sys

import rooms

SHOWN = 8
# What a recipe adds: an example that the tree has, and how its name stands in sources.
EXAMPLES = {
    "elementwise op (erf)": r'\bkErf\b|"erf"|inline Value Erf\(',
    "structural op (transpose)": r'\bkTranspose\b|"transpose"|inline Value Transpose\(',
    "layer (gaussian_noise)": r"\bGaussianNoise\b|\bgaussian_noise\b",
    "pass (layout)": r"\bChooseLayouts\b",
    "verb (opt)": r"\bAddOpt\b|VERB\(Opt\)",
}


def without_comments_and_strings(text):
    """The same lines, with blanks for what braces may not be looked for in."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])

    pattern = r'R"(\w*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\''
    return re.sub(pattern, blank, text, flags=re.S)


def functions(text):
    """(lines, number of the first line, signature) of each function."""
    text = without_comments_and_strings(text)
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.M)
    stack, begin, parentheses = [], 0, 0
    for at, c in enumerate(text):
        if c in "()":
            parentheses += 1 if c == "(" else -1
        elif c == "{":
            head = text[begin:at]
            inside = bool(stack) and stack[-1][0] != "scope"
            if inside or parentheses:
                kind = "block"
            elif re.search(r"\b(namespace|class|struct|union|enum|extern)\b[^()]*$", head):
                kind = "scope"
            elif "(" in head and not re.search(r"(?<![=!<>])=(?!=)\s*$", head):
                kind = "function"
            else:
                kind = "block"  # A table, or a member's initial value.
            stack.append((kind, begin))
            begin = at + 1 if not inside and not parentheses else begin
        elif c == "}" and stack:
            kind, start = stack.pop()
            if kind == "function":
                first = start + len(text[start:at]) - len(text[start:at].lstrip())
                yield (text.count("\n", first, at) + 1, text.count("\n", 0, first) + 1,
                       " ".join(text[first:text.index("{", first)].split()))
            if not parentheses:
                begin = at + 1
        elif c == ";" and not parentheses:
            begin = at + 1


def main():
    root = pathlib.Path(sys.argv[1])
    tree = rooms.Tree(root)
    texts = {file: (root / file).read_text() for file in tree.ours}

    print("longest files")
    for file in sorted(texts, key=lambda f: -texts[f].count("\n"))[:SHOWN]:
        print(f"  {texts[file].count(chr(10)):5}  {file}")

    print("longest functions")
    found = [(*one, file) for file, text in texts.items() for one in functions(text)]
    for lines, first, signature, file in sorted(found, key=lambda f: (-f[0], f[3]))[:SHOWN]:
        print(f"  {lines:5}  {file}:{first}  {signature[:80]}")

    knots = rooms.knots(rooms.unit_edges(tree))
    print(f"units in circles\n  {sum(map(len, knots)):5}  in {len(knots)} circles")
    print(f"words of README.md\n  {len((root / 'README.md').read_text().split()):5}")

    def wide(texts):
        return sum(len(line) > 120 for text in texts for line in text.splitlines())

    others = [path for top in ("examples", "tests", "docs") for path in (root / top).rglob("*")
              if path.suffix in (".h", ".cc", ".md")]
    print(f"lines over 120 columns\n  {wide(texts.values()):5}  in sources")
    print(f"  {wide(p.read_text() for p in [*others, *root.glob('*.md')]):5}  in examples, tests and documents")

    named = {file: len(re.findall(r"\bOp::k[A-Z]", text)) for file, text in texts.items()
             if not re.match(r"graph/(op\b|ops|evaluate)", file)}
    files = [file for file in named if named[file]]
    print(f"Op::k outside the op tables and the evaluator\n  {sum(named.values()):5}  in {len(files)} files")
    for room in sorted({rooms.folder(file) for file in files}):
        print(f"  {sum(n for file, n in named.items() if rooms.folder(file) == room):5}  {room}")

    print("files that name an example of each recipe")
    inc = {p.relative_to(root).as_posix(): p.read_text() for p in root.glob("tools/*.inc")}
    for what, pattern in EXAMPLES.items():
        naming = sorted(file for file, text in (texts | inc).items() if re.search(pattern, text))
        print(f"  {len(naming):5}  {what}: {' '.join(naming)}")


if __name__ == "__main__":
    main()
