"""Random queries with their data, each made from a number: the same number gives the same query."""
import json
import random
import sys

import query_file

COLUMNS = "k INT, s STRING, v BIGINT, d DOUBLE, n DECIMAL(10,2), ts TIMESTAMP, b BOOLEAN"
WORDS = ["tide", "mill", "pond", "Gate", "", " sea ", "a,b", "x%y"]
BASE_SECONDS = 1_714_564_800    # 2024-05-01 12:00:00 UTC


class Expressions:
    """Expressions over the columns of COLUMNS by type; `prefix` qualifies them ("a.")."""

    def __init__(self, rng, prefix=""):
        self.rng, self.prefix = rng, prefix

    def of(self, kind, depth=2):
        leaf = depth == 0 or self.rng.random() < 0.3
        return getattr(self, f"{kind}_leaf" if leaf else f"{kind}_node")(depth - 1)

    def any(self, depth=2):
        kind = self.rng.choice(["int", "string", "double", "decimal", "bool", "time", "date"])
        return kind, self.of(kind, depth)

    def column(self, name):
        return self.prefix + name

    def int_leaf(self, _):
        return self.rng.choice([self.column("k"), self.column("k"), str(self.rng.randint(-9, 9)), "NULLIF(0, 0)"])

    def int_node(self, depth):
        a, b = (lambda: self.of("int", depth)), (lambda: self.of("int", depth))
        return self.rng.choice([
            lambda: f"({a()} {self.rng.choice('+-*')} {b()})", lambda: f"abs({a()})", lambda: f"length({self.of('string', depth)})",
            lambda: f"coalesce({a()}, {b()})", lambda: f"if({self.of('bool', depth)}, {a()}, {b()})", lambda: f"pmod({a()}, 7)",
            lambda: f"CASE WHEN {self.of('bool', depth)} THEN {a()} WHEN {self.of('bool', depth)} THEN {b()} END",
            lambda: f"greatest({a()}, {b()})", lambda: f"({a()} % NULLIF({b()}, 0))", lambda: f"instr({self.of('string', depth)}, 'i')",
            lambda: f"year({self.of('date', depth)})", lambda: f"datediff({self.of('date', depth)}, DATE'2024-05-01')",
            lambda: f"CAST({self.of('bool', depth)} AS INT)", lambda: f"sign({a()})::INT", lambda: f"minute({self.of('time', depth)})",
            lambda: f"try_cast({self.of('string', depth)} AS INT)", lambda: f"nvl2({self.of('string', depth)}, {a()}, {b()})"])()

    def string_leaf(self, _):
        return self.rng.choice([self.column("s"), self.column("s"), "'" + self.rng.choice(WORDS) + "'"])

    def string_node(self, depth):
        a = lambda: self.of("string", depth)
        return self.rng.choice([
            lambda: f"upper({a()})", lambda: f"lower({a()})", lambda: f"trim({a()})", lambda: f"concat({a()}, {a()})",
            lambda: f"substring({a()}, {self.rng.randint(-3, 4)}, {self.rng.randint(0, 3)})", lambda: f"replace({a()}, 'i', 'xy')",
            lambda: f"CAST({self.of('int', depth)} AS STRING)", lambda: f"lpad({a()}, {self.rng.randint(0, 6)}, '*')",
            lambda: f"reverse({a()})", lambda: f"regexp_replace({a()}, '[aeiou]+', '_')", lambda: f"coalesce({a()}, {a()})",
            lambda: f"CAST({self.of('time', depth)} AS STRING)", lambda: f"concat_ws('-', {a()}, {a()})", lambda: f"initcap({a()})",
            lambda: f"CAST({self.of('decimal', depth)} AS STRING)", lambda: f"split({a()}, ',')[0]", lambda: f"repeat({a()}, 2)",
            lambda: f"if({self.of('bool', depth)}, {a()}, {a()})", lambda: f"date_format({self.of('time', depth)}, 'yyyy-MM-dd HH:mm')"])()

    def double_leaf(self, _):
        return self.rng.choice([self.column("d"), self.column("d"), "1.5D", "-0.25D"])

    def double_node(self, depth):
        a = lambda: self.of("double", depth)
        return self.rng.choice([
            lambda: f"({a()} {self.rng.choice('+-*')} {a()})", lambda: f"abs({a()})", lambda: f"round({a()}, 1)", lambda: f"floor({a()})::DOUBLE",
            lambda: f"sqrt(abs({a()}))", lambda: f"CAST({self.of('int', depth)} AS DOUBLE)", lambda: f"coalesce({a()}, {a()})",
            lambda: f"try_divide({a()}, {self.of('int', depth)})", lambda: f"CAST({self.of('decimal', depth)} AS DOUBLE)"])()

    def decimal_leaf(self, _):
        return self.rng.choice([self.column("n"), self.column("n"), "2.50", "-0.1"])

    def decimal_node(self, depth):
        a = lambda: self.of("decimal", 0)
        return self.rng.choice([
            lambda: f"({a()} {self.rng.choice('+-*')} {a()})", lambda: f"round({a()}, 1)", lambda: f"abs({a()})",
            lambda: f"CAST({self.of('int', depth)} AS DECIMAL(20,1))", lambda: f"try_divide({a()}, {a()})", lambda: f"coalesce({a()}, 0.5)"])()

    def bool_leaf(self, _):
        return self.rng.choice([self.column("b"), f"{self.column('s')} IS NULL", f"{self.column('k')} > {self.rng.randint(-3, 5)}"])

    def bool_node(self, depth):
        kind = self.rng.choice(["int", "string", "double", "decimal", "time", "date"])
        return self.rng.choice([
            lambda: f"({self.of(kind, depth)} {self.rng.choice(['=', '<', '>=', '<>', '<=>'])} {self.of(kind, depth)})",
            lambda: f"({self.of('bool', depth)} AND {self.of('bool', depth)})", lambda: f"({self.of('bool', depth)} OR {self.of('bool', depth)})",
            lambda: f"(NOT {self.of('bool', depth)})", lambda: f"({self.of('int', depth)} BETWEEN -2 AND {self.of('int', depth)})",
            lambda: f"({self.of('string', depth)} LIKE '{self.rng.choice(['%i%', 't_de', '%', 'x!%y'])}')",
            lambda: f"({self.of('int', depth)} IN (1, {self.of('int', depth)}, 3))", lambda: f"startswith({self.of('string', depth)}, 'm')",
            lambda: f"({self.of('string', depth)} RLIKE '^[a-m]')"])()

    def time_leaf(self, _):
        return self.rng.choice([self.column("ts"), self.column("ts"), "TIMESTAMP'2024-05-01 12:07:30'"])

    def time_node(self, depth):
        a = lambda: self.of("time", depth)
        unit = self.rng.choice(["MINUTE", "HOUR", "DAY", "MONTH"])
        return self.rng.choice([lambda: f"({a()} + INTERVAL '{self.rng.randint(-5, 5)}' {unit})", lambda: f"date_trunc('{unit}', {a()})",
                                lambda: f"coalesce({a()}, {a()})", lambda: f"CAST({self.of('date', depth)} AS TIMESTAMP)"])()

    def date_leaf(self, _):
        return self.rng.choice([f"to_date({self.column('ts')})", "DATE'2024-02-29'"])

    def date_node(self, depth):
        a = lambda: self.of("date", depth)
        return self.rng.choice([lambda: f"date_add({a()}, {self.rng.randint(-40, 40)})", lambda: f"last_day({a()})", lambda: f"add_months({a()}, {self.of('int', 0)})",
                                lambda: f"trunc({a()}, 'MM')", lambda: f"CAST({self.of('time', depth)} AS DATE)", lambda: f"least({a()}, {a()})"])()


def row(rng, minute, always=("ts",)):
    """A record whose time is about `minute` minutes after the first; some fields are left out, but not those of `always`."""
    values = {"k": rng.randint(-2, 5), "s": rng.choice(WORDS), "v": rng.randint(-100, 100), "d": rng.randint(-40, 40) / 8,
              "n": rng.randint(-999, 999) / 100, "ts": instant(rng, minute), "b": rng.random() < 0.5}
    return json.dumps({name: value for name, value in values.items() if name in always or rng.random() > 0.12})


def instant(rng, minute):
    seconds = rng.randint(max(0, int(minute * 60) - 1500), int(minute * 60) + 600)
    return f"2024-05-01T{12 + seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}Z"


def file_of(rng, minute, rows, always=("ts",)):
    return query_file.File(text="".join(row(rng, minute, always) + "\n" for _ in range(rows)))


class Maker:
    """Makes one query: sources with data, text, output mode."""

    def __init__(self, number):
        self.rng = random.Random(number)
        self.query = query_file.Query(comment=f"# Random query {number}.")

    def stream(self, name, blocks, watermark=True, always=("ts",)):
        source = query_file.Source(name, "json", COLUMNS)
        if watermark:
            source.watermark = ("ts", f"{self.rng.choice([0, 5, 10])} minutes")
        self.query.sources.append(source)
        while len(self.query.blocks) < blocks:
            self.query.blocks.append({})
        for number, block in enumerate(self.query.blocks):
            block[name] = file_of(self.rng, 12 * number, self.rng.randint(0, 8), always)

    def table(self, name, rows):
        source = query_file.Source(name, "json", COLUMNS, is_static=True)
        source.data = [file_of(self.rng, 20, rows)]
        self.query.sources.append(source)

    def items(self, count, prefix=""):
        texts = []
        for number in range(count):
            kind, text = Expressions(self.rng, prefix).any()
            texts.append(f"{text} AS c{number}")
            if kind == "double":
                self.query.doubles.append(f"c{number}")
        return ", ".join(texts)

    def aggregates(self):
        make = Expressions(self.rng)
        choices = [("n", "count(*)"), ("n", f"count({make.of('string', 1)})"), ("n", "sum(v)"), ("f", "avg(v)"), ("n", f"max({make.of('string', 1)})"),
                   ("n", "min(ts)"), ("n", "sum(n)"), ("n", "avg(n)"), ("f", "sum(d)"), ("f", "avg(d)"), ("n", f"max({make.of('int', 1)})"),
                   ("n", "min(d)"), ("n", "count_if(b)"), ("n", "bool_or(b)"), ("n", "bit_xor(k)"), ("f", "stddev(d)"), ("n", "max(s)"),
                   ("n", f"count(*) FILTER (WHERE {make.of('bool', 1)})"), ("n", f"sum(CASE WHEN {make.of('bool', 1)} THEN 1 ELSE 0 END)")]
        texts = []
        for number, (kind, text) in enumerate(self.rng.sample(choices, self.rng.randint(1, 4))):
            texts.append(f"{text} AS g{number}")
            self.query.doubles += [f"g{number}"] if kind == "f" else []
        return ", ".join(texts)

    def where(self, prefix=""):
        return f" WHERE {Expressions(self.rng, prefix).of('bool')}" if self.rng.random() < 0.5 else ""

    def mode(self, *modes):
        self.query.output = self.rng.choice(modes)

    def window(self):
        length = self.rng.choice([5, 10, 15])
        slide = self.rng.choice(["", "", f", '{length // 5 * 2} minutes'"])
        return f"window(ts, '{length} minutes'{slide})"

    # One function per kind of query.
    def bounded_expressions(self):
        self.query.is_bounded = True
        self.table("t", 6)
        return f"SELECT {self.items(6)} FROM t{self.where()}"

    def bounded_aggregate(self):
        self.query.is_bounded = True
        self.table("t", 20)
        return f"SELECT k, {self.aggregates()} FROM t{self.where()} GROUP BY k"

    def bounded_join(self):
        self.query.is_bounded = True
        self.table("a", 8)
        self.table("b", 8)
        kind = self.rng.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN"])
        columns = "a.k, a.s, a.v" + ("" if "SEMI" in kind or "ANTI" in kind else ", b.k AS bk, b.v AS bv, b.ts")
        more = self.rng.choice(["", " AND a.v < b.v", " AND a.s = b.s"])
        return f"SELECT {columns} FROM a {kind} b ON a.k = b.k{more}"

    def stateless(self):
        self.mode("append", "update")
        self.stream("t", 2, watermark=False)
        return f"SELECT {self.items(5)} FROM t{self.where()}"

    def grouped(self):
        self.mode("update", "complete")
        self.stream("t", 3, watermark=self.rng.random() < 0.3)
        keys = self.rng.choice(["k", "s", "k, b", "upper(s)", "k % 2", "to_date(ts)"])
        names = ", ".join(f"{key} AS key{number}" for number, key in enumerate(keys.split(", ")))
        having = self.rng.choice(["", "", " HAVING count(*) > 1"])
        return f"SELECT {names}, {self.aggregates()} FROM t{self.where()} GROUP BY {keys}{having}"

    def windowed(self):
        self.mode("append", "append", "update", "complete")
        self.query.late = []
        self.stream("t", 4)
        window, key = self.window(), self.rng.choice(["", ", k", ", s"])
        return f"SELECT {window} AS w{key}, {self.aggregates()} FROM t{self.where()} GROUP BY {window}{key}"

    def distinct(self):
        self.mode("append", "update")
        self.stream("t", 3, watermark=self.rng.random() < 0.6)
        return f"SELECT DISTINCT {self.rng.choice(['k', 's, k', 'ts, k', 'b', 'ts'])} FROM t{self.where()}"

    def static_join(self):
        self.mode("append", "update")
        self.stream("a", 2, watermark=False)
        self.table("b", 6)
        kind = self.rng.choice(["JOIN", "LEFT JOIN", "LEFT SEMI JOIN"])
        columns = "a.k, a.s, a.v" + ("" if "SEMI" in kind else ", b.s AS bs, b.v AS bv")
        return f"SELECT {columns} FROM a {kind} b ON a.k = b.k{self.rng.choice(['', ' AND b.v > 0'])}"

    def stream_join(self):
        self.mode("append")
        kind = self.rng.choice(["JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN"])
        always = ("ts", "k") if kind == "FULL JOIN" else ("ts",)   # README: NULL keys of a full join
        self.stream("a", 4, always=always)
        self.stream("b", 4, always=always)
        columns = "a.k, a.ts, a.v" + ("" if "SEMI" in kind else ", b.ts AS bts, b.v AS bv")
        time = "a.ts >= b.ts - INTERVAL 5 MINUTES AND a.ts <= b.ts + INTERVAL 10 MINUTES"
        return f"SELECT {columns} FROM a {kind} b ON a.k = b.k AND {time}"

    def union(self):
        self.mode("append")
        self.stream("a", 3, watermark=False)
        self.stream("b", 3, watermark=False)
        return f"SELECT k, s, v FROM a{self.where()} UNION ALL SELECT k, upper(s), v + 1 FROM b{self.where()}"

    def exploded(self):
        self.mode("update", "complete")
        self.stream("t", 3, watermark=False)
        return f"SELECT w, count(*) AS n, sum(k) AS s FROM (SELECT explode(split(s, '[i,]')) AS w, k FROM t{self.where()}) GROUP BY w"

    def window_of_window(self):
        self.mode("append")
        self.stream("t", 4)
        inner = f"SELECT window(ts, '5 minutes') AS w, k, count(*) AS n FROM t{self.where()} GROUP BY window(ts, '5 minutes'), k"
        return f"SELECT window(window_time(w), '15 minutes') AS w2, sum(n) AS total, max(n) AS most FROM ({inner}) GROUP BY window(window_time(w), '15 minutes')"

    def distinct_then_window(self):
        self.mode("append")
        self.stream("t", 4)
        return "SELECT window(ts, '10 minutes') AS w, count(*) AS n FROM (SELECT DISTINCT ts, k FROM t) GROUP BY window(ts, '10 minutes')"

    def session(self):
        self.mode("append", "complete")
        self.stream("t", 4)
        window = "session_window(ts, '4 minutes')"
        return f"SELECT {window} AS w, k, {self.aggregates()} FROM t GROUP BY {window}, k"


KINDS = ["bounded_expressions"] * 6 + ["bounded_aggregate"] * 2 + ["bounded_join"] * 2 + ["stateless"] * 2 + ["grouped"] * 3 + \
    ["windowed"] * 4 + ["distinct", "distinct", "static_join", "static_join", "stream_join", "stream_join", "stream_join", "union",
                       "exploded", "window_of_window", "distinct_then_window", "session"]


def make(number, kinds=None):
    """The query of a number, and what kind it is."""
    maker = Maker(number)
    kind = maker.rng.choice(kinds or KINDS)
    maker.query.text = getattr(maker, kind)()
    return kind, maker.query


if __name__ == "__main__":
    query_file.write(__import__("pathlib").Path("/dev/stdout"), make(int(sys.argv[1]))[1])
