# SPDX-License-Identifier: LGPL-2.1-or-later
"""Laboratories in which the two hosts are not simply on two sides of the internet, and what else can be on a host."""

import contextlib
import fcntl
import os
import socket
import struct
import threading

import namespaces
import nat
import topology
from lab import Lab


class SameLan(Lab):
    """Both hosts on one switch."""

    def __init__(self, kind):
        super().__init__(a=kind, b=kind)
        self.sides["b"] = topology.Neighbour("b", 2, self.sides["a"], same_lan=True)


class OneNat(Lab):
    """Both hosts behind one NAT, in networks of their own with no way between them but through it, if it hairpins."""

    def __init__(self, kind, hairpin):
        super().__init__(a=kind, b=kind)
        self.sides["b"] = topology.Neighbour("b", 2, self.sides["a"], same_lan=False)
        self._hairpin = hairpin

    def __enter__(self):
        super().__enter__()
        first, second = self.sides["a"], self.sides["b"]
        inside = f'"{first.first.router}", "{second.first.router}"'
        namespaces.nft(first.routers[0], nat.isolation_rules(inside)
                       + (nat.hairpin_rules(first.outside, inside) if self._hairpin else ""))
        return self


class Overlapping(Lab):
    """Both hosts have addresses of 192.168.1.0/24, in networks of their own: the same one, or different ones. Then a stranger
    has the address of the other host in each network, and takes notice of the datagrams that come."""

    def __init__(self, a, b, same):
        super().__init__(a=a, b=b)
        home, number = self.sides["a"].first, 2 if same else 3
        self.sides["b"].first = topology.Wire("lan", "inside", home.network, self.sides["b"].first.network6, number=number)
        self.strangers = {} if same else {"a": None, "b": None}

    def __enter__(self):
        super().__enter__()
        for name, other in (("a", "b"), ("b", "a")) if self.strangers else ():
            machine, side = f"{name}-stranger", self.sides[name]
            namespaces.add([machine])
            number = 3 if name == "a" else 2
            topology.plug(side, machine, topology.Wire("lan", "port-stranger", side.first.network, side.first.network6, number=number), 107)
            self.strangers[name] = Stranger(machine, self.sides[other].address)
        return self


class Stranger:
    """Has an address, hears everything that comes to any UDP port of it, and sends it back. Not what goes to all, as a search for
    a gateway does."""

    PORT = 9

    def __init__(self, machine, address):
        namespaces.nft(machine, f"""
table ip stranger {{
  chain incoming {{
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr {address} meta l4proto udp redirect to :{self.PORT}
  }}
}}
""")
        with namespaces.inside(machine):
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, self.PORT))
        self.heard = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            datagram, source = self._socket.recvfrom(65535)
            self.heard.append(datagram)
            self._socket.sendto(datagram, source)


# linux/if_tun.h
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 1, 0x1000


def _tunnel(machine, address, routes=()):
    """The interface "vpn" of a machine; the descriptor of its far end."""
    with namespaces.inside(machine):
        far = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(far, TUNSETIFF, struct.pack("16sH", b"vpn", IFF_TUN | IFF_NO_PI))
    namespaces.ip(machine, ["link set vpn up", f"addr add {address} dev vpn", *(f"route add {route} dev vpn" for route in routes)])
    return far


@contextlib.contextmanager
def crowd(side, bridges=12):
    """Puts on a host what many have: bridges for containers, with the same addresses on every host; a VPN, up, into which the private
    ranges are routed and from which nothing comes back; link-local IPv6 addresses."""
    lines = []
    for i in range(bridges):
        lines += [f"link add bridge{i} type bridge", f"link add port{i} type veth peer name container{i}",
                  f"link set port{i} up master bridge{i}", f"link set container{i} up", f"link set bridge{i} up",
                  f"addr add 172.{17 + i}.0.1/16 dev bridge{i}"]
    namespaces.ip(side, lines)
    namespaces.sysctl(side, {"net/ipv6/conf/lan/disable_ipv6": 0})
    far = _tunnel(side, "10.8.0.2/24", ["192.168.0.0/16", "10.0.0.0/8"])
    try:
        yield
    finally:
        os.close(far)


@contextlib.contextmanager
def vpn():
    """Both hosts in a VPN that works; addresses 10.8.0.2 and 10.8.0.3."""
    ends = [_tunnel(side, address) for side, address in (("a", "10.8.0.2/24"), ("b", "10.8.0.3/24"))]

    def carry(near, far):
        with contextlib.suppress(OSError):
            while True:
                os.write(far, os.read(near, 65535))
    for near, far in (ends, reversed(ends)):
        threading.Thread(target=carry, args=(near, far), daemon=True).start()
    yield
