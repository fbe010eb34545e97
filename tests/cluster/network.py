"""Network faults between the processes of a cluster: delay, stall, half-open and reset, between
workers and driver and between workers, through a TCP proxy, while files arrive.

usage: network.py TIDEMILL [--long] [--seed N] [--faults N]
"""
import random
import time

from cluster_harness import LEASE_SECONDS, Cluster, Jobs, free_port
from harness import Failure, arguments, main, scratch
from tcp_proxy import TO_CLIENT, TO_SERVER, Proxy

WORKERS = ("w1", "w2", "w3")


class Network:
    """Each worker reaches the driver through one proxy and is reached by the others through another."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.control = {name: Proxy(cluster.listen) for name in WORKERS}
        self.exchange = {}
        for name in WORKERS:
            listen = free_port()
            self.exchange[name] = Proxy(listen)
            cluster.start_worker(name, "--driver", self.control[name].address, "--listen", f"127.0.0.1:{listen}",
                                 "--advertise", self.exchange[name].address)

    def links(self):
        return [(kind, name, proxy) for kind, proxies in (("control", self.control), ("exchange", self.exchange))
                for name, proxy in sorted(proxies.items())]

    def close(self):
        for _, _, proxy in self.links():
            proxy.close()


# How a link is broken, and for how long at most: beyond the lease for those that fall silent.
FAULTS = {
    "delay": (lambda proxy: proxy.delay(0.05), 1.0),
    "stall": (lambda proxy: proxy.stall(), LEASE_SECONDS + 2),
    "short stall": (lambda proxy: proxy.stall(), 1.0),
    "deaf": (lambda proxy: proxy.half_open(TO_CLIENT), LEASE_SECONDS + 2),
    "mute": (lambda proxy: proxy.half_open(TO_SERVER), LEASE_SECONDS + 2),
    "reset": (lambda proxy: proxy.reset(), 0.2),
    "refuse": (lambda proxy: proxy.refuse(), 2.0),
}


def inject(network, jobs, fault, link):
    kind, name, proxy = link
    began = time.monotonic()
    strike, seconds = FAULTS[fault]
    strike(proxy)
    time.sleep(seconds)
    proxy.heal()
    try:
        jobs.wait_until_caught_up()
        network.cluster.wait_for_workers()
        network.cluster.check_running()
    except Failure as failure:
        raise Failure(f"{fault} of {kind} {name}: {failure}\n{network.cluster.describe()}") from None
    print(f"{fault} of {kind} {name}: {time.monotonic() - began:.1f} s", flush=True)


def test():
    options = arguments(__doc__, faults=(0, "how many; default 5, long form 60"))
    generator = random.Random(options.seed)
    with scratch(options.keep) as folder:
        cluster = Cluster(options.binary, folder)
        cluster.start_driver()
        network = Network(cluster)
        cluster.wait_for_workers()
        jobs = Jobs(cluster, generator)
        jobs.wait_until_caught_up()
        plan = [(fault, link) for fault in FAULTS for link in network.links()]
        generator.shuffle(plan)
        if not (options.faults or options.long):     # one silent link and each of the quick faults
            plan = [("reset", network.links()[0]), ("reset", network.links()[-1]), *(
                next(step for step in plan if step[0] == fault) for fault in ("delay", "short stall", generator.choice(("stall", "deaf", "mute"))))]
        for fault, link in plan[:options.faults or 60]:
            inject(network, jobs, fault, link)
        jobs.finish()
        cluster.stop()
        network.close()
        print(f"seed {options.seed}: {len(jobs.input.lines)} lines exactly once")


if __name__ == "__main__":
    main(test)
