# SPDX-License-Identifier: LGPL-2.1-or-later
"""The relayed leg: one relay between the hosts wherever one suffices, two where they must be, another when one dies."""

import contextlib
import os
import signal

import topology
import traffic
from lab import Lab
from process import until
from testing import check, scenario

TURN_PORT = 3478
STAY = ("--no-port-search",)         # for pairs that would find a direct path
OTHER_PORTS = (TURN_PORT, TURN_PORT + 2)      # coturn takes the next port of each, too


def relays_of(event):
    """The relays' addresses on a path, this host's side first."""
    return [event[end].rsplit(":", 1)[0] for end in ("local", "remote") if event[f"{end}_type"] == "relay"]


def start_other_turn(lab, port, address=topology.SERVER_SECOND, transport="udp"):
    """A TURN server of somebody else's, which relays from the one address. Returns how to name it to ice-session."""
    name = f"/run/lab/turn-{port}"
    lab.start("server", "turnserver", "-n", "--no-cli", "--no-tls", "--no-dtls", "--no-rfc5780", "--lt-cred-mech",
              "--user=alice:secret", "--realm=elsewhere", f"--listening-port={port}",
              f"--listening-ip={address}", f"--relay-ip={address}",
              f"--pidfile={name}.pid", f"--db={name}.db", f"--log-file={name}.log")
    lab.wait_answer(address, port)
    host = f"[{address}]" if ":" in address else address
    return "--turn", f"turn:alice:secret@{host}:{port}?transport={transport}"


@contextlib.contextmanager
def on_turn(lab, options=((), ())):
    """Two pipes with data both ways, on the turn path."""
    lab.start_server()
    pair = lab.pipes(options=("-v", *options[0]), joiner_options=("-v", *options[1]))
    exchange = traffic.Exchange(*pair)
    for process in pair:
        process.wait_for("path", kind="turn")
    exchange.wait_progress()
    yield pair, exchange
    exchange.wait_progress()
    exchange.finish()


def check_hops(pair, expected):
    """So many relays in the end; two may have come first where one was late. Two that must be two were never one."""
    for process in pair:
        until(lambda: len(relays_of(process.events.last("path", kind="turn"))) == expected, f"{expected} relays")
        if expected > 1:
            for event in process.events.all("path", kind="turn"):
                check(len(relays_of(event)) == expected, f"{process.name}: expected {expected} relays: {event}")


@scenario(each={"symmetric x symmetric": ("symmetric", "symmetric"), "symmetric x cgnat": ("symmetric", "cgnat"),
                "cgnat x symmetric": ("cgnat", "symmetric")})
def one_hop(listener, joiner):
    """One host has a relay, the other speaks to it; in the end there is one allocation for the link."""
    with Lab(a=listener, b=joiner) as lab, on_turn(lab, (STAY, ())) as (pair, _):
        check_hops(pair, 1)
        until(lambda: len(lab.relay_ports(topology.SERVER)) == 1, "one allocation")
        path = pair[0].events.last("path")
    return f"{path['local_type']} - {path['remote_type']}"


@scenario(each={"listener": (("--path", "relay"), (), 0), "joiner": ((), ("--path", "relay"), 1)})
def one_hop_for_one_that_hides(listener, joiner, hiding):
    """Who asks for relays only is the one that has the relay, and shows no address of its own."""
    with Lab(a="port-restricted", b="port-restricted") as lab, on_turn(lab, (listener, joiner)) as (pair, _):
        check_hops(pair, 1)
        for index, process in enumerate(pair):
            event = process.events.last("path", kind="turn")
            check((event["local_type"] == "relay") == (index == hiding), f"{process.name}: {event}")


@scenario
def two_hops_for_two_that_hide():
    with Lab(a="port-restricted", b="port-restricted") as lab, on_turn(lab, (("--path", "relay"),) * 2) as (pair, _):
        check_hops(pair, 2)


@scenario(each={"one hop": ((), 1), "two hops": (("--path", "relay"), 2)})
def ipv6_relays(joiner, hops):
    """A TURN server without IPv4, between two hosts without IPv4."""
    with Lab(a="ipv6-only", b="ipv6-only") as lab:
        turn = "--turn", "none", *start_other_turn(lab, OTHER_PORTS[0], topology.SERVER6_SECOND, "tcp")
        with on_turn(lab, ((*turn, "--path", "relay"), (*turn, *joiner))) as (pair, _):
            check_hops(pair, hops)
            for process in pair:
                relays = relays_of(process.events.last("path", kind="turn"))
                check(set(relays) == {f"[{topology.SERVER6_SECOND}]"}, f"{process.name}: {relays}")


@scenario(each={"of the listener": (("a",), 1), "of the joiner": (("b",), 1), "of both": (("a", "b"), 2)})
def only_the_turn_port(sides, hops):
    """A firewall lets UDP out to the TURN server's own port, and not to its relays."""
    with Lab(a="symmetric", b="symmetric") as lab:
        for side in sides:
            lab.allow_udp_port(side, TURN_PORT)
        with on_turn(lab) as (pair, _):
            check_hops(pair, hops)


@scenario
def relay_that_carries_is_killed():
    """Three TURN servers on two machines: the best one is kept and one of the other machine in reserve, which takes over when
    the first machine dies, without a stay on the channel."""
    with Lab(a="symmetric", b="symmetric") as lab:
        options = [word for port in OTHER_PORTS for word in start_other_turn(lab, port)]
        with on_turn(lab, ((), options)) as (pair, exchange):
            check_hops(pair, 1)
            until(lambda: pair[1].messages.count("(turn): new -> alive") >= 3, "three relayed paths")
            until(lambda: " is not needed any more" in pair[1].messages, "the choice")
            carrying, = relays_of(pair[1].events.last("path"))
            counts = [process.events.count for process in pair]
            for pid in lab.turn_pids_at(carrying):
                os.kill(pid, signal.SIGKILL)
            pauses = []
            for process, count in zip(pair, counts):
                event = process.events.wait_for("path", after=count)
                check(event["kind"] == "turn" and relays_of(event) != [carrying], f"{process.name}: {event}")
                moved = process.events.all().index(event)
                pauses.append(process.events.wait_for("stall", after=moved)["ms"])
            exchange.wait_progress()
    return f"pauses {' and '.join(map(str, pauses))} ms"
