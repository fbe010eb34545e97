"""Fails when no build file names a source, so that nobody would miss what it tests or does.

usage: built.py ROOT
"""
import pathlib
import re
import sys

import tree


def violations(root):
    named = set()
    for path in tree.files(root, ".txt", ".cmake"):
        if path.name == "CMakeLists.txt" or path.suffix == ".cmake":
            named |= {name.removesuffix(".cc") for name in re.findall(r"[\w-]+(?:\.cc)?", (root / path).read_text())}
    for source in tree.files(root, ".cc"):
        if source.stem not in named:
            yield f"{source}: no CMakeLists.txt names it, so it is not built"


if __name__ == "__main__":
    tree.report(violations(pathlib.Path(sys.argv[1])))
