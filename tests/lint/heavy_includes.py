"""Fails when a header that costs seconds per file is included where it spreads.

usage: heavy_includes.py ROOT
"""
import pathlib
import sys

import tree

# In no header of ours: forward declarations (arrow/type_fwd.h) and the .cc file do the work.
NOT_IN_HEADERS = (
    "arrow/api.h", "arrow/compute/api.h", "arrow/compute/kernel", "arrow/dataset/", "arrow/ipc/api.h",
    "arrow/acero/", "parquet/", "boost/", "grpcpp/", "CLI/", "yaml-cpp/yaml.h", "simdjson.h",
    "spdlog/", "re2/", "regex", "iostream",
)
# In no file at all: `arrow/api.h` alone costs 6 s, its parts a tenth of that.
NOWHERE = ("arrow/api.h", "regex")
# The precompiled header is the one place where compute/api.h is wanted.
EXEMPT = {"cmake/precompiled.h"}


def matches(header, rule):
    return header.startswith(rule) if rule.endswith("/") else header == rule


def violations(root):
    for path in tree.files(root, ".h", ".cc"):
        if str(path) in EXEMPT:
            continue
        rules = NOT_IN_HEADERS if path.suffix == ".h" else NOWHERE
        for line, header in tree.includes((root / path).read_text()):
            if any(matches(header, rule) for rule in rules):
                yield f"{path}:{line}: too heavy for {'a header' if path.suffix == '.h' else 'any file'}: include={header}"


if __name__ == "__main__":
    tree.report(violations(pathlib.Path(sys.argv[1])))
