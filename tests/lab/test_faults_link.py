# SPDX-License-Identifier: LGPL-2.1-or-later
"""The part of the fault table that is about the way between the hosts: it goes silent, or it is bad.

Each row compares what was sent with what came, and checks the path that the traffic ends on. It tells times and judges none.
"""

import os
import time

import topology
import traffic
from lab import Lab
from testing import check, scenario

MIB = 1 << 20
KIB = 1 << 10
RESTRICTED = {"a": "port-restricted", "b": "port-restricted"}


class Pauses:
    """How long a reader waited for its next block, at most, since the last reset."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.longest, self._last = 0.0, time.monotonic()

    def __call__(self, block):
        now = time.monotonic()
        self.longest, self._last = max(self.longest, now - self._last), now


class Exchange(traffic.Exchange):
    """Data in both directions between two pipes, listener first; limits: after half of it a host rests until hurry()."""

    def __init__(self, processes, limits=(None, None), pause=0.005):
        self.processes = processes
        seed = int(os.environ.get("ICS_TEST_SEED") or time.time_ns())
        self.feeders = [traffic.Feeder(process.popen.stdin, f"{seed}/{index}", pause, limit)
                        for index, (process, limit) in enumerate(zip(processes, limits))]
        self.pauses = [Pauses() for _ in processes]
        self.drains = [traffic.Drain(process.popen.stdout, observe=pauses) for process, pauses in zip(processes, self.pauses)]

    def wait_path(self, *kinds):
        """Until both hosts send over such a path."""
        for process in self.processes:
            process.events.wait_until(lambda events: last_path(events) in kinds, f"path {kinds}")

    def wait_reader(self, index):
        self.drains[index].wait_progress()

    def finish(self):
        self.hurry()
        super().finish()

    def stalls(self, readers=(0, 1)):
        found = [event["ms"] for index in readers for event in self.processes[index].events.all("stall")]
        return f"{len(found)} stalls, longest {max(found):.0f} ms" if found else "no stall"


def last_path(events):
    kinds = [event["kind"] for event in events if event.get("type") == "path"]
    return kinds[-1] if kinds else None


def milliseconds(seconds):
    return f"{1000 * seconds:.0f} ms"


def summary(outcomes):
    width = max(len(outcome.scenario.name) for outcome in outcomes)
    lines = [f"| {outcome.scenario.name:{width}} | {outcome.result if outcome.passed else 'FAILED'} |"
             for outcome in sorted(outcomes, key=lambda outcome: outcome.scenario.name)]
    return "\n".join([f"| {'fault of the link':{width}} | what was seen |", f"|{'-' * (width + 2)}|---|", *lines])


# The direct path goes silent, the relay does not

WAYS = {"both ways": None, "towards the listener": "in", "towards the joiner": "out"}
BUSY = {"both send": (True, True), "the listener sends": (True, False), "the joiner sends": (False, True), "idle": (False, False)}


@scenario(each={f"{way}, {busy}": (WAYS[way], BUSY[busy]) for way in WAYS for busy in BUSY})
def silent_blackhole(way, busy):
    """All UDP but the server's vanishes. The traffic goes on over the relay, and comes back when the path does."""
    with Lab(**RESTRICTED) as lab:
        lab.start_server()
        exchange = Exchange(lab.pipes(options=("-v",)), [None if sends else 2 * MIB for sends in busy])
        exchange.wait_path("direct")
        exchange.require(MIB)
        readers = [1 - index for index in (0, 1) if busy[index]]
        for pauses in exchange.pauses:
            pauses.reset()
        begin = time.monotonic()
        lab.block_udp("a", topology.SERVER, way=way)
        exchange.wait_path("turn", "channel")
        moved = time.monotonic() - begin
        for index in readers:
            exchange.wait_reader(index)
        waits = [exchange.pauses[index].longest for index in readers]
        kinds = "/".join(process.paths()[-1] for process in exchange.processes)
        lab.restore("a")
        exchange.wait_path("direct")
        exchange.finish()
    told = "" if not waits else f", longest pause of a reader {milliseconds(max(waits))}; {exchange.stalls(readers)}"
    return f"on {kinds} after {milliseconds(moved)}{told}"


@scenario(each={way: (way,) for way in ("both", "up", "down")})
def nothing_passes_for_3_s(way):
    """All paths of the listener go silent at once, and come back."""
    settings = {"blackhole": True}
    with Lab(**RESTRICTED, impair=("a",)) as lab:
        lab.start_server()
        exchange = Exchange(lab.pipes(options=("-v",)))
        exchange.wait_path("direct")
        exchange.require(MIB)
        lab.impair("a", **({way: settings} if way != "both" else settings))
        time.sleep(3)
        begin = time.monotonic()
        lab.impair("a")
        marks = [feeder.bytes + 1 for feeder in exchange.feeders]
        for drain, mark in zip(reversed(exchange.drains), marks):
            drain.wait_for(mark)
        data = time.monotonic() - begin
        exchange.wait_path("direct")
        path = time.monotonic() - begin
        exchange.finish()
    return f"data {milliseconds(data)}, direct {milliseconds(path)} after its end; {exchange.stalls()}"


# The way is bad from the beginning

BAD = {
    "loss 1 %": ({"loss": 1}, 32 * MIB),
    "loss 5 %": ({"loss": 5}, 16 * MIB),
    "loss 10 %": ({"loss": 10}, 8 * MIB),
    "loss 30 %": ({"loss": 30}, 2 * MIB),
    "loss 25 % in bursts of 50 ms": ({"loss": 25, "burst_ms": 50}, 2 * MIB),
    "reordering 25 % by 5 ms": ({"reorder": 25, "reorder_by": 5}, 16 * MIB),
    "duplicates 25 %": ({"duplicate": 25, "reorder_by": 5}, 16 * MIB),
    "corruption 2 %": ({"corrupt": 2}, 16 * MIB),
    "jitter of 10 ms": ({"jitter": 10}, 16 * MIB),
    "RTT 600 ms at 256 kbit per s": ({"delay": 300, "rate": "256k", "queue": "16k"}, 128 * KIB),
    "all at once": ({"loss": 2, "reorder": 5, "duplicate": 5, "corrupt": 1, "jitter": 5, "rate": "20M"}, 8 * MIB),
}


@scenario(each={what: BAD[what] for what in BAD})
def bad_link(settings, size):
    """Both ways; pairing and the search for paths included. A slow one gets no more than the size: what waits in the buffers has
    to go through as well."""
    limit = size if "rate" in settings and size < MIB else None
    with Lab(**RESTRICTED, impair=("a",)) as lab:
        settings = {"delay": 10} | settings
        # Pairing goes over TCP, whose pauses double with each loss: at 30 % each way it takes longer than the handshake may (30 s)
        # every fortieth time.
        lab.impair("a", **(settings | {"loss": min(settings.get("loss", 0), 10)}))
        begin = time.monotonic()
        lab.start_server()
        pair = lab.pipes(options=("-v",))
        for process in pair:
            process.wait_for("connected")
        lab.impair("a", **settings)
        exchange = Exchange(pair, [limit, limit], pause=0.01)
        exchange.wait_path("direct")
        direct = time.monotonic() - begin
        exchange.require(limit // 2 if limit else size)
        took = time.monotonic() - begin - direct
        exchange.wait_path("direct")
        exchange.finish()
        told = lab.impair_stats("a")
    check(all(told[way]["dropped"] == 0 for way in told), f"the laboratory itself lost packets: {told}")
    moves = max(len(process.paths()) for process in exchange.processes) - 1
    return (f"direct after {direct:.1f} s, {moves} moves, {(limit // 2 if limit else size) / MIB:g} MiB each way {took:.1f} s later; "
            f"{exchange.stalls()}")


@scenario(each={"1500 to 1280": (1280,), "1500 to 1400": (1400,)})
def mtu_shrinks_in_silence(mtu):
    """In the middle of a transfer both ways, for good, and no ICMP tells of it."""
    with Lab(**RESTRICTED, impair=("a",)) as lab:
        lab.start_server()
        exchange = Exchange(lab.pipes(options=("-v",)))
        exchange.wait_path("direct")
        exchange.require(8 * MIB)
        begin = time.monotonic()
        lab.impair("a", mtu=mtu)
        marks = [feeder.bytes + MIB for feeder in exchange.feeders]
        for drain, mark in zip(reversed(exchange.drains), marks):
            drain.wait_for(mark)
        took = time.monotonic() - begin
        exchange.wait_path("direct")
        big = sum(told["too_big"] for told in lab.impair_stats("a").values())
        exchange.finish()
    check(big > 0, "no packet was too big")
    return f"what was sent after it arrived within {milliseconds(took)}; {big} packets vanished; {exchange.stalls()}"
