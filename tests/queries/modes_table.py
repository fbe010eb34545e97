"""Writes docs/streaming_modes.md from the tests `modes_<operation>_<mode>.test` and their recorded answers.

usage: modes_table.py ROOT [--check]     --check: only fails where the page is not what it would write
"""
import collections
import pathlib
import sys

import query_file

HERE = pathlib.Path(__file__).resolve().parent
MODES = ("append", "update", "complete")
# Rows of the table, in its order: the operation of the tests' names.
OPERATIONS = """select explode static_join aggregate_event_time aggregate_key aggregate_global select_distinct session
stream_inner_join stream_semi_join stream_left_join stream_right_join stream_full_join stream_anti_join deduplicate
deduplicate_key deduplicate_within aggregate_over_deduplicate aggregate_over_aggregate aggregate_over_join
join_over_aggregate sort sort_aggregated limit limit_aggregated offset sample union union_static intersect
intersect_static except except_static_left except_static_right cube rollup grouping_sets count_distinct
window_function row_id""".split()
# Cells without a test of Spark's answer.
OURS = {
    ("except_static_right", "append"): "refused: Spark ends such a query when it starts",
    ("except_static_right", "update"): "refused, Spark takes it: write LEFT ANTI JOIN",
}
HEAD = """# Output modes and what streams cannot do

What a streaming query may be in each output mode. Every cell is a test, `tests/queries/modes_<operation>_<mode>.test`,
whose answer is a running Spark's; numbers are those of the messages below. This page is written by
`tests/queries/modes_table.py` from these tests.

| operation | what | append | update | complete |
|---|---|---|---|---|
"""
TAIL = """
Other messages of Spark's, and where they are tested:

| message | test |
|---|---|
| Queries with streaming sources must be executed with writeStream.start(), or from a streaming table or flow definition within a Spark Declarative Pipeline. | STREAM in `tidemill sql`: `StreamingChecksTest`, `tests/cluster/errors.py` |
| Queries without streaming sources cannot be executed with writeStream.start() (Spark's Python says WRITE_STREAM_NOT_ALLOWED before) | `StreamingChecksTest` |
| Redefining watermark is disallowed. ... (Spark finds out when a micro-batch has a watermark, here the query is refused) | `StreamingChecksTest` |
| dropDuplicatesWithinWatermark is not supported on streaming DataFrames/DataSets without watermark | `modes_within_without_watermark` |
| dropDuplicatesWithinWatermark is not supported with batch DataFrames/DataSets | `StreamingChecksTest` |
| Invalid streaming output mode: update. This output mode is not supported in Data Source json. | `tests/cluster/errors.py` |

What Spark has in its Dataset API alone cannot be written in SQL, so there is nothing to refuse: mapGroupsWithState,
flatMapGroupsWithState, transformWithState, cogroup, sample() and foreach. Commands on streams are no part of the language
here.
"""


def cell(operation, mode, messages):
    path = HERE / f"modes_{operation}_{mode}.test"
    if not path.exists():
        return OURS[operation, mode]
    error = query_file.read(path).error
    if error is None:
        return "yes"
    tests = messages[error.message]
    tests.append(path.stem)
    return f"refused ({list(messages).index(error.message) + 1})"


def page():
    messages = collections.defaultdict(list)   # in the order in which they first come
    lines = []
    for operation in OPERATIONS:
        cells = [cell(operation, mode, messages) for mode in MODES]
        comment = query_file.read(HERE / f"modes_{operation}_complete.test").comment
        what = " ".join(comment.replace("#", " ").split()).removesuffix(" in complete mode.")
        lines.append(f"| {operation} | {what} | " + " | ".join(cells) + " |")
    others = collections.defaultdict(list)
    for path in sorted(HERE.glob("*.test")):
        if path.stem.startswith(("refuse_", "error_stream_", "event_time_")):
            error = query_file.read(path).error
            if error and error.message:
                others[error.message].append(path.stem)
    rows = [f"| {number} | {message} | {', '.join(others.get(message, [])[:3])} |"
            for number, message in enumerate(messages, 1)]
    rest = [f"| | {message} | {', '.join(tests)} |" for message, tests in sorted(others.items()) if message not in messages]
    return (HEAD + "\n".join(lines) + "\n\nThe messages, and more tests of them:\n\n| | message | also |\n|---|---|---|\n" +
            "\n".join(rows + rest) + "\n" + TAIL)


def main():
    root, check = pathlib.Path(sys.argv[1]), "--check" in sys.argv
    target = root / "docs/streaming_modes.md"
    text = page()
    if not check:
        target.write_text(text, encoding="utf-8")
    elif not target.exists() or target.read_text(encoding="utf-8") != text:
        sys.exit(f"{target} is not what its tests say: run tests/queries/modes_table.py {root}")
    unknown = {path.stem for path in HERE.glob("modes_*.test")} - {f"modes_{op}_{mode}" for op in OPERATIONS for mode in MODES}
    if unknown - {"modes_within_without_watermark"}:
        sys.exit(f"tests that the table does not show: {sorted(unknown)}")


if __name__ == "__main__":
    main()
