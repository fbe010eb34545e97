"""A stream joined with a static table, broadcast and partitioned: the table is read once and kept, read
again when its files change, and there again when a worker that had it is killed.

usage: static_tables.py TIDEMILL [--seed N] [--keep]
"""
import collections
import json
import pathlib
import random
import re

from cluster_harness import Cluster
from harness import OK, arguments, check, main, publish, scratch, sink_rows, until

CUSTOMERS, EPOCHS = 40_000, 15
ORDERS = "order_id BIGINT, customer BIGINT"
TABLE = "id BIGINT, name STRING"
QUERY = "SELECT order_id, name FROM orders LEFT JOIN customers ON customer = id"


def bytes_read(cluster):
    """By all workers, from files."""
    return sum(int(re.search(r"^rchar: (\d+)", pathlib.Path(f"/proc/{worker.child.pid}/io").read_text(encoding="ascii"), re.M).group(1))
               for worker in cluster.workers.values())


class Shop:
    def __init__(self, cluster, generator):
        self.generator, self.orders, self.customers = generator, cluster.folder / "orders", cluster.folder / "customers"
        self.orders.mkdir()
        self.customers.mkdir()
        self.sink, self.files, self.want, self.names = cluster.folder / "named", 0, collections.Counter(), {}

    def rename_customers(self, prefix):
        """The whole table anew, in one step."""
        self.names = {number: f"{prefix}-{number}-{'x' * 80}" for number in range(0, CUSTOMERS, 2)}
        publish(self.customers, "all.csv", "".join(f"{number},{name}\n" for number, name in self.names.items()))
        return (self.customers / "all.csv").stat().st_size

    def order(self, count=50):
        lines = []
        for _ in range(count):
            customer = self.generator.randrange(CUSTOMERS)
            lines.append(f"{self.files * count + len(lines)},{customer}\n")
            self.want[(self.files * count + len(lines) - 1, self.names.get(customer))] += 1
        publish(self.orders, f"{self.files:05d}.csv", "".join(lines))
        self.files += 1

    def wait(self):
        def rows():
            return collections.Counter((row["order_id"], row.get("name")) for row in sink_rows(self.sink))
        until(lambda: sum(rows().values()) >= sum(self.want.values()), 30, f"orders of {self.files} files")
        have = rows()
        check(have == self.want, f"missing {list((self.want - have))[:3]}, too many {list((have - self.want))[:3]}")

    def order_and_wait(self):
        self.order()
        self.wait()


def run(parsed, folder, limit, output):
    """With tables up to `limit` broadcast: the first stage's `output`, as explain says."""
    cluster = Cluster(parsed.binary, folder)
    cluster.start_driver()
    for name in ("w1", "w2"):
        cluster.start_worker(name)
    cluster.wait_for_workers()
    shop = Shop(cluster, random.Random(parsed.seed))
    size = shop.rename_customers("first")
    sources = {"orders": {"format": "csv", "path": shop.orders, "schema": ORDERS},
               "customers": {"format": "csv", "path": shop.customers, "schema": TABLE, "mode": "batch"}}
    spec = cluster.engine.write("shop.yaml", json.dumps(
        {"name": "shop", "sources": sources, "query": QUERY, "sink": {"format": "json", "path": shop.sink},
         "settings": {"spark.sql.autoBroadcastJoinThreshold": limit}}, default=str))
    plan = cluster.engine.start("explain", spec).expect(OK, 20).stdout
    check(f"-> {output}" in plan, f"no {output} with a threshold of {limit}:\n{plan}")
    cluster.client("submit", spec)

    shop.order_and_wait()
    before = bytes_read(cluster)
    for _ in range(EPOCHS):
        shop.order_and_wait()
    read = bytes_read(cluster) - before
    check(read < 2 * size, f"{EPOCHS} epochs read {read} bytes, with a table of {size}: it was not kept")

    before = bytes_read(cluster)
    shop.rename_customers("second")
    shop.order_and_wait()
    check(bytes_read(cluster) - before > size // 2, "the new table was not read")
    for _ in range(3):
        shop.order_and_wait()

    for victim in ("w1", "w2"):
        cluster.workers[victim].kill()
        shop.order()
        cluster.start_worker(victim)
        shop.wait()
        shop.order_and_wait()
    cluster.check_running()
    cluster.client("stop", "shop")
    cluster.stop()
    print(f"{output}: {shop.files} files of orders: every row once; {EPOCHS} epochs read {read} bytes, the table has {size}", flush=True)


def test():
    parsed = arguments(__doc__)
    for limit, output in (("10m", "broadcast to every slot"), ("-1", "hash exchange by [id]")):
        with scratch(parsed.keep) as folder:
            run(parsed, folder, limit, output)


main(test)
