"""Fails when a folder with sources has no README.md, neither itself nor in a folder above it, or
when a folder's README.md is longer than 40 lines.

usage: readmes.py ROOT
"""
import pathlib
import sys

import tree

LINES = 40


def violations(root):
    readmes = {path.parent for path in tree.files(root, ".md") if path.name == "README.md"}
    sources = {path.parent for path in tree.files(root, ".h", ".cc", ".proto", ".py", ".yaml")}
    top = pathlib.Path(".")
    for folder in sorted(sources - {top}):
        covering = {folder, *folder.parents} - {top}
        if not covering & readmes:
            yield f"{folder}: no README.md: say what the folder is for, its main types, what it must not know"
    for folder in sorted(readmes - {top}):
        lines = (root / folder / "README.md").read_text().count("\n")
        if lines > LINES:
            yield f"{folder}/README.md: too long: lines={lines} limit={LINES}"


if __name__ == "__main__":
    tree.report(violations(pathlib.Path(sys.argv[1])))
