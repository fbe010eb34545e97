"""Fails when a file, a function or a folder outgrows the house limits, or when the allow-list names
something that is within them again.

usage: sizes.py ROOT [ALLOW_LIST]
An allow-list line is: path[:function] <space> reason. `#` begins a comment.
"""
import pathlib
import re
import sys

import tree

HEADER_LINES = 250
SOURCE_LINES = 600
TEST_LINES = 500
FUNCTION_LINES = 80
FOLDER_PAIRS = 15

_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.M)
_ATTRIBUTE = re.compile(r"\b(?:alignas|__attribute__|[A-Z_]+)\s*\(+[^()]*\)+")
_SCOPE = re.compile(r"\b(?:namespace|class|struct|union|enum|extern)\b")
_NAME = re.compile(r"([~\w:]+|operator\s*\S+)\s*\(")


def opens_scope(head):
    """Whether the brace after a declaration opens a namespace or a class."""
    return _SCOPE.search(head) is not None and "(" not in _ATTRIBUTE.sub("", head)


def functions(text):
    """Yields (name, first line, number of lines) of the function bodies at namespace or class scope."""
    code = tree.without_comments(text)
    code = _DIRECTIVE.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), code)
    stack = []         # one entry per open brace: True for a scope, False for a body or initialiser
    head_begin = 0     # where the declaration before the next brace begins
    body = None        # (name, first line, depth) of the function that is open
    for match in re.finditer(r"[{};]|(?:public|private|protected):", code):
        sign, at = match.group(0), match.start()
        if sign == "{":
            head = code[head_begin:at]
            is_scope = all(stack) and opens_scope(head)
            if all(stack) and not is_scope and "(" in head and body is None:
                name = _NAME.search(head)
                first = head_begin + len(head) - len(head.lstrip())
                body = (name.group(1) if name else "?", code.count("\n", 0, first) + 1, len(stack))
            stack.append(is_scope)
        elif sign == "}" and stack:
            stack.pop()
            if body and len(stack) == body[2]:
                yield body[0], body[1], code.count("\n", 0, at) + 2 - body[1]
                body = None
        head_begin = match.end()


def measures(root):
    """Yields (allow-list key, message) of everything beyond a limit."""
    pairs = {}
    for path in tree.files(root, ".h", ".cc"):
        text = (root / path).read_text()
        in_tests = path.parts[0] == "tests"
        lines = text.count("\n")
        limit = HEADER_LINES if path.suffix == ".h" else TEST_LINES if in_tests else SOURCE_LINES
        if lines > limit:
            yield str(path), f"{path}: file too long: lines={lines} limit={limit}"
        for name, line, length in functions(text):
            if length > FUNCTION_LINES:
                yield f"{path}:{name}", f"{path}:{line}: function too long: name={name} lines={length} limit={FUNCTION_LINES}"
        if not in_tests:
            pairs.setdefault(path.parent, set()).add(path.stem)
    for folder, stems in sorted(pairs.items()):
        if len(stems) > FOLDER_PAIRS:
            yield str(folder), f"{folder}: too many pairs in one folder: pairs={len(stems)} limit={FOLDER_PAIRS}"


def allow_list(path):
    allowed = {}
    for line in pathlib.Path(path).read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            key, _, reason = line.partition(" ")
            allowed[key] = reason.strip()
    return allowed


def violations(root, allowed):
    seen = set()
    for key, message in measures(root):
        seen.add(key)
        if key not in allowed:
            yield message
        elif not allowed[key]:
            yield f"{key}: the allow-list gives no reason"
    for key in sorted(allowed.keys() - seen):
        yield f"{key}: is within the limits, take it off the allow-list"


if __name__ == "__main__":
    tree.report(violations(pathlib.Path(sys.argv[1]), allow_list(sys.argv[2]) if len(sys.argv) > 2 else {}))
