# SPDX-License-Identifier: LGPL-2.1-or-later
"""The part of the fault table that is about outages: what was sent arrives, whole, and the traffic ends on the path it should.

Each row says how long it took from the moment the fault was over until data sent after that moment had arrived on both hosts
(data), and until the traffic of both was on the last path (path). Nothing is judged by these times. The long ones only sleep, so
that several can run side by side.
"""

import time

import topology
import traffic
from lab import Lab
from testing import check, scenario

MIB = 1 << 20
NATS = {"a": "port-restricted", "b": "full-cone"}


class Session:
    """Two pipes with data flowing both ways, and the clock of a row."""

    def __init__(self, lab, expect, options=(), server_options=()):
        lab.start_server(*server_options)
        self.pair = lab.pipes(options=("-v", *options))
        self.exchange = traffic.Exchange(*self.pair, pause=0.05)
        self.wait_path(expect)
        self.exchange.require(MIB)

    def wait_path(self, kind):
        """Until both send over a path of this kind."""
        for process in self.pair:
            process.events.wait_until(
                lambda events: [event["kind"] for event in events if event.get("type") == "path"][-1:] == [kind], f"path {kind}")

    def counts(self):
        return [process.events.count for process in self.pair]

    def wait_path_again(self, kind, counts):
        """The same, and it is another one than it was when counts() was asked."""
        for process, count in zip(self.pair, counts):
            process.events.wait_for("path", after=count)
        self.wait_path(kind)

    def recover(self, kind, counts=None):
        """Until what is sent from now on arrives, and the traffic is there. The text of the row."""
        begin = time.monotonic()
        marks = [feeder.bytes + 1 for feeder in self.exchange.feeders]
        for drain, mark in zip(reversed(self.exchange.drains), marks):
            drain.wait_for(mark)
        data = time.monotonic() - begin
        if counts:
            self.wait_path_again(kind, counts)
        else:
            self.wait_path(kind)
        return f"data {data:.1f} s, path {kind} {time.monotonic() - begin:.1f} s"

    def finish(self):
        """Equal hashes, exit 0; and both hosts agree on the path at the end."""
        self.exchange.finish()
        check(self.pair[0].paths()[-1] == self.pair[1].paths()[-1], f"{[process.paths() for process in self.pair]}")


def summary(outcomes):
    width = max(len(outcome.scenario.name) for outcome in outcomes)
    return "\n".join(["Recovery after an outage:"] + [
        f"{outcome.scenario.name:{width}}  {outcome.result if outcome.passed else 'FAILED'}"
        for outcome in sorted(outcomes, key=lambda outcome: outcome.scenario.name)])


@scenario(each={f"{seconds} s, of the {role}": (side, seconds)
                for side, role in (("a", "listener"), ("b", "joiner")) for seconds in (5, 60)})
def link_down(side, seconds):
    with Lab(**NATS) as lab:
        session = Session(lab, "direct")
        lab.link_down(side)
        time.sleep(seconds)
        lab.link_up(side)
        row = session.recover("direct")
        session.finish()
    return row


@scenario(each={"of the listener": ("a",), "of the joiner": ("b",), "of both in turn": ("a", "b", "a", "b")})
def address_change(*sides):
    rows = []
    with Lab(**NATS) as lab:
        session = Session(lab, "direct")
        for side in sides:
            counts = session.counts()
            lab.change_address(side)
            rows.append(session.recover("direct", counts))
        session.finish()
    return "; ".join(rows)


@scenario(each={"once": (1, False), "every 5 s": (4, False), "once, TCP too": (1, True)})
def nat_rebinding(times, tcp):
    rows = []
    with Lab(a="port-restricted", b="port-restricted") as lab:
        session = Session(lab, "direct")
        for number in range(times):
            if number:
                time.sleep(5)
            lab.rebind("ab"[number % 2], tcp=tcp)
            rows.append(session.recover("direct"))
        session.wait_path("direct")
        session.finish()
    return "; ".join(rows)


@scenario
def server_killed_and_restarted_under_a_direct_path():
    """Nobody notices; and the channel is there again when it is needed."""
    with Lab(**NATS) as lab:
        session = Session(lab, "direct")
        time.sleep(3)               # a shift's stall is told when it is surely over
        counts = session.counts()
        lab.kill_server()
        session.exchange.wait_progress()
        time.sleep(5)
        session.exchange.wait_progress()
        lab.start_server()
        for process, count in zip(session.pair, counts):
            later = [event for event in process.events.all()[count:] if event["type"] in ("path", "stall")]
            check(not later, f"{process.name} noticed: {later}")
        lab.block_udp("a")
        row = session.recover("channel")
        session.finish()
    return row


@scenario(each={"killed": (True,), "stopped": (False,)})
def server_restarted_while_all_goes_through_it(killed):
    with Lab(a="only-tcp-443", b="port-restricted") as lab:
        session = Session(lab, "channel")
        if killed:
            lab.kill_server()
        else:
            lab.stop_server()
        time.sleep(3)
        lab.start_server()
        row = session.recover("channel")
        session.finish()
    return row


@scenario
def turn_server_killed_while_it_carries_the_traffic():
    with Lab(a="symmetric", b="symmetric") as lab:
        session = Session(lab, "turn")
        counts = session.counts()
        lab.kill_turn()
        for process, count in zip(session.pair, counts):
            process.events.wait_for("path", after=count, kind="channel")
        lab.wait_turn()
        row = session.recover("turn", counts)
        session.finish()
    return row


@scenario(each={"all": (None, "channel"), "but the server's": (topology.SERVER, "turn")})
def udp_blocked_and_free_again(spare, meanwhile):
    with Lab(**NATS) as lab:
        session = Session(lab, "direct")
        lab.block_udp("b", spare)
        fallen = session.recover(meanwhile)
        lab.restore("b")
        row = session.recover("direct")
        session.finish()
    return f"blocked: {fallen}; free: {row}"


@scenario(each={"one host": ("a",), "both hosts": ("a", "b")})
def asleep_for_120_s(*sides):
    with Lab(**NATS) as lab:
        session = Session(lab, "direct")
        asleep = [session.pair["ab".index(side)] for side in sides]
        lab.freeze(*asleep)
        time.sleep(120)
        lab.thaw(*asleep)
        row = session.recover("direct")
        session.finish()
    return row


@scenario
def wall_clock_jumps():
    with Lab(**NATS, clocks=("a", "b")) as lab:
        session = Session(lab, "direct")
        time.sleep(3)
        counts = session.counts()
        for side, seconds in (("a", 3600), ("b", -3600), ("a", -3600), ("b", 3600)):
            lab.jump_clock(side, seconds)
            session.recover("direct")
        later = [event for process, count in zip(session.pair, counts) for event in process.events.all()[count:]
                 if event["type"] in ("path", "stall")]
        check(not later, f"noticed: {later}")
        session.finish()
    return "not noticed"


@scenario(each={"direct": ("port-restricted", "direct"), "turn": ("symmetric", "turn")})
def turn_credentials_lapse(kind, path):
    """They, the allocations and the nonces live for 20 s; after more than two lifetimes there still is a relay, got with fresh ones."""
    with Lab(a=kind, b=kind) as lab:
        session = Session(lab, path, server_options=("--turn-lifetime", "20"))
        time.sleep(50)
        if path == "direct":
            lab.block_udp("a", topology.SERVER)
        row = session.recover("turn")
        for process in session.pair:
            kinds = process.paths()
            check("channel" not in kinds[kinds.index(path):], f"{process.name} had no relay: {kinds}")
        session.finish()
    return row


@scenario
def nobody_comes_back():
    """After the limit a stated error."""
    with Lab(**NATS) as lab:
        session = Session(lab, "direct", options=("--timeout", "10"))
        lab.link_down("a")
        for process in session.pair:
            process.expect_exit(8)
            check(process.events.last("error"), f"{process.name} gave no reason")
    return "exit 8"
