"""The works W1 to W5: what our job file and Spark's are made of, DuckDB's query over the same files, and how rows are compared."""
import dataclasses

EVENT_COLUMNS = "event_time TIMESTAMP, user_id BIGINT, page STRING, action STRING, latency_ms DOUBLE, session STRING"
CSV = {"options": {"header": True}}


@dataclasses.dataclass
class Work:
    rows: int               # of the streams, at scale 1
    sources: dict           # as in a job file; `path` is below the folder of the data
    query: str
    mode: str
    duckdb: str             # gives the same rows; {data} is the folder
    summary: str            # what DuckDB's timed run gives of its rows: little, so that only the work is measured
    exact: tuple            # expressions over the result that must be equal in all rows
    flink_tables: dict      # columns by source, in Flink's SQL
    flink: str              # gives the same rows too
    close: tuple = ()       # doubles whose sums may differ in the last digits
    where: str = "true"     # which rows of DuckDB's a stream has given when its input ends, while the last windows are open


def columns(ddl):
    """A schema for DuckDB's readers."""
    types = {"STRING": "VARCHAR", "INT": "INTEGER"}
    pairs = (column.split() for column in ddl.split(", "))
    return "{" + ", ".join(f"{name}: '{types.get(kind, kind)}'" for name, kind in pairs) + "}"


def csv(path, ddl, **rest):
    return {"format": "csv", "path": path, "schema": ddl, **CSV, **rest}


def read_csv(path, ddl):
    return f"read_csv('{{data}}/{path}/*.csv', header=true, columns={columns(ddl)}) AS {path}"


ORDERS = "order_id BIGINT, customer_id BIGINT, amount DOUBLE, status STRING, order_time TIMESTAMP"
CUSTOMERS = "customer_id BIGINT, name STRING, country STRING, segment STRING"
IMPS = "imp_ad_id BIGINT, imp_time TIMESTAMP, campaign INT"
CLICKS = "clk_ad_id BIGINT, clk_time TIMESTAMP"
# Flink takes files in an order of its own and drops rows behind the watermark: a delay of more than all the data, where Spark and we have
# 10 minutes. Its CSV reader knows neither headers, which become rows of nulls, nor this form of times.
FLINK_EVENTS = "event_time TIMESTAMP_LTZ(3), page STRING, latency_ms DOUBLE, WATERMARK FOR event_time AS event_time - INTERVAL '4' HOUR"
FLINK_TIME = "TRY_CAST(REPLACE(REPLACE({}, 'T', ' '), 'Z', '') AS TIMESTAMP(3))"


def flink_csv(key, time, rest=""):
    """A table with a watermark, whose time may not be null, as it is in the row made of a header."""
    return (f"{key} BIGINT, text STRING{rest}, {time} AS COALESCE({FLINK_TIME.format('text')}, TIMESTAMP '1970-01-01 00:00:00.000'), "
            f"WATERMARK FOR {time} AS {time} - INTERVAL '6' HOUR")


EVENTS = f"read_json('{{data}}/*.json', format='newline_delimited', columns={columns(EVENT_COLUMNS)})"

WORKS = {
    "w1": Work(
        rows=7_200_000, mode="complete", sources={"lines": {"format": "text", "path": ""}},
        query="SELECT word, count(*) AS count FROM (SELECT explode(split(value, ' ')) AS word FROM lines) GROUP BY word",
        duckdb="SELECT word, count(*) AS count FROM (SELECT unnest(string_split(line, ' ')) AS word FROM read_csv('{data}/*.txt', "
               "columns={line: 'VARCHAR'}, delim='\x01', quote='', escape='', header=false, auto_detect=false)) GROUP BY word",
        summary="count(*), sum(count)", exact=("word", "count"), flink_tables={"lines": "line STRING"},
        flink="SELECT word, COUNT(*) AS `count` FROM `lines` CROSS JOIN UNNEST(SPLIT(line, ' ')) AS split(word) GROUP BY word"),
    "w2": Work(
        rows=10_000_000, mode="append",
        sources={"events": {"format": "json", "path": "", "schema": EVENT_COLUMNS, "watermark": {"column": "event_time", "delay": "10 minutes"}}},
        query="SELECT window.start AS start, page, count(*) AS n, avg(latency_ms) AS mean, max(latency_ms) AS most "
              "FROM events GROUP BY window(event_time, '1 minute'), page",
        duckdb="SELECT time_bucket(INTERVAL 1 MINUTE, event_time) AS start, page, count(*) AS n, avg(latency_ms) AS mean, max(latency_ms) AS most "
               f"FROM {EVENTS} GROUP BY 1, 2",
        summary="count(*), sum(n), max(mean), max(most)", exact=("epoch_us(start)", "page", "n", "most"), close=("mean",),
        flink_tables={"events": FLINK_EVENTS},
        flink="SELECT window_start AS `start`, page, COUNT(*) AS n, AVG(latency_ms) AS mean, MAX(latency_ms) AS most "
              "FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(event_time), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, page",
        where=f"start + INTERVAL 1 MINUTE <= (SELECT max(event_time) FROM {EVENTS}) - INTERVAL 10 MINUTES"),
    "w3": Work(
        rows=10_000_000, mode="update",
        sources={"events": {"format": "parquet", "path": "", "schema": "session STRING, user_id BIGINT, event_time TIMESTAMP, page STRING, latency_ms DOUBLE",
                            "options": {"maxFilesPerTrigger": 1}}},
        query="SELECT session, count(*) AS n FROM events GROUP BY session",
        duckdb="SELECT session, count(*) AS n FROM read_parquet('{data}/*.parquet') GROUP BY session",
        summary="count(*), sum(n)", exact=("session", "n"), flink_tables={"events": "`session` STRING"},
        flink="SELECT `session`, COUNT(*) AS n FROM events GROUP BY `session`"),
    "w4": Work(
        rows=5_000_000, mode="append", sources={"orders": csv("orders", ORDERS), "customers": csv("customers", CUSTOMERS, mode="batch")},
        query="SELECT * FROM orders LEFT JOIN customers USING (customer_id) WHERE amount > 100 AND status <> 'CANCELLED'",
        duckdb=f"SELECT * FROM {read_csv('orders', ORDERS)} LEFT JOIN {read_csv('customers', CUSTOMERS)} USING (customer_id) "
               "WHERE amount > 100 AND status <> 'CANCELLED'",
        summary="count(*), count(name), count(country), max(order_time)",
        exact=("order_id", "customer_id", "amount", "status", "epoch_us(order_time)", "name", "country", "segment"),
        flink_tables={"orders": "order_id BIGINT, customer_id BIGINT, amount DOUBLE, status STRING, text STRING",
                      "customers": "customer_id BIGINT, name STRING, country STRING, segment STRING"},
        flink=f"SELECT order_id, o.customer_id, amount, status, {FLINK_TIME.format('text')} AS order_time, name, country, segment "
              "FROM orders AS o LEFT JOIN customers AS c ON o.customer_id = c.customer_id WHERE amount > 100 AND status <> 'CANCELLED'"),
    "w5": Work(
        rows=6_000_000, mode="append",
        sources={"imps": csv("imps", IMPS, watermark={"column": "imp_time", "delay": "10 minutes"}),
                 "clicks": csv("clicks", CLICKS, watermark={"column": "clk_time", "delay": "10 minutes"})},
        query="SELECT * FROM imps JOIN clicks ON imp_ad_id = clk_ad_id AND clk_time >= imp_time AND clk_time <= imp_time + INTERVAL 1 HOUR",
        duckdb=f"SELECT * FROM {read_csv('imps', IMPS)} JOIN {read_csv('clicks', CLICKS)} "
               "ON imp_ad_id = clk_ad_id AND clk_time BETWEEN imp_time AND imp_time + INTERVAL 1 HOUR",
        summary="count(*)", exact=("imp_ad_id", "epoch_us(imp_time)", "campaign", "clk_ad_id", "epoch_us(clk_time)"),
        flink_tables={"imps": flink_csv("imp_ad_id", "imp_time", ", campaign INT"), "clicks": flink_csv("clk_ad_id", "clk_time")},
        flink="SELECT imp_ad_id, CAST(imp_time AS TIMESTAMP(3)) AS imp_time, campaign, clk_ad_id, CAST(clk_time AS TIMESTAMP(3)) AS clk_time "
              "FROM imps JOIN clicks ON imp_ad_id = clk_ad_id AND clk_time BETWEEN imp_time AND imp_time + INTERVAL '1' HOUR"),
}
