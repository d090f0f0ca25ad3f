# SPDX-License-Identifier: LGPL-2.1-or-later
"""The machines and wires of a laboratory:

    a -- a-router [-- a-carrier] --+            +-- [b-carrier --] b-router -- b
                                   +- internet -+
                                          |
                                        server

Every wire is a veth pair, with different interface indexes at its ends: where they are equal, the kernel takes up to a
second to see the carrier, and loses packets meanwhile. The internet routes the documentation ranges and nothing else: private addresses end there.
"""

import ipaddress

import namespaces
import nat

SERVER = "203.0.113.1"
SERVER_SECOND = "203.0.113.2"       # RFC 5780 needs two addresses to tell mappings and filters apart
SERVER6 = "2001:db8:1::1"
SERVER6_SECOND = "2001:db8:1::2"


class Side:
    """One host and what is between it and the internet."""

    def __init__(self, name, number, kind):
        self.name, self.number, self.kind = name, number, nat.KINDS[kind]
        self.routers = [f"{name}-router"] + [f"{name}-carrier"] * (self.kind.layers > 1)
        wan = 16 * number
        self.outside = f"198.51.100.{wan + 2}"          # the outermost router's address
        self.outside_gateway = f"198.51.100.{wan + 1}"
        self.outside6 = f"2001:db8:ff0{number}::2"
        self.outside6_gateway = f"2001:db8:ff0{number}::1"
        if self.kind.translated:
            self.network, self.gateway, self.address = (
                f"192.168.{number}.0/24", f"192.168.{number}.1", f"192.168.{number}.2")
        else:
            self.network, self.gateway, self.address = (
                f"203.0.113.{wan}/28", f"203.0.113.{wan + 1}", f"203.0.113.{wan + 2}")
        self.network6 = f"2001:db8:{10 + number - 1:x}::/64"
        self.gateway6, self.address6 = self.network6.replace("/64", "1"), self.network6.replace("/64", "2")

    @property
    def machines(self):
        return [self.name] + self.routers

    @property
    def mapped_address(self):
        """The address that others see this host's IPv4 packets come from."""
        return self.outside if self.kind.translated else self.address


def build(sides):
    """Make all machines, wires, addresses, routes and rules."""
    names = ["internet", "server"] + [name for side in sides for name in side.machines]
    namespaces.add(names)
    for name in names:
        is_router = name == "internet" or "-" in name
        namespaces.sysctl(name, _settings(is_router))
        namespaces.ip(name, ["link set lo up"])
    _wire_server()
    for side in sides:
        _wire_side(side)
        _load_rules(side)


def _settings(is_router):
    settings = {
        "net/ipv6/conf/all/accept_dad": 0, "net/ipv6/conf/default/accept_dad": 0,
        "net/ipv6/conf/all/accept_ra": 0, "net/ipv6/conf/default/accept_ra": 0,
        "net/ipv4/ip_unprivileged_port_start": 0,
    }
    if is_router:
        settings |= {"net/ipv4/ip_forward": 1, "net/ipv6/conf/all/forwarding": 1}
    return settings


def _wire_server():
    namespaces.ip("internet", ["link add to-server index 101 type veth peer name wan netns server",
                               "addr add 203.0.113.14/28 dev to-server",
                               "addr add 2001:db8:1::ff/64 dev to-server nodad",
                               "link set to-server up"])
    namespaces.ip("server", [f"addr add {SERVER}/28 dev wan", f"addr add {SERVER_SECOND}/28 dev wan",
                             f"addr add {SERVER6}/64 dev wan nodad", f"addr add {SERVER6_SECOND}/64 dev wan nodad",
                             "link set wan up",
                             "route add default via 203.0.113.14", "route add default via 2001:db8:1::ff"])


def _wire_side(side):
    outermost = side.routers[-1]
    link = f"to-{side.name}"
    namespaces.ip("internet", [f"link add {link} index {110 + side.number} type veth peer name outside netns {outermost}",
                               f"addr add {side.outside_gateway}/28 dev {link}",
                               f"addr add {side.outside6_gateway}/64 dev {link} nodad",
                               f"link set {link} up",
                               f"route add {side.network6} via {side.outside6}"]
                  + ([] if side.kind.translated else [f"route add {side.network} via {side.outside}"]))
    namespaces.ip(outermost, [f"addr add {side.outside}/28 dev outside",
                              f"addr add {side.outside6}/64 dev outside nodad",
                              "link set outside up",
                              f"route add default via {side.outside_gateway}",
                              f"route add default via {side.outside6_gateway}"])
    if side.kind.layers > 1:
        _wire_carrier(side)
    _wire_host(side)


def _wire_carrier(side):
    home, carrier = side.routers
    shared = f"100.64.{side.number}"        # RFC 6598, between the subscriber and the carrier's NAT
    namespaces.ip(carrier, [f"link add inside index 102 type veth peer name outside netns {home}",
                            f"addr add {shared}.1/24 dev inside", "link set inside up"])
    namespaces.ip(home, [f"addr add {shared}.2/24 dev outside", "link set outside up",
                         f"route add default via {shared}.1"])


def _wire_host(side):
    router, host, kind = side.routers[0], side.name, side.kind
    namespaces.ip(router, [f"link add inside index 103 type veth peer name lan netns {host}"])
    if not kind.ipv6:
        namespaces.sysctl(host, {"net/ipv6/conf/lan/disable_ipv6": 1})
    on_router, on_host, routes = [], [], []
    if kind.ipv4:
        prefix = ipaddress.ip_network(side.network).prefixlen
        on_router.append(f"addr add {side.gateway}/{prefix} dev inside")
        on_host.append(f"addr add {side.address}/{prefix} dev lan")
        routes.append(f"route add default via {side.gateway}")
    if kind.ipv6:
        on_router.append(f"addr add {side.gateway6}/64 dev inside nodad")
        on_host.append(f"addr add {side.address6}/64 dev lan nodad")
        routes.append(f"route add default via {side.gateway6}")
    namespaces.ip(router, on_router + ["link set inside up"])
    namespaces.ip(host, on_host + ["link set lan up"] + routes)


def _load_rules(side):
    for router in side.routers:
        namespaces.nft(router, nat.router_rules(side.kind))
