# SPDX-License-Identifier: LGPL-2.1-or-later
"""The direct path leaves libnice, and follows the peer to a new address."""

import traffic
from lab import Lab
from testing import Failure, check, scenario

GRADUATED = "out of libnice's hands"


def graduated_pipes(lab):
    lab.start_server()
    pair = lab.pipes(options=("-v",))
    exchange = traffic.Exchange(*pair, pause=0.02)
    for process in pair:
        process.events.wait_for("path", kind="direct")
    return pair, exchange


def wait_graduated(pair, exchange):
    """It is said on standard error only; meanwhile data flows."""
    for _ in range(5000):
        if all(GRADUATED in process.messages for process in pair):
            return
        exchange.wait_progress()
    raise Failure("still with libnice")


@scenario(each={f"{a} x {b}": (a, b) for a, b in (
    ("public", "public"), ("port-restricted", "port-restricted"), ("symmetric", "full-cone"), ("ipv6-only", "dual-stack"),
    ("nat64", "port-restricted"))})
def pair_leaves_libnice(a, b):
    with Lab(a=a, b=b) as lab:
        pair, exchange = graduated_pipes(lab)
        wait_graduated(pair, exchange)
        exchange.wait_progress()
        exchange.finish()
        for process in pair:
            check(process.paths()[-1] == "direct", f"{process.paths()}")


@scenario(each={"of the listener": ("a", "b"), "of the joiner": ("b", "a")})
def peer_gets_a_new_address(moving, other):
    """The NAT of one host gives it another port; the other host, which lets everybody in, follows on the same path."""
    with Lab(**{moving: "port-restricted", other: "public"}) as lab:
        pair, exchange = graduated_pipes(lab)
        wait_graduated(pair, exchange)
        follower = pair["ab".index(other)]
        count = follower.events.count
        lab.rebind(moving)
        event = follower.events.wait_for("path", after=count, reason="roam")
        check(event["kind"] == "direct" and event["remote_type"] == "prflx", f"{event}")
        exchange.wait_progress()
        exchange.finish()
        return f"{follower.paths()}"
