"""Plants one violation per rule in a small tree and fails when the check does not report it, or when
the tree without violations is not clean.

usage: selftest.py [CLANG_FORMAT]
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CLANG_FORMAT = sys.argv[1] if len(sys.argv) > 1 else "clang-format-14"

CLEAN = {
    ".clang-format": (HERE.parent.parent / ".clang-format").read_text(),
    "common/README.md": "# common\n",
    "CMakeLists.txt": "add_library(x common/base/name.cc driver/log/record.cc bad.cc good.cc bad_test.cc)\n",
    "common/base/name.h": "#pragma once\n\n#include <string>\n\nnamespace tidemill {\n\nstd::string Name();\n\n}  // namespace tidemill\n",
    "common/base/name.cc": '#include "common/base/name.h"\n\nnamespace tidemill {\n\n'
                           '// Not code: #include "worker/x.h" {\nstd::string Name() { return "{{"; }\n\n}  // namespace tidemill\n',
    "state/README.md": "# state\n",
    "state/table.h": '#pragma once\n\n#include <rocksdb/db.h>\n\n#include "common/base/name.h"\n',
    "driver/README.md": "# driver\n",
    "driver/log/record.cc": '#include "proto/log.pb.h"\n',
    "worker/README.md": "# worker\n",
    "worker/slot.h": '#pragma once\n\n#include "state/table.h"\n',
}

UNIT = """[Unit]
Description=x

[Service]
User=tidemill
ExecStart=/usr/bin/tidemill driver --root %S/tidemill
StateDirectory=tidemill
Restart=on-failure
RestartPreventExitStatus=2 10
KillSignal=SIGTERM
TimeoutStopSec=60
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
CapabilityBoundingSet=
"""
CONTAINER = """FROM debian:12 AS build
COPY common common

FROM debian:12-slim
COPY --from=build /x /
USER tidemill
CMD ["driver"]
"""


def unit(old="", new=""):
    return {"deploy/README.md": "# deploy\n", "deploy/systemd/x.service": UNIT.replace(old, new) if old else UNIT}


def container(old="", new=""):
    return {"deploy/container/Containerfile": CONTAINER.replace(old, new) if old else CONTAINER}


def long_function(lines):
    body = "".join(f"  value += {i};\n" for i in range(lines - 2))
    return f"namespace tidemill {{\n\nclass Sum {{\n public:\n  int Add();\n}};\n\nint Sum::Add() {{\n{body}}}\n\n}}  // namespace tidemill\n"


# check -> planted files -> what the report must name
PLANTED = [
    ("layering.py", {"state/bad.cc": '#include "driver/plan.h"\n'}, "state must not include driver/"),
    ("layering.py", {"driver/bad.h": '#pragma once\n#include "worker/slot.h"\n'}, "driver must not include worker/"),
    ("layering.py", {"worker/bad.cc": '#include "driver/log/record.h"\n'}, "worker must not include driver/"),
    ("layering.py", {"common/bad.cc": '  #  include "tests/testing/x.h"\n'}, "common must not include tests/"),
    ("layering.py", {"connectors/bad.cc": '#include "proto/plan.pb.h"\n'}, "connectors must not include proto/"),
    ("layering.py", {"worker/bad.cc": "#include <rocksdb/db.h>\n"}, "rocksdb/ is included only in"),
    ("layering.py", {"common/bad.cc": '#include "absl/strings/str_cat.h"\n'}, "absl/ is included only in no folder"),
    ("layering.py", {"worker/operators/bad.cc": '#include "proto/plan.pb.h"\n'}, "generated types stay in"),
    ("heavy_includes.py", {"common/bad.h": "#pragma once\n#include <arrow/api.h>\n"}, "too heavy for a header"),
    ("heavy_includes.py", {"common/bad.h": "#pragma once\n#include <arrow/compute/api.h>\n"}, "too heavy for a header"),
    ("heavy_includes.py", {"common/bad.h": "#pragma once\n#include <boost/asio.hpp>\n"}, "too heavy for a header"),
    ("heavy_includes.py", {"common/bad.cc": "#include <arrow/api.h>\n"}, "too heavy for any file"),
    ("sql_states.py", {"common/base/sql_state.cc": "", "state/bad.cc": 'MakeError(ErrorKind::kBug, "NO_STATE", "x");\n'},
     "error class without a SQLSTATE in common/base/sql_state.cc: class=NO_STATE"),
    ("sql_states.py", {"common/base/sql_state.cc": "", "state/bad.cc": 'Failed(std::string_view error_class);\nFailed("X_Y.Z");\n'},
     "class=X_Y"),
    ("sql_states.py", {"common/base/sql_state.cc": '{"B", "22000"},\n{"A", "22000"},\n'}, "not sorted: class=A"),
    ("headers.py", {"common/bad.h": "#include <string>\n#pragma once\n"}, "must be #pragma once"),
    ("headers.py", {"common/bad.h": "#ifndef COMMON_BAD_H_\n#define COMMON_BAD_H_\n#endif\n"}, "must be #pragma once"),
    ("sizes.py", {"common/bad.h": "#pragma once\n" + "\n" * 250}, "bad.h: file too long: lines=251"),
    ("sizes.py", {"common/bad.cc": "\n" * 601}, "bad.cc: file too long: lines=601"),
    ("sizes.py", {"tests/common/bad_test.cc": "\n" * 501}, "bad_test.cc: file too long: lines=501"),
    ("sizes.py", {"common/bad.cc": long_function(81)}, "function too long: name=Sum::Add lines=81"),
    ("sizes.py", {f"common/part{i}.h": "#pragma once\n" for i in range(16)}, "too many pairs in one folder"),
    ("sizes.py", {"allowed.txt": "common/base/name.cc it was long once\n"}, "take it off the allow-list"),
    ("sizes.py", {"allowed.txt": "common/bad.cc\n", "common/bad.cc": "\n" * 601}, "gives no reason"),
    ("readmes.py", {"worker/README.md": None}, "worker: no README.md"),
    ("readmes.py", {"worker/README.md": "\n" * 41}, "worker/README.md: too long"),
    ("built.py", {"common/lost.cc": "\n"}, "common/lost.cc: no CMakeLists.txt names it"),
    ("format.py", {"common/bad.cc": "int  f( ) {return 1;}\n"}, "code should be clang-formatted"),
    ("packaging.py", unit("[Service]", "[Srevice]"), "unknown section: Srevice"),
    ("packaging.py", unit("KillSignal", "KillSingal"), "unknown key in [Service]: KillSingal"),
    ("packaging.py", unit("strict", "full"), "ProtectSystem must be strict"),
    ("packaging.py", unit("2 10", "2"), "RestartPreventExitStatus must hold 10 2"),
    ("packaging.py", unit("/usr/bin/", ""), "ExecStart must start /usr/bin/tidemill"),
    ("packaging.py", container("COPY common", "COPY lost"), "no such file to COPY: lost"),
    ("packaging.py", container("=build", "=biuld"), "no such stage: --from=biuld"),
    ("packaging.py", container("USER tidemill", "USER root"), "must have a USER that is not root"),
    ("packaging.py", container("USER", "USR"), "unknown instruction: USR"),
    ("packaging.py", container('["driver"]', "driver"), "CMD must be a list of words"),
]
FINE = [
    ("packaging.py", {**unit(), **container()}),
    ("sizes.py", {"common/good.cc": long_function(80), "common/good.h": "#pragma once\n" + "\n" * 249}),
    ("sizes.py", {"allowed.txt": "common/bad.cc a table of constants\n", "common/bad.cc": "\n" * 601}),
]


def write(root, tree):
    for name, text in tree.items():
        path = root / name
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def run(check, planted):
    root = pathlib.Path(tempfile.mkdtemp(prefix="tidemill-lint-"))
    try:
        write(root, CLEAN)
        write(root, planted)
        arguments = {"format.py": [CLANG_FORMAT], "sizes.py": [str(root / "allowed.txt")] if "allowed.txt" in planted else []}
        done = subprocess.run([sys.executable, str(HERE / check), str(root), *arguments.get(check, [])],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout
    finally:
        shutil.rmtree(root)


def main():
    failures = 0

    def expect(is_right, what, output):
        nonlocal failures
        if not is_right:
            failures += 1
            print(f"FAILED {what}\n{output}")

    checks = sorted({check for check, *_ in PLANTED})
    for check, planted in [(check, {}) for check in checks] + FINE:
        code, output = run(check, planted)
        expect(code == 0, f"{check} reports a tree without violations {sorted(planted)}", output)
    for check, planted, words in PLANTED:
        code, output = run(check, planted)
        expect(code == 1 and words in output, f"{check} misses {words!r} in {sorted(planted)}", output)
    print(f"{len(checks) + len(FINE)} clean trees, {len(PLANTED)} planted violations, {failures} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
