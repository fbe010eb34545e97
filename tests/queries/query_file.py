"""The format of *.test files, read and written.

    # what the query shows, one line or several
    == settings                   for both: timeZone, spark.sql.*; ours alone: state.*, sink.*, source.*
    name: value
    == source NAME FORMAT
    schema in DDL                 json and csv; other formats may have one
    watermark: COLUMN, DELAY      e.g. `watermark: ts, 10 minutes`
    dropDuplicates: COLUMN, ...   behind the watermark; or dropDuplicatesWithinWatermark
    mode: batch                   a static table, read from its `== data`; other modes are options
    option: value                 Spark's options of the format; `inferSchema: true` in place of a schema
    == data NAME                  the lines of a file of the static table NAME; again for a second file
    == output append|update|complete [ordered]
    == bounded [ordered]          in place of output: no stream, one answer, in the only `== rows`
    == doubles FIELD...           result fields compared as doubles, to the tolerance in run.py
    == query
    SELECT ...
    == batch                      begins a block; needed only where several sources share a block
    == input [NAME]               the lines of the file that NAME (default: the only stream) gets in this block
    == rows                       the rows of its micro-batch as Spark's toJSON writes them, sorted
    {"a":1}
    == input
    ...
    == rows                       behind the last input: the rows of no-data micro-batches
    == late 0 1                   numRowsDroppedByWatermark of each micro-batch, over all state operators
    == state 3/3/0 2/1/2          likewise numRowsTotal/numRowsUpdated/numRowsRemoved
    == error EXIT_CODE CLASS [class]
    Spark's message               compared, unless `class` says that the class alone is

`== input NAME from FILE` and `== data NAME from FILE` take a file of this folder instead of lines
(binary formats, compression). A stream without input in a block gets an empty file, so that all
streams have one file per micro-batch. `ordered`: the order of rows counts. In a new file leave out
rows and error; write `== late` where late rows are to be compared, `== state` where the rows of the
state are, `== error class` where only the class of an error is.
"""
import dataclasses
import json
import os
import pathlib
import re
import shutil

HERE = pathlib.Path(__file__).resolve().parent
OPTION = re.compile(r"[A-Za-z][\w.]*: ")
SECONDS_OF_FIRST_FILE = 1_700_000_000


@dataclasses.dataclass
class File:
    """What a source reads: lines, or a file of this folder."""
    text: str = ""
    path: str = ""

    def place(self, folder, number, extension):
        """Puts it there as file `number`; files of one source are in the order of their times."""
        ending = "".join(pathlib.Path(self.path).suffixes) or "." + extension
        target = pathlib.Path(folder, f"{number:03d}{ending}")
        if self.path:
            shutil.copyfile(HERE / self.path, target)
        else:
            target.write_text(self.text, encoding="utf-8", newline="")
        os.utime(target, (SECONDS_OF_FIRST_FILE + number, SECONDS_OF_FIRST_FILE + number))


@dataclasses.dataclass
class Source:
    name: str
    format: str
    schema: str = ""
    watermark: tuple = ()       # (column, delay)
    duplicates: tuple = ()      # (method of Spark's frames, its columns)
    is_static: bool = False
    options: dict = dataclasses.field(default_factory=dict)
    data: list = dataclasses.field(default_factory=list)     # files of a static table


@dataclasses.dataclass
class Error:
    exit_code: int = 0          # 0: not recorded yet
    name: str = ""
    message: str = ""           # Spark's; "" for none
    is_class_only: bool = False


@dataclasses.dataclass
class Query:
    comment: str = ""
    settings: dict = dataclasses.field(default_factory=dict)
    sources: list = dataclasses.field(default_factory=list)
    output: str = ""            # "" for a bounded query
    is_bounded: bool = False
    is_ordered: bool = False
    doubles: list = dataclasses.field(default_factory=list)
    text: str = ""
    blocks: list = dataclasses.field(default_factory=list)   # per micro-batch {source name: File}
    rows: list = dataclasses.field(default_factory=list)     # per micro-batch a list of lines
    late: list = None           # per micro-batch; None: not compared
    state: list = None          # per micro-batch "total/updated/removed"; None: not compared
    error: Error = None         # None: no error, or not known yet

    @property
    def streams(self):
        return [source for source in self.sources if not source.is_static]

    @property
    def is_recorded(self):
        return bool(self.rows or (self.error and self.error.exit_code))

    def place_files(self, folder):
        """Writes every source's files to folder/NAME."""
        for source in self.sources:
            target = pathlib.Path(folder, source.name)
            target.mkdir()
            files = source.data if source.is_static else [block.get(source.name, File()) for block in self.blocks]
            for number, file in enumerate(files):
                file.place(target, number, source.format)


class Reader:
    def __init__(self, path):
        self.path = path
        self.query = Query()
        self.is_block_open = False

    def fail(self, message):
        raise ValueError(f"{self.path}: {message}")

    def read(self):
        sections = [["", []]]
        for line in self.path.read_text(encoding="utf-8").rstrip("\n").split("\n"):
            if line.startswith("== "):
                sections.append([line[3:], []])
            else:
                sections[-1][1].append(line)
        self.query.comment = "\n".join(sections[0][1])
        for title, lines in sections[1:]:
            kind, *words = title.split()
            section = getattr(self, "read_" + kind, None)
            if section is None:
                self.fail(f"unknown section: {kind}")
            section(words, lines)
        if self.query.is_bounded and self.query.streams:
            self.fail("a bounded query has only sources with `mode: batch`")
        return self.query

    def read_settings(self, _, lines):
        self.query.settings = dict(line.split(": ", 1) for line in lines)

    def read_source(self, words, lines):
        source = Source(*words)
        if lines and not OPTION.match(lines[0]):
            source.schema = lines.pop(0)
        for line in lines:
            key, value = line.split(": ", 1)
            if key == "watermark":
                source.watermark = tuple(part.strip() for part in value.split(","))
            elif key.startswith("dropDuplicates"):
                source.duplicates = (key, [part.strip() for part in value.split(",")])
            elif (key, value) == ("mode", "batch"):
                source.is_static = True
            else:
                source.options[key] = value
        self.query.sources.append(source)

    def read_output(self, words, _):
        self.query.output, self.query.is_ordered = words[0], "ordered" in words

    def read_bounded(self, words, _):
        self.query.is_bounded, self.query.is_ordered = True, "ordered" in words

    def read_doubles(self, words, _):
        self.query.doubles = words

    def read_query(self, _, lines):
        self.query.text = "\n".join(lines)

    def read_data(self, words, lines):
        name, file = self.file_of(words, lines)
        self.source(name).data.append(file)

    def read_batch(self, *_):
        self.query.blocks.append({})
        self.is_block_open = True

    def read_input(self, words, lines):
        if not words or words[0] == "from":
            if len(self.query.streams) != 1:
                self.fail("`== input` must name its source where there are several")
            words = [self.query.streams[0].name, *words]
        name, file = self.file_of(words, lines)
        self.source(name)
        if not self.is_block_open or name in self.query.blocks[-1]:
            self.read_batch()
        self.query.blocks[-1][name] = file

    def read_rows(self, _, lines):
        self.query.rows.append(lines)
        self.is_block_open = False

    def read_late(self, words, _):
        self.query.late = [int(word) for word in words]

    def read_state(self, words, _):
        self.query.state = words

    def read_error(self, words, lines):
        is_class_only = words[-1] == "class"
        if words == ["class"]:
            self.query.error = Error(is_class_only=True)
        else:
            self.query.error = Error(int(words[0]), words[1], "\n".join(lines), is_class_only)

    def file_of(self, words, lines):
        if len(words) == 3 and words[1] == "from":
            return words[0], File(path=words[2])
        if len(words) != 1:
            self.fail(f"not NAME or NAME from FILE: {' '.join(words)}")
        return words[0], File(text="".join(line + "\n" for line in lines))

    def source(self, name):
        for source in self.query.sources:
            if source.name == name:
                return source
        return self.fail(f"no such source: {name}")


def read(path):
    return Reader(path).read()


def late_rows(progress):
    """Of a micro-batch's progress, as Spark and we write it."""
    return sum(state["numRowsDroppedByWatermark"] for state in progress["stateOperators"])


def state_rows(progress):
    counts = ("numRowsTotal", "numRowsUpdated", "numRowsRemoved")
    return "/".join(str(sum(state[count] for state in progress["stateOperators"])) for count in counts)


def file_lines(title, file):
    return [f"{title} from {file.path}"] if file.path else [title, *file.text.split("\n")[:-1]]


def source_lines(source):
    lines = [f"== source {source.name} {source.format}"]
    lines += [source.schema] if source.schema else []
    lines += ["watermark: " + ", ".join(source.watermark)] if source.watermark else []
    lines += [f"{source.duplicates[0]}: " + ", ".join(source.duplicates[1])] if source.duplicates else []
    lines += ["mode: batch"] if source.is_static else []
    lines += [f"{key}: {value}" for key, value in source.options.items()]
    for file in source.data:
        lines += file_lines(f"== data {source.name}", file)
    return lines


def write(path, query):
    lines = [query.comment]
    if query.settings:
        lines += ["== settings", *(f"{key}: {value}" for key, value in query.settings.items())]
    for source in query.sources:
        lines += source_lines(source)
    kind = "bounded" if query.is_bounded else f"output {query.output}"
    lines.append(f"== {kind}" + " ordered" * query.is_ordered)
    lines += ["== doubles " + " ".join(query.doubles)] if query.doubles else []
    lines += ["== query", query.text]
    has_names = len(query.streams) > 1
    for number in range(max(len(query.blocks), len(query.rows))):
        block = query.blocks[number] if number < len(query.blocks) else None
        if block is not None and has_names:
            lines.append("== batch")
        for name, file in (block or {}).items():
            lines += file_lines(f"== input {name}" if has_names or file.path else "== input", file)
        if number < len(query.rows):
            lines += ["== rows", *query.rows[number]]
    if query.late is not None:
        lines.append(" ".join(["== late", *map(str, query.late)]))
    if query.state is not None:
        lines.append(" ".join(["== state", *query.state]))
    if query.error:
        lines.append(f"== error {query.error.exit_code} {query.error.name}" + " class" * query.error.is_class_only)
        lines += [query.error.message] if query.error.message else []
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def canonical(line):
    """A row as a comparable text: order of fields and spelling of numbers count, blanks do not."""
    value = json.loads(line, object_pairs_hook=lambda pairs: {"fields": [list(pair) for pair in pairs]},
                       parse_float=lambda text: {"number": text}, parse_int=lambda text: {"number": text},
                       parse_constant=lambda text: {"constant": text})
    return json.dumps(value, ensure_ascii=False)
