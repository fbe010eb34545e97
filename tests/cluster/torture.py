"""Kills, stops and replaces the processes of a cluster while files arrive, and compares what the sinks
hold with an independent recount.

Over 1 driver and 3 workers: SIGKILL of a worker, of the driver, of both, and at every failpoint by
name; SIGSTOP past the lease and SIGCONT (zombies); two drivers on one root; two workers of one id;
workers that join and leave.

usage: torture.py TIDEMILL [--long] [--seed N] [--kills N] [--only ACTION]
"""
import collections
import json
import random
import signal
import time

from cluster_harness import LEASE_SECONDS, Cluster, Jobs, expect_fenced, free_port
from harness import FENCED, OK, Failure, arguments, check, main, scratch, until

WORKERS = ("w1", "w2", "w3")
# Where a failpoint is passed: the rest of the sink's are the driver's.
ON_WORKER = ("worker.", "sink.staged", "sink.chunk_written")


class Torture:
    def __init__(self, cluster, jobs, generator):
        self.cluster, self.jobs, self.generator = cluster, jobs, generator
        self.kills = 0
        self.hits = collections.Counter()      # failpoint -> kills at it
        self.replaced = 0
        self.recoveries = []                   # seconds from an action's end to having caught up

    def a_worker(self):
        return self.generator.choice(sorted(self.cluster.workers))

    def kill(self, process):
        process.kill()
        self.kills += 1

    def pause(self):
        """Some time in which a process is not there."""
        time.sleep(self.generator.choice((0, 0.05, 0.3, 1.0)) * self.generator.random())

    def kill_worker(self):
        name = self.a_worker()
        self.kill(self.cluster.workers[name])
        self.pause()
        self.cluster.start_worker(name)

    def kill_driver(self):
        self.kill(self.cluster.driver)
        self.pause()
        self.cluster.start_driver()

    def kill_both(self):
        name = self.a_worker()
        both = [self.cluster.workers[name], self.cluster.driver]
        self.generator.shuffle(both)
        for process in both:
            self.kill(process)
        self.pause()
        self.cluster.start_worker(name)
        self.cluster.start_driver()

    def kill_all(self):
        for process in (*self.cluster.workers.values(), self.cluster.driver):
            self.kill(process)
        self.cluster.start_driver()
        for name in list(self.cluster.workers):
            self.cluster.start_worker(name)

    def kill_at(self, failpoint, hits):
        """Replaces a process by one that kills itself at a failpoint; says whether it did."""
        env = {"TIDEMILL_FAILPOINT": f"{failpoint}:{hits}"}
        name = self.a_worker() if failpoint.startswith(ON_WORKER) else None
        if name:
            self.kill(self.cluster.workers[name])
            process = self.cluster.start_worker(name, env=env)
        else:
            self.kill(self.cluster.driver)
            process = self.cluster.start_driver(env=env)
        try:
            until(lambda: not process.is_running(), 8, "")
        except Failure:
            process.kill()
        else:
            check(process.child.returncode == -signal.SIGKILL, f"at failpoint {failpoint}:{hits}: {process.describe()}")
            self.hits[failpoint] += 1
        self.kills += 1
        if name:
            self.cluster.start_worker(name)
        else:
            self.cluster.start_driver()

    def stop_worker(self):
        """A worker that sleeps through its lease: the others go on; it rejoins or ends as fenced."""
        name = self.a_worker()
        zombie = self.cluster.workers[name]
        zombie.send(signal.SIGSTOP)
        try:
            until(lambda: name not in self.cluster.alive(), LEASE_SECONDS + 5, f"{name} is given up", step=0.1)
            self.jobs.wait_until_caught_up()
        finally:
            zombie.send(signal.SIGCONT)
        until(lambda: name in self.cluster.alive() or not zombie.is_running(), 15, f"{name} rejoins or ends", step=0.1)
        if not zombie.is_running():
            check(zombie.child.returncode == FENCED, f"a zombie's exit code: {zombie.describe()}")
            self.cluster.start_worker(name)

    def replace(self, name):
        """Starts another process of the same id, as on another machine."""
        self.replaced += 1
        self.cluster.start_worker(name, data=f"{name}-{self.replaced}")

    def replace_stopped_worker(self):
        """A new process takes the id of one that sleeps; the sleeper wakes up and ends."""
        name = self.a_worker()
        zombie = self.cluster.workers[name]
        zombie.send(signal.SIGSTOP)
        try:
            self.replace(name)
            time.sleep(LEASE_SECONDS + 1)
            self.jobs.wait_until_caught_up()
        finally:
            zombie.send(signal.SIGCONT)
        zombie.expect(FENCED, 20)

    def same_id(self):
        """Two processes of one id: the newer one stays."""
        name = self.a_worker()
        older = self.cluster.workers[name]
        self.replace(name)
        older.expect(FENCED, 20)

    def stop_driver(self):
        """Another driver takes the root while the first one sleeps; the sleeper wakes up and ends."""
        zombie = self.cluster.driver
        zombie.send(signal.SIGSTOP)
        try:
            self.cluster.start_driver(listen=free_port())
            time.sleep(LEASE_SECONDS + 1)
            self.cluster.wait_for_workers()
            self.jobs.wait_until_caught_up()
        finally:
            zombie.send(signal.SIGCONT)
        zombie.expect(FENCED, 20)

    def two_drivers(self):
        """A second driver on the root of one that is well: one of them ends, the other goes on."""
        first = self.cluster.driver
        listen, http = self.cluster.listen, self.cluster.http
        second = self.cluster.start_driver(listen=free_port())
        loser = until(lambda: next((one for one in (first, second) if not one.is_running()), None), 20, "one of two drivers ends")
        expect_fenced(loser)
        if loser is second:
            self.cluster.driver, self.cluster.listen, self.cluster.http = first, listen, http

    def rescale(self, plan=(1, 3, 2, 4, 3)):
        """Workers leave and join; who leaves politely exits 0."""
        for size in plan:
            while len(self.cluster.workers) > size:
                name = self.a_worker()
                leaver = self.cluster.workers.pop(name)
                leaver.send(signal.SIGTERM)
                check(leaver.wait(30) == OK, f"worker {name} left with {leaver.child.returncode}: {leaver.describe()}")
            for number in range(1, 10):
                if len(self.cluster.workers) < size and f"w{number}" not in self.cluster.workers:
                    self.cluster.start_worker(f"w{number}")
            self.cluster.wait_for_workers()
            self.jobs.wait_until_caught_up()

    def settle(self):
        """All processes are there and the jobs go on."""
        self.recoveries.append(self.jobs.wait_until_caught_up())
        self.cluster.check_running()
        self.cluster.wait_for_workers()

    def run(self, action, *rest):
        began = time.monotonic()
        try:
            getattr(self, action)(*rest)
            self.settle()
        except Failure as failure:
            raise Failure(f"{action} {' '.join(map(str, rest))}: {failure}\n{self.cluster.describe()}") from None
        print(f"{action} {' '.join(map(str, rest))} {time.monotonic() - began:.1f} s, {self.kills} kills", flush=True)


KILLS = ("kill_worker", "kill_worker", "kill_driver", "kill_both", "kill_all")
SLOW = ("stop_worker", "replace_stopped_worker", "stop_driver", "rescale")
QUICK = ("same_id", "two_drivers")


def short_plan(names, generator):
    """What fits into a minute: each kind once and some failpoints of either side."""
    chosen = [("kill_at", name, 1) for name in generator.sample(names, 4)]
    plan = [("kill_worker",), ("kill_driver",), ("kill_both",), ("same_id",), ("two_drivers",), *chosen]
    generator.shuffle(plan)
    return [*plan, ("stop_worker",), ("stop_driver",), ("rescale", (1, 3, 2, 4))]


def long_plan(names, generator):
    """Without end; every failpoint early."""
    plan = [("kill_at", name, generator.randrange(1, 4)) for name in names * 2]
    plan += [(action,) for action in (*SLOW, *QUICK)]
    generator.shuffle(plan)
    yield from plan
    while True:
        kind = generator.random()
        if kind < 0.5:
            yield (generator.choice(KILLS),)
        elif kind < 0.9:
            yield ("kill_at", generator.choice(names), generator.randrange(1, 6))
        else:
            yield (generator.choice((*SLOW, *QUICK)),)


def test():
    options = arguments(__doc__, kills=(0, "how many kills; long form 300"), only=("", "this action, 5 times"))
    generator = random.Random(options.seed)
    with scratch(options.keep) as folder:
        cluster = Cluster(options.binary, folder)
        names = cluster.engine.failpoints()
        cluster.start_driver()
        for name in WORKERS:
            cluster.start_worker(name)
        cluster.wait_for_workers()
        torture = Torture(cluster, Jobs(cluster, generator), generator)
        kills = options.kills or (300 if options.long else 0)
        if options.only:
            plan = [tuple(options.only.split(","))] * 5
        else:
            plan = long_plan(names, generator) if kills else short_plan(names, generator)
        for step, (action, *rest) in enumerate(plan):
            torture.run(action, *rest)
            if step % 8 == 7:
                torture.jobs.check_exactly()
            if kills and torture.kills >= kills:
                break
        torture.jobs.finish()
        cluster.stop()
        slowest = sorted(torture.recoveries)[-1]
        print(f"seed {options.seed}: {torture.kills} kills, {torture.jobs.input.files} files, {len(torture.jobs.input.lines)} lines, "
              f"all lines exactly once; slowest to catch up {slowest:.1f} s")
        print("kills by failpoint: " + json.dumps(torture.hits, sort_keys=True))
        never = [name for name in names if not torture.hits[name]]
        check(not (never and options.long), f"failpoints that killed nothing: {' '.join(never)}")


if __name__ == "__main__":
    main(test)
