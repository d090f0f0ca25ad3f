# SPDX-License-Identifier: LGPL-2.1-or-later
"""Routers that map a port when they are asked: pairs of NATs that end on TURN otherwise get a direct path."""

import traffic
from lab import Lab
from process import expect_success
from testing import check, scenario

LIFETIME = 8                # seconds; renewed after 4 to 5


def direct_pipes(lab, *options):
    lab.start_server()
    pair = lab.pipes(options=("-v", *options))
    exchange = traffic.Exchange(*pair, pause=0.02)
    for process in pair:
        process.wait_for("path", kind="direct")
    return pair, exchange


def finish(lab, pair, exchange):
    """What was mapped is not when the programs have ended."""
    exchange.finish()
    expect_success(*pair)
    for gateway in lab.gateways.values():
        check(not gateway.mappings(), f"left behind: {gateway.mappings()}")


def check_mapped(lab, mapped, other):
    """The path goes through a mapping that the router of `mapped` has, as both hosts know."""
    own, theirs = mapped.wait_for("path", kind="direct"), other.wait_for("path", kind="direct")
    ports = lab.gateways[mapped.name].mappings()
    address = f"{lab.sides[mapped.name].outside}:{own['local'].rpartition(':')[2]}"
    check(own["local_type"] == "mapped" and own["local"] == address, f"{own}")
    check(theirs["remote_type"] == "mapped" and theirs["remote"] == address, f"{theirs}")
    check(int(address.rpartition(":")[2]) in ports, f"{address} is not mapped: {ports}")


@scenario(each={f"by {protocol} at {'the listener' if side == 'a' else 'the joiner'}, {a} x {b}": (protocol, side, a, b)
                for protocol, side, a, b in (("pcp", "a", "symmetric", "symmetric"), ("pcp", "b", "port-restricted", "symmetric"),
                                             ("nat-pmp", "b", "symmetric", "symmetric"),
                                             ("upnp", "a", "symmetric", "symmetric"))})
def mapped(protocol, side, a, b):
    with Lab(a=a, b=b, gateways={side: (protocol,)}) as lab:
        pair, exchange = direct_pipes(lab)
        exchange.wait_progress()
        check_mapped(lab, *(pair if side == "a" else reversed(pair)))
        finish(lab, pair, exchange)


@scenario
def filter_opened():
    """A NAT that keeps the port maps the very address that the STUN server sees; now it lets in whoever knows it."""
    with Lab(a="port-restricted", b="symmetric", gateways={"a": ("pcp",)}) as lab:
        pair, exchange = direct_pipes(lab)
        exchange.wait_progress()
        own, theirs = (process.wait_for("path", kind="direct") for process in pair)
        check(own["local_type"] == "mapped" and own["local"] == theirs["remote"], f"{own}, {theirs}")
        check(theirs["remote_type"] in ("mapped", "srflx"), f"{theirs}")
        finish(lab, pair, exchange)


@scenario
def not_asked_for():
    with Lab(a="symmetric", b="symmetric", gateways={"a": ("pcp",)}) as lab:
        lab.start_server()
        lab.transfer(expect="turn", options=("--no-port-mapping",))
        check(not any("request" in line for line in lab.gateways["a"].lines), "the router was asked")


@scenario
def renewed_while_in_use():
    """At first by the gateway that mapped it, then by another address of it, to which the host's default route points."""
    with Lab(a="symmetric", b="symmetric", gateways={"a": ("pcp", LIFETIME)}) as lab:
        pair, exchange = direct_pipes(lab)
        check_mapped(lab, *pair)
        gateway = lab.gateways["a"]
        seen = gateway.wait_mapped(gateway.wait_mapped())
        gateway.move()
        gateway.wait_mapped(gateway.wait_mapped(seen))
        exchange.wait_progress()
        check_mapped(lab, *pair)
        finish(lab, pair, exchange)


@scenario(each={f"by {protocol}": (protocol,) for protocol in ("pcp", "upnp")})
def router_hangs_at_the_end(protocol):
    """The programs end all the same, and in the proper way."""
    with Lab(a="symmetric", b="symmetric", gateways={"a": (protocol,)}) as lab:
        pair, exchange = direct_pipes(lab)
        check_mapped(lab, *pair)
        lab.freeze(lab.gateways["a"])
        exchange.finish()
        expect_success(*pair)
        check(lab.gateways["a"].mappings(), "a router that hangs removed its mapping")


@scenario
def again_after_the_router_restarted():
    """It says to all hosts that it has begun anew. From less than two seconds of its life nobody could tell."""
    with Lab(a="symmetric", b="port-restricted", gateways={"a": ("pcp",)}) as lab:
        lab.gateways["a"].wait_epoch(3)
        pair, exchange = direct_pipes(lab)
        check_mapped(lab, *pair)
        gateway = lab.gateways["a"]
        before, lines = gateway.mappings(), len(gateway.lines)
        gateway.restart()
        gateway.wait_for("PCP MAP: added mapping", after=lines)
        check(gateway.mappings() == before, f"{before}, then {gateway.mappings()}")
        exchange.wait_progress()
        finish(lab, pair, exchange)
