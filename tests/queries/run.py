"""Runs *.test files through `tidemill run` and compares the rows of each micro-batch with Spark's.

usage: run.py TIDEMILL [NAME...]     NAME: the file without .test; default all
"""
import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import query_file

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 60
BATCH = re.compile(r'^\{"batchId":(\d+),"rows":\[(.*)\]\}$', re.S)


def job_of(query, folder):
    options = {"maxFilesPerTrigger": "1", **query.options}
    lines = ["sources:", f"  {query.name}:", f"    format: {query.format}", f"    path: {folder}/in"]
    if query.schema:
        lines.append(f'    schema: "{query.schema}"')
    lines.append("    options:")
    lines += [f"      {key}: {value}" for key, value in options.items()]
    lines.append("query: |")
    lines += ["  " + line for line in query.text.splitlines()]
    lines += ["sink:", "  format: console", "  options: {style: json}", f"outputMode: {query.output}",
              "trigger: available-now"]
    return "\n".join(lines) + "\n"


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


def difference(want, got):
    want, got = (collections.Counter(map(query_file.canonical, rows)) for rows in (want, got))
    return [f"  - {row}" for row in (want - got).elements()] + [f"  + {row}" for row in (got - want).elements()]


def check(binary, path):
    """Returns the lines that say what is wrong, none when all is well."""
    query = query_file.read(path)
    folder = tempfile.mkdtemp(prefix="tidemill-query-")
    try:
        os.mkdir(folder + "/in")
        for number, text in enumerate(query.inputs):
            name = f"{folder}/in/{number:03d}.{query.format}"
            pathlib.Path(name).write_text(text, encoding="utf-8")
            os.utime(name, (1_700_000_000 + number, 1_700_000_000 + number))
        pathlib.Path(folder, "job.yaml").write_text(job_of(query, folder), encoding="utf-8")
        done = subprocess.run([binary, "run", folder + "/job.yaml", "--workers", "1", "--slots", "2"], cwd=folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
        problems = []
        exit_code, error_class = query.error or (0, "")
        if done.returncode != exit_code:
            problems.append(f"exit code {done.returncode}, not {exit_code}")
        if error_class and f"[{error_class}]" not in done.stderr:
            problems.append(f"stderr does not say [{error_class}]")
        got = dict(rows_of(line) for line in done.stdout.splitlines() if line)
        for batch in range(max(len(query.rows), max(got, default=-1) + 1)):
            want = query.rows[batch] if batch < len(query.rows) else []
            lines = difference(want, got.get(batch, []))
            problems += [f"batch {batch}:", *lines] if lines else []
        return problems + ["stderr: " + done.stderr.strip()[-2000:]] if problems else []
    except (ValueError, subprocess.TimeoutExpired) as error:
        return [str(error)]
    finally:
        shutil.rmtree(folder)


def main():
    binary = os.path.abspath(sys.argv[1])
    paths = [HERE / f"{name}.test" for name in sys.argv[2:]] or sorted(HERE.glob("*.test"))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, problems in zip(paths, pool.map(lambda path: check(binary, path), paths)):
            if problems:
                failed += 1
                print(f"FAILED {path.stem}", *problems, sep="\n  ")
    print(f"{len(paths)} queries, {failed} failed")
    sys.exit(1 if failed or not paths else 0)


if __name__ == "__main__":
    main()
