# SPDX-License-Identifier: LGPL-2.1-or-later
"""The laboratory tests itself: what each NAT kind does to packets, measured as RFC 5780 §4.3 and §4.4 define it.

A prober on the server has two addresses with two ports each and answers from whichever it is asked to. That a packet does
not come is seen without a clock: on a path with one queue, a later packet that may pass has overtaken nothing.
"""

import os
import socket

import nat
import nat64
import topology
from lab import Lab
from process import Failure
from testing import check, scenario

ALL = {name: (name,) for name in nat.KINDS}
WITH_UDP = {name: (name,) for name, kind in nat.KINDS.items() if kind.udp}
WITHOUT_UDP = {name: (name,) for name, kind in nat.KINDS.items() if not kind.udp}
TRANSLATED = {name: (name,) for name, kind in nat.KINDS.items() if kind.udp and kind.translated}
PORTS = (3478, 3479)
WAIT = 20       # seconds for a packet that must come


class Prober:
    """Sockets of one family on host a and at both addresses and both ports of the server."""

    def __init__(self, lab, family, translate=None):
        """translate: how host a writes the server's addresses, if it has another family."""
        # One processor, so that packets stay in the order in which they are sent.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        self.lab, self.family, self.translate = lab, family, translate or (lambda address: address)
        self.host_family = socket.AF_INET6 if translate else family
        first, second = ((topology.SERVER, topology.SERVER_SECOND) if family == socket.AF_INET
                         else (topology.SERVER6, topology.SERVER6_SECOND))
        self.points = {(address, port): self.bound("server", address, port)
                       for address in (first, second) for port in PORTS}
        self.at, self.other_port, self.other_address, self.other_both = (
            (first, PORTS[0]), (first, PORTS[1]), (second, PORTS[0]), (second, PORTS[1]))

    def bound(self, machine, address, port):
        made = self.lab.socket(machine, socket.AF_INET6 if ":" in address else socket.AF_INET)
        made.bind((address, port))
        made.settimeout(WAIT)
        return made

    def close(self):
        for point in self.points.values():
            point.close()

    def host(self):
        side = self.lab.sides["a"]
        return self.bound("a", side.address if self.host_family == socket.AF_INET else side.address6, 0)

    def ask(self, host, point):
        """Send from the host to a point of the server; the (address, port) it was seen to come from."""
        host.sendto(b"ask", (self.translate(point[0]), point[1]))
        return self.points[point].recvfrom(100)[1][:2]

    def comes_through(self, host, seen, point, known):
        """Does a packet from `point` reach the host? `known`: a point it may hear from in any case, and which speaks last."""
        self.points[point].sendto(b"probe", seen)
        self.points[known].sendto(b"last", seen)
        first = host.recvfrom(100)[0]
        if first == b"probe":
            check(host.recvfrom(100)[0] == b"last", "the known point was not heard")
        return first == b"probe"

    def mapping(self):
        host = self.host()
        seen = [self.ask(host, point) for point in (self.at, self.other_address, self.other_both)]
        if seen[0] == seen[1] == seen[2]:
            return nat.ANY
        return nat.ADDRESS if seen[1] == seen[2] else nat.ADDRESS_PORT

    def filtering(self):
        host = self.host()
        seen = self.ask(host, self.at)
        # RFC 5780 §4.4: an answer from the other address and port, then from the other port only.
        if self.comes_through(host, seen, self.other_both, self.at):
            return nat.ANY
        return nat.ADDRESS if self.comes_through(host, seen, self.other_port, self.at) else nat.ADDRESS_PORT


def families(kind):
    return [socket.AF_INET] * kind.ipv4 + [socket.AF_INET6] * kind.ipv6


@scenario(each=WITH_UDP)
def behaviour(name):
    kind = nat.KINDS[name]
    measured = []
    with Lab(a=name, b="public") as lab:
        for family in families(kind):
            prober = Prober(lab, family)
            # IPv6 is routed: no translation, and a firewall that keeps state of address and port.
            wanted = (kind.mapping, kind.filtering) if family == socket.AF_INET else (nat.ANY, nat.ADDRESS_PORT)
            found = prober.mapping(), prober.filtering()
            check(found == wanted, f"mapping and filtering {found}, expected {wanted}")
            measured.append(f"{'IPv4' if family == socket.AF_INET else 'IPv6'} mapping {found[0]}, filtering {found[1]}")
    return "; ".join(measured)


@scenario(each=WITH_UDP)
def outside_address(name):
    """A translated host is seen under its outermost router's address, all others under their own."""
    with Lab(a=name, b="public") as lab:
        side = lab.sides["a"]
        for family in families(side.kind):
            prober = Prober(lab, family)
            seen = prober.ask(prober.host(), prober.at)[0]
            wanted = side.mapped_address if family == socket.AF_INET else side.address6
            check(seen == wanted, f"seen from {seen}, expected {wanted}")


def ipv4_prober(lab):
    return Prober(lab, socket.AF_INET, translate=nat64.translated if lab.sides["a"].kind.nat64 else None)


@scenario(each={name: (name,) for name, kind in nat.KINDS.items() if kind.nat64})
def nat64_translates(name):
    """IPv4 by way of the translator: mapping and filtering as with a NAT between IPv4 and IPv4, the address seen, TCP; and the
    name server tells the prefix."""
    kind = nat.KINDS[name]
    with Lab(a=name, b="public") as lab:
        prober = ipv4_prober(lab)
        found = prober.mapping(), prober.filtering()
        check(found == (kind.mapping, kind.filtering), f"mapping and filtering {found}")
        seen = prober.ask(prober.host(), prober.at)[0]
        check(seen == lab.sides["a"].outside, f"seen from {seen}")
        check(_connect(lab, 443, address=topology.SERVER, translate=nat64.translated)[0] == lab.sides["a"].outside, "TCP")
        told = lab.command("a", "getent", "ahosts", "ipv4only.arpa").stdout.split()
        check(nat64.translated("192.0.0.170") in told, f"the name server told {told}")


@scenario(each=TRANSLATED)
def early_packet_of_the_peer(name):
    """A peer that sends first must not change the mapping that the host's own packet to it gets."""
    kind = nat.KINDS[name]
    with Lab(a=name, b="public") as lab:
        prober = Prober(lab, socket.AF_INET)
        host = prober.host()
        seen = prober.ask(host, prober.at)
        peer = prober.other_both
        for _ in range(5):
            # comes_through also tells that the early packet has been dealt with when it returns
            through = prober.comes_through(host, seen, peer, prober.at)
            check(through == (kind.filtering == nat.ANY), f"an early packet came through: {through}")
        afterwards = prober.ask(host, peer)
        check((afterwards == seen) == (kind.mapping == nat.ANY), f"mapping {seen} became {afterwards}")
        prober.points[peer].sendto(b"answer", afterwards)
        check(host.recvfrom(100) == (b"answer", peer), "the peer is not heard after the host sent to it")


@scenario(each=TRANSLATED)
def fresh_ports_are_closed(name):
    """Nothing gets in to a port from which the host never sent."""
    with Lab(a=name, b="public") as lab:
        prober = Prober(lab, socket.AF_INET)
        silent, speaking = prober.host(), prober.host()
        seen = prober.ask(speaking, prober.at)
        prober.points[prober.at].sendto(b"probe", (seen[0], silent.getsockname()[1]))
        prober.points[prober.at].sendto(b"last", seen)
        check(speaking.recvfrom(100)[0] == b"last", "the open port is closed")
        silent.setblocking(False)
        try:
            silent.recvfrom(100)
        except BlockingIOError:
            return
        raise Failure("a packet reached a port that never sent")


RANDOM = {name: (name,) for name, kind in nat.KINDS.items() if kind.udp and kind.allocation == nat.RANDOM}


@scenario(each=RANDOM)
def ports_are_random(name):
    """A port that can be guessed from the last one would let a peer that counts through."""
    with Lab(a=name, b="public") as lab:
        prober = ipv4_prober(lab)
        host = prober.host()
        ports = [prober.ask(host, point)[1] for point in prober.points]
        for _ in range(4):
            ports += [prober.ask(prober.host(), point)[1] for point in prober.points]
        steps = {later - earlier for earlier, later in zip(ports, ports[1:])}
        check(len(set(ports)) > 15 and len(steps) > 15, f"ports {ports}")


@scenario
def sequential_ports_count_up():
    """Each new destination takes the next port, from whichever socket; one that is known takes none. TCP counts by itself."""
    with Lab(a="sequential", b="public") as lab:
        prober = Prober(lab, socket.AF_INET)
        first, second = prober.host(), prober.host()
        ports = [prober.ask(host, point)[1] for host in (first, second) for point in prober.points for _ in range(2)]
        check(ports == [ports[0] + i // 2 for i in range(16)], f"UDP ports {ports}")
        check(prober.ask(first, prober.at)[1] == ports[0], "a mapping was forgotten")
        ports = [_connect(lab, port)[1] for port in (80, 443, 80, 443)]
        check(ports == [ports[0] + i for i in range(4)], f"TCP ports {ports}")


@scenario(each={name: (name,) for name, kind in nat.KINDS.items() if kind.translated and kind.mapping == nat.ADDRESS_PORT})
def tcp_ports_change_too(name):
    """One local port has another port outside for each destination, so that a peer cannot be told where to connect to."""
    with Lab(a=name, b="public") as lab:
        seen = []
        for address in (topology.SERVER, topology.SERVER_SECOND):
            seen.append(_connect(lab, 443, address=address, local_port=5000)[1])
        check(seen[0] != seen[1] and 5000 not in seen, f"ports {seen}")


@scenario(each=WITHOUT_UDP)
def no_udp_gets_out(name):
    with Lab(a=name, b="public") as lab:
        prober = Prober(lab, socket.AF_INET)
        host = prober.host()
        try:
            for point in prober.points:
                host.sendto(b"ask", point)
        except PermissionError as error:
            raise Failure(f"blocked at the host instead of at the router: {error}") from None
        # An allowed TCP connection afterwards has crossed the same queues.
        _connect(lab, 443)
        for point in prober.points.values():
            point.setblocking(False)
            try:
                raise Failure(f"UDP got out: {point.recvfrom(100)}")
            except BlockingIOError:
                pass


def _connect(lab, port, family=socket.AF_INET, address=None, local_port=0, translate=None):
    """From host a to the server; the (address, port) that the server saw. translate: as the Prober's."""
    address = address or (topology.SERVER if family == socket.AF_INET else topology.SERVER6)
    dialled = translate(address) if translate else address
    with lab.socket("server", family, socket.SOCK_STREAM) as listening, lab.socket(
            "a", socket.AF_INET6 if ":" in dialled else family, socket.SOCK_STREAM) as connecting:
        for made in (listening, connecting):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen()
        connecting.settimeout(WAIT)
        connecting.bind(("", local_port))
        connecting.connect((dialled, port))
        accepted, seen = listening.accept()
        with accepted:
            accepted.sendall(b"hello")
            check(connecting.recv(5) == b"hello", "TCP connected and carries nothing")
        return seen[:2]


@scenario(each=ALL)
def tcp_to_the_server(name):
    """Every kind reaches TCP port 443 of the server, in each of its families."""
    with Lab(a=name, b="public") as lab:
        for family in families(nat.KINDS[name]):
            _connect(lab, 443, family)


@scenario
def only_tcp_443_drops_other_ports():
    with Lab(a="only-tcp-443", b="public") as lab:
        closed = lab.socket("server", kind=socket.SOCK_STREAM)
        closed.bind((topology.SERVER, 80))
        closed.listen()
        closed.setblocking(False)
        early = lab.socket("a", kind=socket.SOCK_STREAM)
        early.setblocking(False)
        early.connect_ex((topology.SERVER, 80))
        _connect(lab, 443)
        try:
            closed.accept()
        except BlockingIOError:
            return
        raise Failure("TCP port 80 is open")


@scenario(each=ALL)
def no_ipv4_or_ipv6_where_there_is_none(name):
    kind = nat.KINDS[name]
    with Lab(a=name, b="public") as lab:
        for family, address, present in ((socket.AF_INET, topology.SERVER, kind.ipv4),
                                         (socket.AF_INET6, topology.SERVER6, kind.ipv6)):
            try:
                lab.socket("a", family).connect((address, 9))
                reachable = True
            except OSError:
                reachable = False
            check(reachable == present, f"a route to {address}: {reachable}")


@scenario
def blocked_udp_can_be_restored():
    with Lab(a="port-restricted", b="public") as lab:
        prober = Prober(lab, socket.AF_INET)
        host = prober.host()
        seen = prober.ask(host, prober.at)
        lab.block_udp("a", spare=topology.SERVER_SECOND)
        host.sendto(b"lost", prober.at)
        prober.ask(host, prober.other_address)
        lab.restore("a")
        host.sendto(b"after", prober.at)
        check(prober.points[prober.at].recvfrom(100) == (b"after", seen), "the blocked packet came, or the mapping is lost")


@scenario
def hosts_have_no_capabilities():
    """Programs run as those of an ordinary user: a file with no permissions cannot be read."""
    with Lab(a="public", b="public") as lab:
        secret = lab.folder("a") + "/secret"
        with open(secret, "w") as file:
            file.write("no")
        os.chmod(secret, 0)
        check(lab.command("a", "cat", secret).returncode != 0, "a file of mode 000 was read")
