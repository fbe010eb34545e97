"""Fails when a header does not begin with `#pragma once`, or carries a classic include guard.

usage: headers.py ROOT
"""
import pathlib
import re
import sys

import tree

GUARD = re.compile(r"^[ \t]*#[ \t]*ifndef[ \t]+\w+_H_?\b", re.M)


def violations(root):
    for path in tree.files(root, ".h"):
        code = tree.without_comments((root / path).read_text())
        if code.strip().split("\n")[0].strip() != "#pragma once":
            yield f"{path}: the first line of code must be #pragma once"
        if GUARD.search(code):
            yield f"{path}: #pragma once replaces include guards"


if __name__ == "__main__":
    tree.report(violations(pathlib.Path(sys.argv[1])))
