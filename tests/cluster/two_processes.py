"""Two `tidemill run` on one checkpoint, or on one sink path: one goes on, the other ends with exit
code 7 or 10, also when the first is stopped (SIGSTOP) or both start at once.

usage: two_processes.py TIDEMILL [--long] [--seed N]
"""
import collections
import signal

from harness import (CONFLICT, FENCED, Engine, arguments, check, job, main, publish, scratch, sink_rows, until)

QUERY = "SELECT word, count(*) AS n FROM (SELECT explode(split(value, ' ')) AS word FROM input) GROUP BY word"


class Pair:
    def __init__(self, engine):
        self.engine = engine
        self.source = engine.folder / "in"
        self.source.mkdir()
        self.words = collections.Counter()
        self.spec = self.spec_with("checkpoint", "out")

    def spec_with(self, checkpoint, sink):
        return self.engine.write(f"{checkpoint}-{sink}.yaml", job(
            QUERY, {"format": "text", "path": self.source}, {"format": "json", "path": self.engine.folder / sink},
            output="complete", checkpoint=self.engine.folder / checkpoint, name="pair"))

    def add(self, text):
        publish(self.source, f"{sum(self.words.values())}.txt", text + "\n")
        self.words.update(text.split(" "))

    def result(self):
        return {row["word"]: row["n"] for row in sink_rows(self.engine.folder / "out")}

    def wait_for_result(self, process):
        def is_there():
            check(process.is_running(), f"ended: {process.describe()}")
            return self.result() == self.words
        until(is_there, 20, f"result is {dict(self.words)}, is {self.result()}")


def second_is_refused(pair, first):
    second = pair.engine.run(pair.spec).expect((CONFLICT, FENCED), 20)
    check(str(first.child.pid) in second.stderr or "checkpoint" in second.stderr, f"does not say who holds it: {second.describe()}")
    pair.add("after second")
    pair.wait_for_result(first)


def stopped_process_keeps_the_checkpoint(pair, first):
    first.send(signal.SIGSTOP)
    pair.add("while stopped")
    try:
        pair.engine.run(pair.spec).expect((CONFLICT, FENCED), 20)
    finally:
        first.send(signal.SIGCONT)
    pair.wait_for_result(first)


def other_job_on_the_sink_path(pair, first):
    other = pair.engine.run(pair.spec_with("other", "out")).expect(CONFLICT, 20)
    check("out" in other.stderr, f"does not name the path: {other.describe()}")
    pair.add("after other")
    pair.wait_for_result(first)


def both_at_once(pair):
    both = [pair.engine.run(pair.spec) for _ in range(2)]
    pair.add("both at once")
    loser = until(lambda: next((process for process in both if not process.is_running()), None), 20, "one of two ends")
    check(loser.wait(1) in (CONFLICT, FENCED), f"loser's exit code: {loser.describe()}")
    winner, = [process for process in both if process is not loser]
    pair.wait_for_result(winner)
    return winner


def test():
    options = arguments(__doc__)
    with scratch(options.keep) as folder:
        pair = Pair(Engine(options.binary, folder, "--slots", "2"))
        pair.add("the tide")
        first = pair.engine.run(pair.spec)
        pair.wait_for_result(first)
        for case in (second_is_refused, stopped_process_keeps_the_checkpoint, other_job_on_the_sink_path):
            case(pair, first)
            print(case.__name__, flush=True)
        first.stop()
        for _ in range(20 if options.long else 4):
            both_at_once(pair).stop()
        print("both_at_once", flush=True)
        winner = both_at_once(pair)
        winner.kill()                      # a killed holder holds nothing
        after = pair.engine.run(pair.spec)
        pair.add("after kill")
        pair.wait_for_result(after)
        after.stop()


if __name__ == "__main__":
    main(test)
