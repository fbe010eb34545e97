"""Fails when a folder with sources has no README.md, neither itself nor in a folder above it, or
when a folder's README.md is longer than 40 lines or does not begin with "# <folder>".

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
        text = (root / folder / "README.md").read_text()
        if text.count("\n") > LINES:
            yield f"{folder}/README.md: too long: lines={text.count(chr(10))} limit={LINES}"
        if not text.startswith(f"# {folder}"):
            yield f"{folder}/README.md: does not begin with '# {folder}'"


if __name__ == "__main__":
    tree.report(violations(pathlib.Path(sys.argv[1])))
