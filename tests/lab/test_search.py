# SPDX-License-Identifier: LGPL-2.1-or-later
"""Through NATs that map anew for each destination: random ports are searched for within a budget, the others are predicted.

A search of random ports misses in 1.7 % of all cases, by its odds. So the scenarios count: a session whose record says that its
search ended after all probes may stay on the relay; all others must be direct. No session is tried again."""

import os
import re

from lab import Lab
from process import expect_success
from testing import check, scenario

RUNS = int(os.environ.get("ICS_LAB_SEARCHES", "100" if os.environ.get("ICS_LAB_SOAK") else "4"))
PROBES = 1024
MISSES = 0.05                   # of the runs; by the odds 1.7 %
MISSES_MIN = 2                  # of few runs: three of four are no chance any more (one in 50,000)


def lines(events):
    return [event["line"] for event in events if event["type"] == "record"]


def find(events, pattern):
    """What the first line of the record with this pattern captures."""
    for line in lines(events):
        match = re.search(pattern, line)
        if match:
            return match
    return None


def outcome(process):
    """Until the session is direct (True), or its search has ended in vain (False)."""
    def seen(events):
        if any(event["type"] == "path" and event["kind"] == "direct" for event in events):
            return "direct"
        return "missed" if find(events, r"search attempt \d+ failed") else None
    return process.events.wait_until(seen, "direct path, nor end of a search") == "direct"


def path_found(pair):
    """The path on which two hosts end: that of the search, or the relay when it has missed."""
    direct = [outcome(process) for process in pair]
    check(direct[0] == direct[1], f"one host is direct, the other one is not: {direct}")
    return "direct" if direct[0] else "turn"


def search(lab):
    """One session. Returns whether it became direct, and the probes that it took."""
    pair = lab.pipes(options=("-v",))
    direct = path_found(pair) == "direct"
    used = [match for match in (find(process.events.all(), r"after (\d+) probes") for process in pair) if match]
    check(len(used) == 1, f"{len(used)} hosts probed")
    for process in pair:
        process.popen.stdin.close()
    expect_success(*pair)
    return direct, int(used[0].group(1))


PAIRS = {f"{listener} x {joiner}": (listener, joiner) for listener, joiner in (
    ("symmetric", "port-restricted"), ("cgnat", "symmetric"))}


@scenario(each=PAIRS)
def random_ports_are_found(listener, joiner):
    with Lab(a=listener, b=joiner) as lab:
        lab.start_server()
        found, probes = zip(*(search(lab) for _ in range(RUNS)))
    check(max(probes) <= PROBES, f"{max(probes)} probes")
    check(all(count == PROBES for ok, count in zip(found, probes) if not ok), f"gave up too early: {probes}")
    missed = RUNS - sum(found)
    check(missed <= max(MISSES_MIN, MISSES * RUNS), f"{missed} of {RUNS} searches found nothing")
    return f"{sum(found)} of {RUNS} direct, {sum(probes) / RUNS:.0f} probes on average, {max(probes)} at most"


@scenario
def nat64_takes_part():
    """The host behind it probes here; in the matrix such a host has the NAT that is searched, too."""
    with Lab(a="nat64", b="symmetric") as lab:
        lab.start_server()
        direct, probes = search(lab)
    check(direct or probes == PROBES, f"gave up after {probes} probes")
    return f"{'direct' if direct else 'missed'}, {probes} probes"


PREDICTABLE = {f"{listener} x {joiner}": (listener, joiner) for listener, joiner in (
    ("sequential", "port-restricted"), ("port-restricted", "sequential"), ("sequential", "sequential"))}


@scenario(each=PREDICTABLE)
def counted_ports_are_predicted(listener, joiner):
    """Each port is asked five times at most: 16 predicted ones, 80 probes."""
    with Lab(a=listener, b=joiner) as lab:
        lab.start_server()
        for _ in range(min(RUNS // 2, 10)):
            direct, probes = search(lab)
            check(direct and probes <= 80, f"direct: {direct}, {probes} probes")


@scenario(each={"random x random": ("symmetric", "symmetric"), "not wanted": ("symmetric", "port-restricted", ("--no-port-search",)),
                "metered": ("symmetric", "port-restricted", (), ("b",))})
def nothing_is_searched(listener, joiner, options=(), metered=()):
    """Ports that nobody can hit, or that nobody shall look for, or pay for: no probe is sent, and the session stays on the relay."""
    with Lab(a=listener, b=joiner, metered=metered) as lab:
        lab.start_server()
        pair = lab.pipes(options=("-v",), joiner_options=("-v", *options))
        pair[1].events.wait_until(lambda events: find(events, "no search for a way through the NATs"), "reason")
        for process in pair:
            process.wait_for("path", kind="turn")
            # Its end comes after a search would have begun.
            process.events.wait_until(lambda events: find(events, "direct attempt 1 failed"), "end of ICE")
            check(not find(process.events.all(), "search attempt"), f"{process.name} searched")
            process.popen.stdin.close()
        expect_success(*pair)
