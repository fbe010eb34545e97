"""Runs *.test files through `tidemill run` and compares the rows of each micro-batch with Spark's.

usage: run.py TIDEMILL [--shard I/N] [NAME...]     NAME: a file without .test, or the begin of names
                                                   with a * behind; default all
"""
import collections
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import query_file

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "testing"))
import sharded  # noqa: E402

SECONDS = 60
# Of fields that a file names under `== doubles`: sums in another order differ in the last digits.
RELATIVE_TOLERANCE = 1e-9
BATCH = re.compile(r'^\{"batchId":(\d+),"rows":\[(.*)\]\}$', re.S)
# Spark's placeholder for errors that have no class: only their message is compared.
NO_CLASS = "_LEGACY_ERROR_TEMP"
# What our messages say otherwise on purpose: a pattern that is replaced in both, with the reason.
ON_PURPOSE = [
    # What the parser expected there is its own business: Spark tells what its generator says.
    (re.compile(r"(Syntax error at or near .*?): .*"), r"\1"),
    # There are no catalogs that a name could be looked for in.
    (re.compile(r"Search path: \[.*?\]\. If you did not qualify .* IF EXISTS"), ""),
    (re.compile(r" on search path \[.*?\]"), ""),
    # Spark spells window calls of streams its own way, without PARTITION BY and ORDER BY.
    (re.compile(r"(Window function is not supported) in .*? (on streaming DataFrames/Datasets)"), r"\1 \2"),
    (re.compile(r" \(window specification: .*\)"), ""),
    # Spark's pages say nothing about us; the hint of the error shows the usage.
    (re.compile(r" Please, refer to '[^']*' for a fix"), ""),
]


def yaml_text(text):
    return json.dumps(text, ensure_ascii=False)


def source_yaml(source, folder):
    lines = [f"  {source.name}:", f"    format: {source.format}", f"    path: {folder}/{source.name}"]
    options = dict(source.options) if source.is_static else {"maxFilesPerTrigger": "1", **source.options}
    if source.schema:
        lines.append(f"    schema: {yaml_text(source.schema)}")
    elif options.pop("inferSchema", "") == "true":
        lines.append("    inferSchema: true")
    if source.watermark:
        column, delay = source.watermark
        lines.append(f"    watermark: {{column: {yaml_text(column)}, delay: {yaml_text(delay)}}}")
    if source.duplicates:
        method, columns = source.duplicates
        within = "true" if method.endswith("WithinWatermark") else "false"
        lines.append(f"    dropDuplicates: {{columns: [{', '.join(columns)}], withinWatermark: {within}}}")
    if source.is_static:
        lines.append("    mode: batch")
    lines.append("    options:" + " {}" * (not options))
    return lines + [f"      {key}: {yaml_text(value)}" for key, value in options.items()]


def job_yaml(query, folder):
    lines = ["sources:" + " {}" * (not query.sources)]
    for source in query.sources:
        lines += source_yaml(source, folder)
    lines += ["query: |", *("  " + line for line in query.text.splitlines())]
    lines += ["sink:", "  format: console", "  options: {style: json}", f"outputMode: {query.output}",
              "trigger: available-now"]
    if query.settings:
        lines += ["settings:", *(f"  {key}: {yaml_text(value)}" for key, value in query.settings.items())]
    return "\n".join(lines) + "\n"


def sql_text(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def script(query, folder):
    """A bounded query with its tables as a script for `tidemill sql`."""
    statements = [f"SET {key} = {value}" for key, value in query.settings.items()]
    for source in query.sources:
        options = {"path": f"{folder}/{source.name}", **source.options}
        columns = f" ({source.schema})" if source.schema else ""
        items = ", ".join(f"{sql_text(key)} {sql_text(value)}" for key, value in options.items())
        statements.append(f"CREATE TABLE {source.name}{columns} USING {source.format} OPTIONS ({items})")
    return ";\n".join([*statements, query.text]) + "\n"


def rows_of(line):
    """Splits one line of the console's JSON style into its batch id and the texts of its rows."""
    match = BATCH.match(line)
    if not match:
        raise ValueError(f"not a line of console style json: {line[:200]}")
    rows, depth, begin, in_string, skip = [], 0, 0, False, False
    body = match.group(2)
    for at, sign in enumerate(body):
        if skip:
            skip = False
        elif in_string:
            skip = sign == "\\"
            in_string = sign != '"'
        elif sign == '"':
            in_string = True
        elif sign in "{[":
            depth += 1
            begin = at if depth == 1 else begin
        elif sign in "}]":
            depth -= 1
            if depth == 0:
                rows.append(body[begin:at + 1])
    return int(match.group(1)), rows


def split_doubles(rows, names):
    """Rows without the fields `names` as comparable texts, and the values of these fields apart."""
    exact, doubles = [], collections.defaultdict(list)
    for row in rows:
        row = json.loads(query_file.canonical(row))
        values = [float(value.get("number", "nan") if isinstance(value, dict) else value)
                  for name, value in row["fields"] if name in names]
        row["fields"] = [field if field[0] not in names else field[:1] for field in row["fields"]]
        exact.append(json.dumps(row, ensure_ascii=False))
        doubles[exact[-1]].append(values)
    return exact, {row: sorted(values) for row, values in doubles.items()}


def is_close(want, got):
    return (math.isnan(want) and math.isnan(got)) or math.isclose(want, got, rel_tol=RELATIVE_TOLERANCE)


def difference(query, want, got):
    want, want_doubles = split_doubles(want, query.doubles)
    got, got_doubles = split_doubles(got, query.doubles)
    if query.is_ordered and want != got and sorted(want) == sorted(got):
        return ["  the rows are right, their order is not:", *(f"  + {row}" for row in got)]
    lines = [f"  - {row}" for row in (collections.Counter(want) - collections.Counter(got)).elements()]
    lines += [f"  + {row}" for row in (collections.Counter(got) - collections.Counter(want)).elements()]
    if lines:
        return lines
    for row, values in want_doubles.items():
        pairs = zip(values, got_doubles[row])
        if not all(is_close(*pair) for want, got in pairs for pair in zip(want, got)):
            lines += [f"  {query.doubles} of {row}:", f"  - {values}", f"  + {got_doubles[row]}"]
    return lines


def comparable_message(text):
    text = " ".join(text.split()).rstrip(".")
    for pattern, replacement in ON_PURPOSE:
        text = pattern.sub(replacement, text)
    return text.strip().rstrip(".")


def error_problems(error, stderr):
    """What is wrong with the error that was printed."""
    name = r"\w[\w.]*" if error.name.startswith(NO_CLASS) else re.escape(error.name)
    match = re.search(rf"error\[{name}\]: (.*?)(?=\n\s+(?:-->|=|\|)|\Z)", stderr.strip(), re.S)
    if not match:
        return [f"stderr does not say [{error.name}]"]
    message, has_state, _ = match.group(1).partition(" SQLSTATE: ")
    if not has_state:
        return ["the error has no SQLSTATE"]
    want, got = comparable_message(error.message), comparable_message(message)
    if error.is_class_only or not want or want == got:
        return []
    return ["the message differs:", f"  - {want}", f"  + {got}"]


def run(binary, query, folder):
    """Returns the finished process and the rows per micro-batch, of a bounded query as micro-batch 0."""
    if query.is_bounded:
        pathlib.Path(folder, "query.sql").write_text(script(query, folder), encoding="utf-8")
        command = ["sql", "query.sql", "-o", "json"]
    else:
        pathlib.Path(folder, "job.yaml").write_text(job_yaml(query, folder), encoding="utf-8")
        command = ["run", "job.yaml", "--workers", "1", "--slots", "2", "--progress", "progress.jsonl"]
    done = subprocess.run([binary, *command], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                          encoding="utf-8", timeout=SECONDS)
    lines = [line for line in done.stdout.split("\n") if line]
    return done, {0: lines} if query.is_bounded else dict(map(rows_of, lines))


def progress_problems(query, folder):
    path = pathlib.Path(folder, "progress.jsonl")
    progress = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    problems = []
    if len(progress) != len(query.rows):
        problems.append(f"{len(progress)} micro-batches, not {len(query.rows)}")
    late = list(map(query_file.late_rows, progress))
    if query.late is not None and late != query.late:
        problems.append(f"late rows {late}, not {query.late}")
    state = list(map(query_file.state_rows, progress))
    if query.state is not None and state != query.state:
        problems.append(f"rows of the state {state}, not {query.state}")
    return problems


def settings_to_try(query):
    """The file's settings; then, where it may have joins, with tables too large for a broadcast."""
    settings = [query.settings]
    has_join = re.search(r"\b(join|in|exists|intersect|except)\b", query.text, re.I)
    if has_join and (query.is_bounded or any(source.is_static for source in query.sources)):
        settings.append({**query.settings, "join.broadcast_bytes": "-1"})
    return settings


def check(binary, path):
    """Returns the lines that say what is wrong, none when all is well."""
    try:
        query = query_file.read(path)
        if not query.is_recorded:
            return ["has no answer from Spark yet: tests/oracle/record.sh " + path.stem]
        for settings in settings_to_try(query):
            query.settings = settings
            problems = check_once(binary, query)
            if problems:
                return [f"settings {settings}:", *problems]
        return []
    except (ValueError, OSError, subprocess.TimeoutExpired) as error:
        return [str(error)]


def check_once(binary, query):
    folder = tempfile.mkdtemp(prefix="tidemill-query-")
    try:
        query.place_files(folder)
        done, got = run(binary, query, folder)
        problems = []
        exit_code = query.error.exit_code if query.error else 0
        if done.returncode != exit_code:
            problems.append(f"exit code {done.returncode}, not {exit_code}")
        for batch in range(max(len(query.rows), max(got, default=-1) + 1)):
            want = query.rows[batch] if batch < len(query.rows) else []
            lines = difference(query, want, got.get(batch, []))
            problems += [f"batch {batch}:", *lines] if lines else []
        if query.error:
            problems += error_problems(query.error, done.stderr)
        elif not query.is_bounded and done.returncode == 0:
            problems += progress_problems(query, folder)
        return problems + ["stderr: " + done.stderr.strip()[-2000:]] if problems else []
    finally:
        shutil.rmtree(folder)


def chosen_paths(arguments):
    names, shard = sharded.take_shard(arguments)
    return sorted({path for name in names or ["*"] for path in HERE.glob(name + ".test")})[shard]


def main():
    binary = os.path.abspath(sys.argv[1])
    paths = chosen_paths(sys.argv[2:])
    failed = sharded.check_all(paths, lambda path: check(binary, path), lambda path: path.stem)
    print(f"{len(paths)} queries, {failed} failed")
    sys.exit(1 if failed or not paths else 0)


if __name__ == "__main__":
    main()
