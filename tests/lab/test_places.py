# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hosts in places where the obvious addresses mislead: the same LAN, the same machine, one NAT, equal private ranges, a host full of
interfaces; and an IPv6-only network."""

import contextlib
import os
import socket
import subprocess

import namespaces
import nat64
import topology
from lab import Lab
from places import OneNat, Overlapping, SameLan, crowd, vpn
from test_nat import Prober
from testing import check, scenario


def types(pair):
    """The candidates of the last path, as both hosts tell it."""
    event = pair[0].events.last("path")
    return event["local_type"], event["remote_type"]


def join(lab, expect, listener="a", joiner="b", options=(), server=()):
    """A transfer; the two processes."""
    lab.start_server(*server)
    return lab.transfer_between(lab.pipes(listener, joiner, options), expect)


@scenario(each={kind: (kind,) for kind in ("port-restricted", "symmetric", "udp-blocked", "dual-stack")})
def same_lan(kind):
    """Whatever the router does: the packets do not pass it."""
    with SameLan(kind) as lab:
        pair = join(lab, "direct")
        check(types(pair) == ("host", "host"), f"candidates {types(pair)}")


@scenario(each={kind: (kind,) for kind in ("port-restricted", "udp-blocked", "public")})
def same_host(kind):
    with Lab(a=kind, b="public") as lab:
        pair = join(lab, "direct", listener="a", joiner="a")
        check(types(pair) == ("host", "host"), f"candidates {types(pair)}")


def hairpins(lab):
    """A packet from host b to the mapped address of host a: from where does it come?"""
    prober = Prober(lab, socket.AF_INET)
    hosts = []
    for name in ("a", "b"):
        made = prober.host() if name == "a" else prober.bound("b", lab.sides["b"].address, 0)
        hosts.append((made, prober.ask(made, prober.at)))
    (first, mapped), (second, other) = hosts
    second.sendto(b"probe", mapped)
    # What host b sends afterwards has crossed the same queue in the router.
    prober.ask(second, prober.at)
    prober.points[prober.at].sendto(b"last", mapped)
    data, source = first.recvfrom(100)
    prober.close()
    if data == b"last":
        return False
    check(source == other, f"seen from {source}, expected {other} (RFC 4787 REQ-9)")
    return True


@scenario(each={"that hairpins": (True, "direct"), "that does not": (False, "turn")})
def one_nat(hairpin, expect):
    """A guests' network and another one: only the NAT could lead from one to the other."""
    with OneNat("port-restricted", hairpin) as lab:
        check(hairpins(lab) == hairpin, "the router does something else")
        pair = join(lab, expect)
        outside = lab.sides["a"].outside
        remote = pair[0].events.last("path")["remote"]
        check(remote.startswith(outside) == hairpin, f"the peer is at {remote}")
    return expect


@scenario(each={"the same address": ("port-restricted", "port-restricted", True),
                "different addresses": ("port-restricted", "port-restricted", False),
                "different addresses and a relay": ("symmetric", "port-restricted", False)})
def overlapping_ranges(a, b, same):
    """A host candidate of the other host names this host itself, or a stranger on its own LAN. The stranger hears checks, which say
    nothing without the passwords, and gains nothing by sending them back; the data never goes there."""
    expect = "turn" if "symmetric" in (a, b) else "direct"
    with Overlapping(a, b, same) as lab:
        pair = join(lab, expect, options=("-v",))
        for process in pair:
            ends = [event["remote"] for event in process.events.all("path") if event["kind"] == "direct"]
            check(not any(end.startswith("192.168.") for end in ends), f"{process.name}: paths to {ends}")
            check(len(process.events.all("path")) <= 3, f"{process.name}: {process.paths()}")
        heard = [datagram for stranger in lab.strangers.values() for datagram in stranger.heard]
        check(bool(heard) != same, "the strangers were not asked")
        check(all(is_check(datagram) for datagram in heard), "a stranger heard more than STUN checks")
        return f"{expect}; strangers heard {len(heard)} checks"


def is_check(datagram):
    """A STUN Binding message (RFC 8489 §5): a request, or the echo of one."""
    return datagram[4:8] == b"\x21\x12\xa4\x42" and datagram[:2] in (b"\0\1", b"\1\1", b"\1\x11")


@scenario(each={f"{a} x {b}": (a, b, expect) for a, b, expect in (
    ("port-restricted", "port-restricted", "direct"), ("symmetric", "port-restricted", "turn"))})
def hosts_full_of_interfaces(a, b, expect):
    """Twelve bridges of containers on each host, of which the other one has the same; a VPN that swallows what is sent to private
    addresses; link-local IPv6. What counts is among the candidates, and the checks get to it."""
    with Lab(a=a, b=b) as lab, contextlib.ExitStack() as crowds:
        for side in "ab":
            crowds.enter_context(crowd(side))
        pair = join(lab, expect)
        event = pair[0].events.last("path")
        if expect == "direct":
            check(event["remote"].startswith(lab.sides["b"].outside), f"the peer is at {event['remote']}")
        return f"{expect} after {event['at_ms']} ms"


@scenario
def lan_beside_a_vpn():
    """The VPN works as well, and is the longer way."""
    with SameLan("port-restricted") as lab, vpn():
        pair = join(lab, "direct")
        event = pair[0].events.last("path")
        check(event["remote"].startswith(lab.sides["b"].address), f"the peer is at {event['remote']}")


@scenario
def vpn_where_there_is_no_other_way():
    """Its turn comes when the first attempt has failed; meanwhile there is the relay."""
    with Lab(a="symmetric", b="symmetric") as lab, vpn():
        pair = join(lab, "direct")
        check(pair[0].events.last("path")["remote"].startswith("10.8.0.3:"), "not through the VPN")
        return f"{pair[0].paths()} after {pair[0].events.last('path')['at_ms']} ms"


# IPv6-only networks


def make_certificate(folder, name):
    """Of a server with this name, valid in this scenario; the options for the server."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                    "-subj", "/CN=laboratory", "-addext", f"subjectAltName=DNS:{name}",
                    "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"], check=True, capture_output=True)
    subprocess.run(["mount", "--bind", f"{folder}/cert.pem", "/etc/ssl/certs/ca-certificates.crt"], check=True)
    os.chmod(f"{folder}/key.pem", 0o644)
    return "--tls-cert", f"{folder}/cert.pem", "--tls-key", f"{folder}/key.pem"


@scenario
def nat64_and_a_name_without_ipv6():
    """The server's name has an IPv4 address only, and the name server translates none. Its certificate is asked for by the name."""
    with Lab(a="nat64", b="nat64") as lab:
        lab.scheme, lab.server_hosts = "wss", {"a": nat64.ONLY_IPV4, "b": nat64.ONLY_IPV4}
        join(lab, "direct", server=make_certificate(lab.folder("server"), nat64.ONLY_IPV4))
        check((nat64.ONLY_IPV4, 1) in lab.name_servers["a"].asked, "the name was not looked up")


@scenario
def nat64_and_a_relay():
    """Both hosts hide their addresses: the TURN server is reached through the NAT64 as well."""
    with Lab(a="nat64", b="nat64") as lab:
        join(lab, "turn", options=("--path", "relay"))


@scenario
def nat64_with_a_translator_on_the_host():
    """464XLAT: the host has an IPv4 address after all, and goes the way of IPv4."""
    with Lab(a="nat64", b="port-restricted") as lab:
        wire, router = lab.sides["a"].first, lab.sides["a"].routers[0]
        own = str(wire.network6[0x464])
        nat64.start_clat("a", own, wire.gateway6)
        namespaces.ip(router, [f"route add {own}/128 via {wire.address6} dev {wire.router}"])
        pair = join(lab, "direct")
        check(pair[1].events.last("path")["remote"].startswith(lab.sides["a"].outside), "not through the NAT64")
        remote = pair[0].events.last("path")["remote"]
        check(remote.startswith(lab.sides["b"].outside), f"the peer is at {remote}: not the host's own translator")


@scenario
def name_server_is_silent():
    """What cannot be learned about a NAT64 delays the direct path between IPv6 addresses, and no more."""
    with Lab(a="nat64", b="dual-stack") as lab:
        lab.server_hosts["a"] = f"[{topology.SERVER6}]"
        lab.name_servers["a"].mute()
        join(lab, "direct")
