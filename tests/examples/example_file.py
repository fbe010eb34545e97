"""The format of tests/examples/answers/*.txt, read and written.

    -- a comment of the query below
    SELECT acos(1)
      double | ACOS(1)            its columns, Spark's: type | name
      = {"ACOS(1)":0.0}           its rows, as toJSON writes them
    SELECT now()
      timestamp | now()
      volatile                    rows that depend on when and where they are asked
    SELECT 1 / 0
      double | (1 / 0)
      error | DIVIDE_BY_ZERO      in place of columns, or of rows
    SELECT st_srid(a)
      ...
      ours | NAME | reason        where we differ on purpose: the class of our error, or `names`, `types`,
                                  `rows` (several with + between them) that are not compared

A query is one line. Line ends in names stand as \\n.
"""
import dataclasses
import re

# Functions whose rows another run of Spark would not give again.
VOLATILE = re.compile(
    r"\b(curdate|current_\w+|localtime\w*|now|rand|randn|random|randstr|uniform|shuffle|uuid|user|session_user|"
    r"version|input_file_\w+|spark_partition_id|monotonically_increasing_id|java_method|reflect|"
    r"try_reflect)\b(?! *=>)|unix_timestamp\(\)", re.I)


@dataclasses.dataclass
class Example:
    query: str
    comment: list = dataclasses.field(default_factory=list)
    columns: list = dataclasses.field(default_factory=list)  # (type, name)
    rows: list = None                                        # None: volatile, or an error
    error: str = ""
    ours: tuple = ()                                         # (what differs, reason)

    @property
    def is_volatile(self):
        return VOLATILE.search(self.query) is not None

    @property
    def has_answer(self):
        return bool(self.columns or self.error)


def escaped(name):
    return name.replace("\\", "\\\\").replace("\n", "\\n")


def plain(name):
    return re.sub(r"\\(.)", lambda match: "\n" if match.group(1) == "n" else match.group(1), name)


def read(path):
    examples, comment = [], []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.startswith("  = "):
            examples[-1].rows = None if examples[-1].is_volatile else [*(examples[-1].rows or []), line[4:]]
        elif line == "  volatile" or not line:
            continue
        elif line.startswith("  "):
            kind, rest = line[2:].split(" | ", 1)
            if kind == "error":
                examples[-1].error, examples[-1].rows = rest, None
            elif kind == "ours":
                examples[-1].ours = tuple(rest.split(" | ", 1))
            else:
                examples[-1].columns.append((kind, plain(rest)))
                examples[-1].rows = None if examples[-1].is_volatile else []
        elif line.startswith("--"):
            comment.append(line)
        else:
            examples.append(Example(line, comment))
            comment = []
    return examples


def write(path, examples):
    lines = []
    for example in examples:
        lines += [*example.comment, example.query]
        lines += [f"  {data_type} | {escaped(name)}" for data_type, name in example.columns]
        if example.error:
            lines.append(f"  error | {example.error}")
        elif example.is_volatile:
            lines.append("  volatile")
        lines += [f"  = {row}" for row in example.rows or []]
        if example.ours:
            lines.append("  ours | " + " | ".join(example.ours))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
