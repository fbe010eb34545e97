"""Fails when a folder includes what it may not depend on: another folder of ours, or a third-party
library that has its one home elsewhere.

usage: layering.py ROOT
"""
import pathlib
import sys

import tree

# folder -> the folders it may include, beside itself (design: includes go one way)
ALLOWED = {
    "proto": set(),
    "common": set(),
    "state": {"common"},
    "connectors": {"common"},
    "worker": {"common", "proto", "state", "connectors"},
    "driver": {"common", "proto", "connectors"},
    "deploy": {"common", "proto", "connectors", "driver", "worker", "state"},
}

# prefix of an include -> the paths that may have it; nobody else sees the library
HOMES = {
    "rocksdb/": ("state/",),
    "librdkafka/": ("connectors/",),
    "yaml-cpp/": ("driver/spec/",),
    "CLI/": ("deploy/",),
    "re2/": ("common/",),
    "utf8proc": ("common/",),
    "simdjson": ("common/", "connectors/"),
    "grpcpp/": ("common/rpc/", "worker/exchange/", "driver/api/", "deploy/"),
    "boost/": ("driver/http/",),
    "prometheus/": ("driver/api/",),
    "absl/": (),
    "folly/": (),
}

# Generated protobuf types stop where plans are built and where wire and log are written.
PROTO_HOMES = ("common/rpc/", "driver/plan/", "driver/log/", "driver/job/", "driver/rpc/", "driver/cluster/",
               "driver/api/", "worker/plan/", "worker/rpc/", "worker/cluster/", "worker/worker.",
               "worker/job_on_worker.", "deploy/")


def violations(root):
    for path in tree.files(root, ".h", ".cc"):
        folder = path.parts[0]
        if folder not in ALLOWED:
            continue
        for line, header in tree.includes((root / path).read_text()):
            where = f"{path}:{line}"
            target = header.split("/")[0]
            if target in ALLOWED.keys() | {"tests"} and target not in ALLOWED[folder] | {folder}:
                yield f"{where}: {folder} must not include {target}/: include={header}"
            for prefix, homes in HOMES.items():
                if header.startswith(prefix) and not str(path).startswith(homes):
                    yield f"{where}: {prefix} is included only in {' '.join(homes) or 'no folder'}: include={header}"
            generated = header.endswith(".pb.h") or header.startswith("google/protobuf/")
            if generated and not str(path).startswith(PROTO_HOMES):
                yield f"{where}: generated types stay in {' '.join(PROTO_HOMES)}: include={header}"


if __name__ == "__main__":
    tree.report(violations(pathlib.Path(sys.argv[1])))
