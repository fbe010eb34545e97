"""Fails when a C++ file is not formatted as .clang-format says.

usage: format.py ROOT [CLANG_FORMAT]
"""
import os
import pathlib
import subprocess
import sys

import tree


def main(root, program):
    paths = [str(path) for path in tree.files(root, ".h", ".cc")]
    share = max(1, len(paths) // (os.cpu_count() or 1) + 1)
    running = [
        subprocess.Popen([program, "--dry-run", "-Werror", "--style=file", *paths[i:i + share]], cwd=root)
        for i in range(0, len(paths), share)
    ]
    sys.exit(1 if any([process.wait() for process in running]) else 0)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "clang-format-14")
