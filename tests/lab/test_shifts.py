# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a shift costs: many in one session under load, and what arrives while one happens."""

import os
import statistics
import subprocess
import time

import namespaces
import topology
import traffic
from lab import Lab
from process import expect_success
from testing import check, scenario

LOOK = 3                    # seconds
# Bytes. The relay holds 225,000 (20 Mbit/s for 40 ms and a queue of 50 ms), which may have to be sent twice; its own pace
# varies by up to 700,000 without any move.
BEHIND = 1_000_000
SOAK = bool(os.environ.get("ICS_LAB_SOAK"))
SHIFTS = int(os.environ.get("ICS_LAB_SHIFTS") or 200)


class Pair:
    """Two tests/lab/shift-peer, [0] listens."""

    def __init__(self, lab):
        self._lab = lab
        listener = self._start("a")
        self.both = (listener, self._start("b", listener.wait_for("code")["code"]))
        for process in self.both:
            process.wait_for("connected")

    def _start(self, machine, code=None):
        return self._lab.run_tool(machine, "shift-peer", self._lab.server_url(machine), code=code, stdin=subprocess.PIPE)

    def all(self, kind, since):
        return [[event for event in process.events.all()[begin:] if event["type"] == kind]
                for process, begin in zip(self.both, since)]

    @staticmethod
    def tell(process, line):
        process.popen.stdin.write(line.encode() + b"\n")
        process.popen.stdin.flush()

    def seen(self):
        return [process.events.count for process in self.both]

    def wait_moved(self, kind, since):
        """Until both send on this kind of path and data came both ways after that, as events from `since` on tell."""
        for process, begin in zip(self.both, since):
            def flows(events, begin=begin):
                moved = next((number for number, event in enumerate(events[begin:], begin)
                              if event["type"] == "path" and event["kind"] == kind), None)
                return moved is not None and any(event["type"] == "progress" for event in events[moved:])
            process.events.wait_until(flows, f"data after a move to {kind}")

    def wait_stalls(self, since):
        """Until both told what the last shift cost: when the window after it has passed."""
        for process, begin in zip(self.both, since):
            process.wait_for("stall", after=begin)

    def finish(self):
        for process in self.both:
            self.tell(process, "end")
        done = [process.wait_for("done") for process in self.both]
        self.tell(self.both[1], "close")
        expect_success(*self.both)
        for one, other in (done, reversed(done)):
            check((one["sent"], one["sent_bytes"]) == (other["received"], other["received_bytes"]), f"other bytes: {done}")
        return sum(each["sent_bytes"] for each in done)


@scenario(bulk=True)
def many_in_one_session_with_1_percent_loss():
    """Up and down in turn, told to one side and to the other in turn, while data flows both ways as fast as it goes."""
    with Lab(a="port-restricted", b="port-restricted", impair=("a",)) as lab:
        lab.start_server()
        lab.impair("a", loss=1)
        pair = Pair(lab)
        pair.wait_moved("direct", (0, 0))
        pair.wait_stalls((0, 0))
        first = pair.seen()
        for shift in range(SHIFTS):
            seen = pair.seen()
            pair.tell(pair.both[shift // 2 % 2], "auto" if shift % 2 else "relay")
            pair.wait_moved("direct" if shift % 2 else "turn", seen)
            # Shifts that follow at once share a window and an event, which tells the longest pause of them all.
            if SOAK or shift == SHIFTS - 1:
                pair.wait_stalls(seen)
        paths, stalls = pair.all("path", first), sorted(event["ms"] for each in pair.all("stall", first) for event in each)
        sent = pair.finish()
    reasons = sorted({event["reason"] for each in paths for event in each})
    return (f"{SHIFTS} shifts, {len(paths[0])} and {len(paths[1])} moves ({', '.join(reasons)}), {sent / 1e6:.0f} MB; "
            + describe(stalls))


def describe(stalls):
    if not stalls:
        return "no stall"
    part = 19 * len(stalls) // 20
    return (f"{len(stalls)} stalls: median {statistics.median(stalls):.0f} ms, 95 % {stalls[min(part, len(stalls) - 1)]} ms, "
            f"longest {stalls[-1]} ms")


class Meter:
    """What arrived when."""

    def __init__(self):
        self._arrivals = []

    def __call__(self, block):
        self._arrivals.append((time.monotonic(), len(block)))

    def rate(self, begin, end):
        """Bytes per second."""
        return sum(count for when, count in self._arrivals if begin <= when < end) / (end - begin)

    def lag(self, begin, end, rate):
        """By how many bytes what came was behind this rate at the worst moment, counted from `begin`."""
        worst = came = 0
        for when, count in self._arrivals:
            if begin <= when < end:
                worst = max(worst, (when - begin) * rate - came)
                came += count
        return worst

    def least(self, begin, end, window):
        """Bytes per second in the worst window of such a length, in seconds."""
        return min(self.rate(at, at + window) for at in (begin + 0.01 * step for step in range(int(100 * (end - begin - window)))))


@scenario(bulk=True)
def goodput_while_a_better_path_comes():
    """A relay of 20 Mbit/s, a direct path of 100 Mbit/s, both of 40 ms: what arrives around the move from one to the other."""
    with Lab(a="port-restricted", b="port-restricted", impair=("a",)) as lab:
        lab.start_server()
        lab.impair("a", delay=20, rate="100M")
        namespaces.command("server", "tc qdisc add dev wan root tbf rate 20mbit burst 16k latency 50ms".split())
        lab.block_udp("a", topology.SERVER)
        first, second = lab.pipes()
        meter = Meter()
        feeder = traffic.Feeder(first.popen.stdin, "upgrade")
        drain = traffic.Drain(second.popen.stdout, observe=meter)
        for process in (first, second):
            process.wait_for("path", kind="turn")
        drain.wait_for(drain.bytes + 12_000_000)
        lab.restore("a")
        moved = first.begin + first.wait_for("path", kind="direct")["at_ms"] / 1000
        drain.wait_for(drain.bytes + 20_000_000)
        end = time.monotonic()
        feeder.end()
        second.popen.stdin.close()
        check(feeder.result() == drain.result(), "other bytes")
        expect_success(first, second)
    relay = meter.rate(moved - LOOK, moved)
    worst = [meter.lag(begin, min(end, begin + LOOK), relay) for begin in (moved - LOOK, moved)]
    check(worst[1] <= BEHIND, f"{worst[1]:.0f} bytes behind the relay after the move")
    least = ", ".join(f"{meter.least(moved - 1, min(end, moved + LOOK), window) / relay:.2f} in {1000 * window:.0f} ms"
                      for window in (0.1, 0.25, 0.5, 1))
    return (f"relay {8 * relay / 1e6:.1f} Mbit/s; behind that pace by at most {worst[0] / 1000:.0f} kB in the {LOOK} s before the move, "
            f"{worst[1] / 1000:.0f} kB after it; at least {least} of it; at the end {8 * meter.rate(end - 1, end) / 1e6:.1f} Mbit/s")
