"""Seeded data of the works W1 to W5; run by the Python of environment.py (numpy, pyarrow).

usage: generate.py FOLDER w1|w2|w3|w4|w5 [--scale F]

w1  20 text files: lines of 8 to 12 words, Zipf over 100,000 words; scale 1: 7.2 M lines, 72 M words, 480 MB
w2  20 files of JSON events by time, out of order by up to 30 s; scale 1: 10 M events over 200 minutes, 1.5 GB
w3  columns of the same events as Parquet, one row group a file; `session`: 4 M different ones
w4  orders/ 10 CSV files (5 M), customers/ one (1 M); 5 % of the orders are of no customer
w5  imps/, clicks/ 10 CSV files each (5 M and 1 M); files of one number are of the same 24 minutes
The same scale gives the same rows; a folder that is complete is left as it is.
"""
import argparse
import pathlib
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as parquet

BEGIN_MS = 1_767_225_600_000    # 2026-01-01T00:00:00Z
ACTIONS = ["view", "click", "scroll", "purchase", "search"]
COUNTRIES = ["DE", "FR", "US", "GB", "JP", "BR", "IN", "CN", "ES", "IT"]
SEGMENTS = ["consumer", "corporate", "small", "public"]
STATES = ["NEW", "PAID", "SHIPPED", "CANCELLED"]


def generator(*seed):
    return np.random.default_rng([2026, *seed])


def scrambled(numbers):
    """A bijection of 64-bit numbers without visible order."""
    mixed = numbers.astype(np.uint64)
    for multiplier, shift in ((0x9E3779B97F4A7C15, 32), (0xD6E8FEB86659FD93, 29), (0xBF58476D1CE4E5B9, 31)):
        mixed = mixed * np.uint64(multiplier)
        mixed ^= mixed >> np.uint64(shift)
    return mixed


def text_of(characters):
    """Rows of a matrix of ASCII codes as strings."""
    rows, width = characters.shape
    offsets = pa.py_buffer(np.arange(0, (rows + 1) * width, width, dtype=np.int32))
    return pa.StringArray.from_buffers(rows, offsets, pa.py_buffer(np.ascontiguousarray(characters, dtype=np.uint8)))


def padded(numbers, width):
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return numbers[:, None] // powers % 10 + ord("0")


def hexadecimal(numbers):
    nibbles = (numbers[:, None] >> np.arange(60, -4, -4, dtype=np.uint64)) & np.uint64(15)
    return text_of(np.frombuffer(b"0123456789abcdef", np.uint8)[nibbles.astype(np.int64)])


def iso_times(milliseconds):
    """Of one month, which saves a calendar."""
    since = milliseconds - BEGIN_MS
    text = np.tile(np.frombuffer(b"2026-01-00T00:00:00.000Z", np.uint8), (len(since), 1))
    for column, unit, modulus, width in ((8, 86_400_000, 31, 2), (11, 3_600_000, 24, 2), (14, 60_000, 60, 2), (17, 1000, 60, 2), (20, 1, 1000, 3)):
        text[:, column:column + width] = padded(since // unit % modulus + (column == 8), width)
    return text_of(text)


def chosen(values, picks):
    return pa.array(values).take(pa.array(picks))


def write_csv(path, **columns):
    csv.write_csv(pa.table(columns), path, csv.WriteOptions(quoting_style="none", quoting_header="none"))


def words_of(random, count):
    words = {}
    while len(words) < count:
        letters = random.integers(ord("a"), ord("z") + 1, (count, 10), dtype=np.uint8).tobytes().decode()
        for row, length in enumerate(random.integers(2, 11, count)):
            words[letters[10 * row:10 * row + length]] = None
    return list(words)[:count]


def w1(folder, scale):
    words = pa.array(words_of(generator(1), 100_000))
    until = np.cumsum(1 / np.arange(1, 100_001))
    for number in range(20):
        random = generator(1, number)
        ends = np.concatenate([[0], np.cumsum(random.integers(8, 13, int(360_000 * scale)))])
        picks = np.searchsorted(until, random.random(ends[-1]) * until[-1]).clip(0, len(words) - 1)
        lines = pc.binary_join(pa.ListArray.from_arrays(pa.array(ends, pa.int32()), words.take(pa.array(picks))), " ")
        whole = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines), "\n")
        (folder / f"part-{number:02d}.txt").write_bytes(whole[0].as_buffer().to_pybytes() + b"\n")


def events(number, scale):
    random = generator(2, number)
    count = int(500_000 * scale)
    at = number * 600_000 + np.sort(random.integers(0, 600_000, count)) - random.integers(0, 30_000, count)
    return {
        "event_ms": BEGIN_MS + np.maximum(at, 0),
        "user_id": random.integers(0, 100_000, count),
        "page": pa.array([f"/catalog/page/{page:04d}" for page in range(1000)]).take(pa.array(random.integers(0, 1000, count))),
        "action": chosen(ACTIONS, random.integers(0, len(ACTIONS), count)),
        "latency_us": (random.gamma(2.0, 40.0, count) * 1000).astype(np.int64),
        "session": hexadecimal(scrambled(random.integers(0, int(4_480_000 * scale), count))),
    }


def w2(folder, scale):
    for number in range(20):
        rows = events(number, scale)
        latency = pc.binary_join_element_wise(pa.array(rows["latency_us"] // 1000).cast(pa.string()), text_of(padded(rows["latency_us"] % 1000, 3)), ".")
        lines = pc.binary_join_element_wise(
            '{"event_time":"', iso_times(rows["event_ms"]), '","user_id":', pa.array(rows["user_id"]).cast(pa.string()), ',"page":"', rows["page"],
            '","action":"', rows["action"], '","latency_ms":', latency, ',"session":"', rows["session"], '"}\n', "")
        (folder / f"part-{number:02d}.json").write_bytes(lines.buffers()[2].to_pybytes())


def w3(folder, scale):
    for number in range(20):
        rows = events(number, scale)
        table = pa.table({"session": rows["session"], "user_id": rows["user_id"], "event_time": pa.array(rows["event_ms"] * 1000).cast(pa.timestamp("us", "UTC")),
                          "page": rows["page"], "latency_ms": rows["latency_us"] / 1000})
        parquet.write_table(table, folder / f"part-{number:02d}.parquet", compression="snappy")


def w4(folder, scale):
    for name in ("orders", "customers"):
        (folder / name).mkdir()
    random = generator(4)
    customers, orders = int(1_000_000 * scale), int(500_000 * scale)
    ids = pa.array(np.arange(customers))
    write_csv(folder / "customers" / "customers.csv", customer_id=ids, name=pc.binary_join_element_wise("name", ids.cast(pa.string()), "-"),
              country=chosen(COUNTRIES, random.integers(0, len(COUNTRIES), customers)), segment=chosen(SEGMENTS, random.integers(0, len(SEGMENTS), customers)))
    for number in range(10):
        random = generator(4, number)
        ids = number * orders + np.arange(orders)
        cents = random.integers(100, 100_000, orders)
        write_csv(folder / "orders" / f"part-{number:02d}.csv", order_id=ids, customer_id=random.integers(0, int(customers / 0.95), orders),
                  amount=pc.binary_join_element_wise(pa.array(cents // 100).cast(pa.string()), text_of(padded(cents % 100, 2)), "."),
                  status=chosen(STATES, random.integers(0, len(STATES), orders)), order_time=iso_times(BEGIN_MS + ids * 10))


def w5(folder, scale):
    for name in ("imps", "clicks"):
        (folder / name).mkdir()
    random = generator(5)
    count, span = int(5_000_000 * scale), 240 * 60_000
    imp_ms = np.sort(random.integers(0, span, count))
    ads = (scrambled(np.arange(1, count + 1)) >> np.uint64(1)).astype(np.int64)
    clicked = random.choice(count, count // 5, replace=False)
    click_ms = imp_ms[clicked] + random.integers(0, 75 * 60_000, len(clicked))
    order = np.argsort(click_ms, kind="stable")
    click_ms, click_ads = click_ms[order], ads[clicked[order]]
    for number in range(10):
        begin, end = number * span // 10, (number + 1) * span // 10 if number < 9 else 2 * span    # late clicks are in the last file
        imps, clicks = (slice(*np.searchsorted(times, (begin, end))) for times in (imp_ms, click_ms))
        write_csv(folder / "imps" / f"part-{number:02d}.csv", imp_ad_id=ads[imps], imp_time=iso_times(BEGIN_MS + imp_ms[imps]), campaign=ads[imps] % 1000)
        write_csv(folder / "clicks" / f"part-{number:02d}.csv", clk_ad_id=click_ads[clicks], clk_time=iso_times(BEGIN_MS + click_ms[clicks]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("work", choices=["w1", "w2", "w3", "w4", "w5"])
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    if (options.folder / ".ready").exists():
        return
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    globals()[options.work](options.folder, options.scale)
    (options.folder / ".ready").touch()


if __name__ == "__main__":
    main()
