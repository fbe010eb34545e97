"""The format of *.test files, read and written.

    # what the query shows, one line or several
    == source NAME FORMAT
    schema in DDL (JSON only)
    option: value
    == output append|update|complete
    == query
    SELECT ...
    == input
    lines of the file that makes micro-batch 0
    == rows
    {"a":1}                       rows of micro-batch 0 as Spark's toJSON writes them, sorted
    == input
    ...
    == error EXIT_CODE CLASS      instead of rows: the job fails here, with Spark's error class
"""
import dataclasses
import json


@dataclasses.dataclass
class Query:
    comment: str = ""
    name: str = ""
    format: str = ""
    schema: str = ""
    options: dict = dataclasses.field(default_factory=dict)
    output: str = ""
    text: str = ""
    inputs: list = dataclasses.field(default_factory=list)   # one string per micro-batch
    rows: list = dataclasses.field(default_factory=list)     # one list of lines per micro-batch
    error: tuple = ()                                        # (exit code, class)


def read(path):
    query = Query()
    sections = [["", []]]
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            sections.append([line[3:], []])
        else:
            sections[-1][1].append(line)
    for title, lines in sections:
        kind, *words = title.split() or [""]
        if kind == "":
            query.comment = "\n".join(lines)
        elif kind == "source":
            query.name, query.format = words
            if query.format == "json":
                query.schema = lines.pop(0)
            query.options = dict(line.split(": ", 1) for line in lines)
        elif kind == "output":
            query.output, = words
        elif kind == "query":
            query.text = "\n".join(lines)
        elif kind == "input":
            query.inputs.append("".join(line + "\n" for line in lines))
        elif kind == "rows":
            query.rows.append(lines)
        elif kind == "error":
            query.error = (int(words[0]), words[1])
        else:
            raise ValueError(f"{path}: unknown section {kind}")
    return query


def write(path, query):
    lines = [query.comment, f"== source {query.name} {query.format}"]
    if query.schema:
        lines.append(query.schema)
    lines += [f"{key}: {value}" for key, value in query.options.items()]
    lines += [f"== output {query.output}", "== query", query.text]
    for number, text in enumerate(query.inputs):
        lines += ["== input", *text.splitlines()]
        if number < len(query.rows):
            lines += ["== rows", *query.rows[number]]
    if query.error:
        lines.append(f"== error {query.error[0]} {query.error[1]}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def canonical(line):
    """A row as a comparable text: order of fields and spelling of numbers count, blanks do not."""
    value = json.loads(line, object_pairs_hook=lambda pairs: {"fields": [list(pair) for pair in pairs]},
                       parse_float=lambda text: {"number": text}, parse_int=lambda text: {"number": text},
                       parse_constant=lambda text: {"constant": text})
    return json.dumps(value, ensure_ascii=False)
