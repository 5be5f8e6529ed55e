#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Doxygen's input filter: a header with // comments goes in, the same header with doxygen's comments comes out.

  filter.py HEADER

Line numbers stay. Which comment documents what:

  // The file's opening comment documents the file.

  // A comment documents the declaration below it, and those that follow up to a blank line or the next comment.
  int64_t first;
  int64_t second;
  int64_t third;  // A comment at the end of a declaration documents that declaration alone.

An enumerator without a comment has its enum's, and a constructor its class's. Text that is indented in a comment is code.
"""

import re
import sys

SCOPE = re.compile(r"^\s*(?:typedef\s+)?(?:template\b.*>\s*)?(?:inline\s+)?"
                   r"(namespace\b|struct\b|class\b|enum\b(?:\s+class\b)?|union\b|extern \"C\")\s*(?:\[\[[^\]]*\]\]\s*)?([\w:]*)")
SKIPPED = re.compile(r"=\s*(?:delete|default)\s*;|^\s*(?:virtual\s+)?~|^\s*friend\b|static_assert|^\s*using namespace\b"
                     r"|\boperator=\(|^template <>")


def escaped(text):
    """Prose as doxygen shows it: nothing in it is a command or a tag."""
    out = []
    for i, piece in enumerate(text.split("`")):
        piece = re.sub(r"([\\@<>&#$%])", r"\\\1", piece).replace("--", "\\--").replace("*/", "*&zwj;/")
        out.append(piece if i % 2 == 0 else "<code>" + piece + "</code>")
    return "".join(out)


def split_comment(line):
    """Code and trailing comment of a line; // within a string is none."""
    quote = ""
    for i, c in enumerate(line):
        if quote:
            if c == quote and line[i - 1] != "\\":
                quote = ""
        elif c == '"':
            quote = c
        elif line.startswith("//", i):
            return line[:i].rstrip(), line[i + 2:].removeprefix(" ")
    return line.rstrip(), None


def bare(code):
    """Code without the contents of strings and characters, for counting brackets."""
    return re.sub(r"'(?:\\.|[^'\\])'|\"(?:\\.|[^\"\\])*\"", '""', code)


def prose(lines):
    """A comment in one line, without its code."""
    return escaped(" ".join(line.strip() for line in lines if not line.startswith("  ")))


def block(lines, indent):
    """A comment, line by line."""
    out, code = [], False
    for line in lines:
        is_code = line.startswith("  ") or (code and not line.strip())
        text = line if is_code else escaped(line)
        # The marks of code take no line of their own.
        if is_code and not code:
            text = "\\code{.cpp}\n" + indent + "/// " + text
        if code and not is_code:
            out[-1] += "\n" + indent + "/// \\endcode"
        code = is_code
        out.append(f"{indent}/// {text}".rstrip())
    if code:
        out[-1] += "\n" + indent + "/// \\endcode"
    return out


def declarations(code):
    """"int a = 0, *b;" -> "int a = 0;" and "int *b;"; nothing for what is no statement of several variables."""
    if not code.endswith(";") or "(" in code or "using " in code:
        return []
    parts, depth, begin = [], 0, 0
    for i, c in enumerate(code):
        depth += (c in "<{[") - (c in ">}]")
        if c in ",;" and depth == 0:
            parts.append(code[begin:i].strip())
            begin = i + 1
    first = re.match(r"(.*[\w>])\s+[*&]*\w+(?:\[.*\])?\s*(?:=.*)?$", parts[0])
    if len(parts) < 2 or not first:
        return []
    return [f"{part};" if part is parts[0] else f"{first[1]} {part};" for part in parts]


class Filter:
    def __init__(self, lines):
        self.lines = lines
        self.out = list(lines)
        self.scopes = []  # (kind, name, documentation in one line)
        self.comment = []  # Numbers of the lines of the comment above.
        self.paragraph = ""

    def text_of(self, numbers):
        return [self.lines[n].strip()[2:].removeprefix(" ") for n in numbers]

    def statement_end(self, begin):
        """The last line of the statement that begins here, and whether it opens a scope."""
        depth = 0
        opens = SCOPE.match(self.lines[begin]) is not None
        if re.match(r"^\s*template\b", self.lines[begin]):
            follows = self.lines[begin + 1] if begin + 1 < len(self.lines) else ""
            opens = opens or SCOPE.match(follows) is not None
        for n in range(begin, len(self.lines)):
            code = bare(split_comment(self.lines[n])[0])
            if opens and depth == 0 and code.endswith("{"):
                return n, True
            depth += sum(code.count(c) for c in "({[") - sum(code.count(c) for c in ")}]")
            if depth <= 0 and (code.endswith(";") or code.endswith("}")):
                return n, False
        return len(self.lines) - 1, False

    def document_file(self, n):
        begin = n
        while n < len(self.lines) and self.lines[n].startswith("//"):
            n += 1
        written = block(self.text_of(range(begin, n)), "")
        if written:
            written[0] = "/// \\file\n" + written[0]
        self.out[begin:n] = written
        return n

    def document(self, n, documentation):
        """Puts a comment of one line before the declaration."""
        indent = re.match(r"\s*", self.lines[n])[0]
        self.out[n] = f"{indent}/** {documentation} */ {self.out[n].lstrip()}"

    def enumerators(self, begin, end, documentation):
        for n in range(begin, end + 1):
            code, trailing = split_comment(self.lines[n])
            if n == begin:
                head, _, code = code.partition("{")
            above = self.text_of(self.comment) if self.comment else []
            if not code.strip():
                self.comment = self.comment + [n] if trailing is not None and n > begin else []
                if trailing is not None and n > begin:
                    self.out[n] = ""
                continue
            self.comment = []
            text = " ".join(filter(None, [prose(above), escaped(trailing) if trailing and n > begin else ""]))
            documented = text or documentation
            if documented:
                body, brace, rest = code.partition("}")
                note = f" /**< {documented} */"
                body = re.sub(r"\b([A-Za-z_]\w*(?:\s*=\s*[^,]*[^,\s])?)(?=\s*(?:,|$))", lambda m: m[0] + note, body)
                code = body + brace + rest
            self.out[n] = (head + "{" if n == begin else "") + code

    def run(self):
        n = 0
        if self.lines and "SPDX" in self.lines[0]:
            self.out[0] = ""
            n = self.document_file(1)
        while n < len(self.lines):
            line = self.lines[n]
            code, trailing = split_comment(line)
            if not line.strip():
                self.comment, self.paragraph = [], ""
            elif not code:
                self.comment = self.comment + [n]
            elif code.lstrip().startswith("#"):
                if self.comment and code.lstrip().startswith("#define"):
                    self.put_comment("")
                self.comment = []
                while self.lines[n].endswith("\\"):
                    n += 1
            elif re.match(r"^\s*(public|protected|private):", code):
                self.comment, self.paragraph = [], ""
            elif re.match(r"^\s*\}", code):
                if self.scopes:
                    self.scopes.pop()
                self.comment, self.paragraph = [], ""
            else:
                n = self.statement(n, code)
            n += 1
        return "\n".join(self.out)

    def put_comment(self, indent):
        for number, text in zip(self.comment, block(self.text_of(self.comment), indent)):
            self.out[number] = text

    def statement(self, n, code):
        end, opens = self.statement_end(n)
        kind, name = "", ""
        for probe in range(n, end + 1):
            match = SCOPE.match(self.lines[probe])
            if match and (opens or match[1].startswith("enum")):
                kind, name = match[1].split()[0] if match[1][0] == "e" and match[1] != 'extern "C"' else match[1], match[2]
                break
        trailing = split_comment(self.lines[end])[1]
        # What stands at the end may go on below, at the same column.
        last = end
        column = self.lines[end].find("//") if trailing is not None else -1
        while trailing is not None and last + 1 < len(self.lines):
            below = self.lines[last + 1]
            if not below.lstrip().startswith("//") or len(below) - len(below.lstrip()) != column or column < 20:
                break
            trailing += " " + below.strip()[2:].strip()
            self.out[last + 1] = ""
            last += 1
        whole = " ".join(split_comment(text)[0].strip() for text in self.lines[n:end + 1])
        skipped = SKIPPED.search(whole)
        if skipped and opens:  # A specialisation, with all that is in it.
            while last + 1 < len(self.lines) and not self.lines[last].startswith("}"):
                last += 1
        own = " ".join(filter(None, [prose(self.text_of(self.comment)), escaped(trailing) if trailing else ""]))
        if skipped:
            for number in [*self.comment, *range(n, last + 1)]:
                self.out[number] = ""
            self.comment = []
            return last
        if kind not in ("namespace", 'extern "C"'):
            several = own or self.paragraph if declarations(whole) else ""
            if several:
                self.paragraph = several if self.comment or not own else ""
                for number in [*self.comment, *range(n, last + 1)]:
                    self.out[number] = ""
                self.out[n] = " ".join(f"/** {several} */ {one}" for one in declarations(whole))
                self.comment = []
                return last
            if self.comment:
                self.put_comment(re.match(r"\s*", self.lines[n])[0])
                if trailing and kind != "enum":
                    self.out[self.comment[-1]] += " " + escaped(trailing)
                self.paragraph = own
            elif trailing:
                self.document(n, escaped(trailing))
                self.paragraph = ""
            elif self.paragraph and kind == "":
                self.document(n, self.paragraph)
            elif self.scopes and self.scopes[-1][1] and re.match(
                    rf"^\s*(?:constexpr |consteval |explicit |template <[^;]*> )*{self.scopes[-1][1]}\(", code):
                self.document(n, self.scopes[-1][2])
            elif kind == "enum" and trailing:
                self.document(n, escaped(trailing))
        if trailing is not None and kind != "enum":
            self.out[end] = split_comment(self.out[end])[0] if n != end else self.out[end][:self.out[end].rfind("//")].rstrip()
        self.comment = []
        if kind == "enum":
            close = end
            while "}" not in split_comment(self.lines[close])[0]:
                close += 1
            self.enumerators(n, close, own or self.paragraph)
            self.comment, self.paragraph = [], ""
            return close
        if opens:
            self.scopes.append((kind, name, own))
            self.paragraph = ""
        return last


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.stdout.write(Filter(file.read().split("\n")).run())
