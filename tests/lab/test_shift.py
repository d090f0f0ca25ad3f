# SPDX-License-Identifier: LGPL-2.1-or-later
"""Data that keeps flowing while the traffic moves between paths."""

import os

import nat
import topology
import traffic
from lab import Lab
from testing import check, scenario

MIB = 1 << 20
RUNS = int(os.environ.get("ICS_LAB_RUNS") or (300 if os.environ.get("ICS_LAB_SOAK") else 30))
KINDS = (("port-restricted", "port-restricted"), ("full-cone", "symmetric"), ("dual-stack", "dual-stack"),
         ("symmetric", "symmetric"), ("cgnat", "address-restricted"))


@scenario(bulk=True, each={f"run {run + 1}, {' x '.join(KINDS[run % len(KINDS)])}": KINDS[run % len(KINDS)]
                           for run in range(RUNS)})
def both_ways_64_MiB(a, b):
    """Some of it before the path is reached, at a pace that leaves enough for afterwards; the rest as fast as it goes."""
    expected = nat.expected_path(a, b)
    with Lab(a=a, b=b) as lab:
        lab.start_server()
        pair = lab.pipes()
        exchange = traffic.Exchange(*pair, pause=0.01, limit=64 * MIB)
        for process in pair:
            process.wait_for("path", kind=expected)
        exchange.hurry()
        exchange.finish()
        for process in pair:
            lab.check_paths(process, expected)
            check(process.events.last("done")["bytes"] >= 64 * MIB, f"too few bytes: {process.events.last('done')}")


@scenario(each={"to the channel": (None, "channel"), "to turn": (topology.SERVER, "turn")})
def direct_path_is_lost(spare, fallback):
    """UDP (all, or all but the server's) is dropped at a router while data flows both ways."""
    with Lab(a="port-restricted", b="port-restricted") as lab:
        lab.start_server()
        pair = lab.pipes()
        exchange = traffic.Exchange(*pair)
        for process in pair:
            process.wait_for("path", kind="direct")
        exchange.wait_progress()
        lab.block_udp("a", spare)
        for process in pair:
            process.events.wait_until(
                lambda events: [event["kind"] for event in events if event.get("type") == "path"][-1] == fallback,
                f"fall back to {fallback}")
        exchange.wait_progress()
        exchange.finish()
    return " ".join(pair[0].paths())


@scenario
def server_dies_after_the_direct_path():
    """The link lives on without the server."""
    with Lab(a="port-restricted", b="full-cone") as lab:
        lab.start_server()
        pair = lab.pipes()
        exchange = traffic.Exchange(*pair)
        for process in pair:
            process.wait_for("path", kind="direct")
        lab.server.kill()
        exchange.wait_progress()
        exchange.finish()
        check(all(process.paths()[-1] == "direct" for process in pair), "left the direct path")


@scenario(bulk=True)
def reader_pauses():
    """What nobody reads is not lost and does not pile up: the writer waits."""
    size = 256 * MIB
    with Lab(a="public", b="port-restricted") as lab:
        lab.start_server()
        first, second = lab.pipes()
        feeder = traffic.Feeder(first.popen.stdin, "unread", limit=size)
        for process in (first, second):
            process.wait_for("path", kind="direct")
        drain = traffic.Drain(second.popen.stdout)
        drain.wait_for(size)
        for process in (first, second):
            check(process.peak_memory() < size // 2, f"{process.name} took {process.peak_memory()} bytes of memory")
        second.popen.stdin.close()
        check(feeder.result() == drain.result(), "other bytes")
        first.expect_exit(0)
        second.expect_exit(0)
