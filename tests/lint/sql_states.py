"""Fails when an error class has no SQLSTATE in common/base/sql_state.cc, or when the table is out of order.

usage: sql_states.py ROOT
"""
import pathlib
import re
import sys

import tree

TABLE = "common/base/sql_state.cc"
FOLDERS = ("common", "state", "connectors", "driver", "worker", "deploy")
ENTRY = re.compile(r'\{"([A-Z][A-Z0-9_]*)", "([0-9A-Z]{5})"\}')
CLASS = r'"([A-Z][A-Z0-9_]*)(?:\.[A-Z0-9_]*)?"'
# Where a class is an argument: of MakeError, behind the kind, or first of a function whose parameter is called so.
RAISED = re.compile(r"ErrorKind::k\w+,\s*(?:std::string\()?" + CLASS)
PARAMETER = re.compile(r"(\w+)\(\s*(?:const\s+)?std::string(?:_view)?\s*&?\s*error_class\b")
# Literals with a subclass behind a dot, whoever takes them.
SUBCLASSED = re.compile(r'"([A-Z][A-Z0-9]*_[A-Z0-9_]*)\.(?:[A-Z0-9_]*|\{\})"')


def raised(texts):
    """Yields (class, place) of all error classes in the sources."""
    helpers = {name for text in texts.values() for name in PARAMETER.findall(text)} - {"SqlStateOf", "MakeError"}
    patterns = [RAISED, SUBCLASSED, *(re.compile(rf"\b{name}\(\s*{CLASS}") for name in helpers)]
    for path, text in texts.items():
        for pattern in patterns:
            for match in pattern.finditer(text):
                yield match.group(1), f"{path}:{text.count(chr(10), 0, match.start()) + 1}"


def violations(root):
    root = pathlib.Path(root)
    table_path = root / TABLE
    if not table_path.exists():
        return
    entries = ENTRY.findall(table_path.read_text())
    names = [name for name, _ in entries]
    yield from (f"{TABLE}: not sorted: class={later}" for name, later in zip(names, names[1:]) if name >= later)
    texts = {path: tree.without_comments((root / path).read_text(), keep_strings=True)
             for path in tree.files(root, ".h", ".cc") if path.parts[0] in FOLDERS and str(path) != TABLE}
    reported = set()
    for name, place in raised(texts):
        if name not in names and name not in reported:
            reported.add(name)
            yield f"{place}: error class without a SQLSTATE in {TABLE}: class={name}"


if __name__ == "__main__":
    found = list(violations(sys.argv[1]))
    print("\n".join(found))
    sys.exit(1 if found else 0)
