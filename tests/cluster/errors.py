"""Wrong specifications, commands and data: the exit code, a message with the place, nothing started.

usage: errors.py TIDEMILL
"""
import dataclasses

from harness import INVALID, JOB_FAILED, NOT_FOUND, OK, USAGE, Engine, arguments, check, main, scratch

GOOD = """\
name: good
sources:
  logs:
    format: json
    path: in
    schema: "user STRING, amount INT"
query: |
  SELECT user, count(*) AS n
  FROM logs
  GROUP BY user
sink:
  format: console
outputMode: complete
trigger: available-now
checkpointLocation: checkpoint
"""


@dataclasses.dataclass
class Case:
    name: str
    change: tuple            # (text in GOOD, its replacement)
    code: int
    says: tuple              # what stderr must contain
    caret: str = ""          # the text that the caret line must underline, where there is one


CASES = (
    Case("unknown key", ("outputMode:", "outptMode:"), INVALID, ("job.yaml:13", "outptMode", "outputMode"), "outptMode"),
    Case("unknown key of a source", ("    path: in", "    pth: in"), INVALID, ("job.yaml:5", "pth", "path"), "pth"),
    Case("unknown source format", ("format: json", "format: jsn"), INVALID, ("jsn", "json")),
    Case("format of a later release", ("format: json", "format: avro"), INVALID, ("avro", "not supported yet")),
    Case("unknown sink format", ("format: console", "format: consle"), INVALID, ("consle", "console")),
    Case("unknown option of a source", ("    path: in", "    path: in\n    options: {maxFilesPerTriger: 1}"), INVALID,
         ("maxFilesPerTrigger",)),
    Case("bad value of an option", ("    path: in", "    path: in\n    options: {maxFilesPerTrigger: many}"), INVALID,
         ("maxFilesPerTrigger", "many")),
    Case("path twice", ("    path: in", "    path: in\n    options: {path: in}"), INVALID, ("path",)),
    Case("json without a schema", ('    schema: "user STRING, amount INT"\n', ""), INVALID, ("schema",)),
    Case("bad schema", ("user STRING, amount INT", "user STRNG, amount INT"), INVALID, ("job.yaml", "STRNG")),
    Case("bad output mode", ("outputMode: complete", "outputMode: compleet"), INVALID, ("compleet", "complete")),
    Case("output mode that the query cannot have", ("outputMode: complete", "outputMode: append"), INVALID,
         ("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION",)),
    Case("bad trigger", ("trigger: available-now", "trigger: avalable-now"), INVALID, ("avalable-now", "available-now")),
    Case("unknown setting", ("checkpointLocation: checkpoint", "checkpointLocation: checkpoint\nsettings: {state.key_group: 8}"),
         INVALID, ("state.key_group", "state.key_groups")),
    Case("bad value of a setting", ("checkpointLocation: checkpoint", "checkpointLocation: checkpoint\nsettings: {timeZone: Moon}"),
         INVALID, ("Moon",)),
    Case("no query", ("query: |\n  SELECT user, count(*) AS n\n  FROM logs\n  GROUP BY user\n", ""), INVALID, ("query",)),
    Case("no sink", ("sink:\n  format: console\n", ""), INVALID, ("sink",)),
    Case("not YAML", ("sources:", "sources: [}"), INVALID, ("job.yaml",)),
    Case("syntax error", ("SELECT user, count(*) AS n", "SELECT user count(*) AS n"), INVALID, ("PARSE_SYNTAX_ERROR", "job.yaml:8")),
    Case("unknown column", ("SELECT user, count(*) AS n", "SELECT user, max(amont) AS n"), INVALID,
         ("UNRESOLVED_COLUMN.WITH_SUGGESTION", "job.yaml:8:20", "amount"), "amont"),
    Case("unknown table", ("FROM logs", "FROM lgs"), INVALID, ("TABLE_OR_VIEW_NOT_FOUND", "job.yaml:9:8"), "lgs"),
    Case("unknown function", ("count(*)", "cuont(*)"), INVALID, ("UNRESOLVED_ROUTINE", "cuont"), "cuont(*)"),
    Case("types without a common one", ("GROUP BY user", "WHERE amount + true > 1 GROUP BY user"), INVALID, ("DATATYPE_MISMATCH",)),
    Case("not grouped", ("SELECT user,", "SELECT amount,"), INVALID, ("MISSING_AGGREGATION",)),
    Case("column of two tables", ("FROM logs", "FROM logs JOIN logs AS b ON true"), INVALID, ("AMBIGUOUS_REFERENCE", "job.yaml:8:10")),
    Case("watermark of no column", ("    path: in", "    path: in\n    watermark: {column: ts, delay: 10 minutes}"), INVALID,
         ("UNRESOLVED_COLUMN", "`ts`")),
    Case("files sink in update mode", ("  format: console\noutputMode: complete", "  format: json\n  path: out\noutputMode: update"), INVALID,
         ("STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE",
          "Invalid streaming output mode: update. This output mode is not supported in Data Source json. SQLSTATE: 42KDE")),
    Case("missing input directory", ("path: in", "path: nowhere"), NOT_FOUND, ("nowhere",)),
)

COMMANDS = (
    ("no such job file", ("run", "none.yaml"), NOT_FOUND, ("none.yaml",)),
    ("no job file", ("run",), USAGE, ()),
    ("unknown command", ("rnu", "job.yaml"), USAGE, ("rnu",)),
    ("unknown flag", ("run", "job.yaml", "--slotz", "2"), USAGE, ("--slotz",)),
    ("bad number", ("run", "job.yaml", "--slots", "many"), USAGE, ("many",)),
    ("no slots", ("run", "job.yaml", "--slots", "0"), USAGE, ()),
    ("setting without a value", ("run", "job.yaml", "--conf", "timeZone"), USAGE, ("timeZone",)),
    ("unknown setting", ("run", "job.yaml", "--conf", "time.zone=UTC"), INVALID, ("time.zone",)),
    ("explain of nothing", ("explain", "none.yaml"), NOT_FOUND, ("none.yaml",)),
    ("checkpoint of nothing", ("checkpoint", "show", "none"), NOT_FOUND, ("none",)),
)


def underlined(stderr):
    """The text above the carets of the first error, as far as they reach."""
    lines = stderr.splitlines()
    for above, line in zip(lines, lines[1:]):
        if "^" in line and set(line.split("|")[-1].strip()) <= {"^", "~"}:
            begin = line.index("^")
            return above[begin:begin + line.count("^")]
    return ""


def test():
    options = arguments(__doc__)
    with scratch(options.keep) as folder:
        engine = Engine(options.binary, folder)
        (folder / "in").mkdir()
        engine.write("in/1.json", '{"user":"ada","amount":1}\n')

        def nothing_was_started(what):
            left = [path.name for path in folder.iterdir() if path.name in ("checkpoint", "out")]
            check(not left, f"{what}: something was started: {left}")

        for case in CASES:
            check(GOOD.count(case.change[0]) == 1 or case.name == "not YAML", f"{case.name}: the text to change is not unique")
            engine.write("job.yaml", GOOD.replace(*case.change, 1))
            for command in ("explain", "run"):
                # What only a run can find out, explain need not.
                codes = (case.code,) if command == "run" or case.code == INVALID else (case.code, OK)
                process = engine.start(command, "job.yaml").expect(codes, 20)
                nothing_was_started(case.name)
                if process.child.returncode == OK:
                    continue
                missing = [text for text in case.says if text not in process.stderr]
                check(not missing, f"{case.name}: stderr does not say {missing}: {process.describe()}")
                check(not case.caret or underlined(process.stderr) == case.caret,
                      f"{case.name}: the caret is under {underlined(process.stderr)!r}: {process.describe()}")
                check(process.stdout == "", f"{case.name}: something on stdout: {process.describe()}")
        print(f"{len(CASES)} wrong specifications", flush=True)

        engine.write("job.yaml", GOOD)
        for name, words, code, says in COMMANDS:
            process = engine.start(*words).expect(code, 20)
            missing = [text for text in says if text not in process.stderr]
            check(not missing, f"{name}: stderr does not say {missing}: {process.describe()}")
            nothing_was_started(name)
        print(f"{len(COMMANDS)} wrong commands", flush=True)

        explained = engine.start("explain", "job.yaml").expect(OK, 20)
        nothing_was_started("explain")
        check("count" in explained.stdout and "logs" in explained.stdout, f"explain shows no plan: {explained.describe()}")
        for words in (("version",), ("--help",), ("run", "--help")):
            check(engine.start(*words).expect(OK, 20).stdout, f"{words}: nothing on stdout")

        engine.write("stream.sql", "CREATE TABLE t (user STRING) USING json OPTIONS (path 'in');\nSELECT user FROM STREAM t;\n")
        process = engine.start("sql", "stream.sql").expect(INVALID, 20)
        check("Queries with streaming sources must be executed with writeStream.start()" in process.stderr,
              f"STREAM in a bounded query: {process.describe()}")

        # A bad record ends the job, keeps the checkpoint, and the next run fails alike.
        engine.write("in/2.json", '{"user":"bea","amount":1,\n')
        engine.write("failfast.yaml", GOOD.replace("path: in", "path: in\n    options: {mode: FAILFAST, maxFilesPerTrigger: 1}"))
        for _ in range(2):
            process = engine.start("run", "failfast.yaml").expect(JOB_FAILED, 20)
            check("in/2.json:1\n" in process.stderr, f"the error does not name the file and line: {process.describe()}")
        print("bad data", flush=True)


if __name__ == "__main__":
    main(test)
