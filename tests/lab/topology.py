# SPDX-License-Identifier: LGPL-2.1-or-later
"""The machines and wires of a laboratory:

    a -- a-router [-- a-carrier] [-- a-impair] --+            +-- [b-impair --] [b-carrier --] b-router -- b
                                                 +- internet -+
                                                        |
                                                      server

Every wire is a veth pair, with different interface indexes at its ends: where they are equal, the kernel takes up to a
second to see the carrier, and loses packets meanwhile. The internet routes the documentation ranges and nothing else: private addresses end there.
"""

import ipaddress

import namespaces
import nat
import nat64

SERVER = "203.0.113.1"
SERVER_SECOND = "203.0.113.2"       # RFC 5780 needs two addresses to tell mappings and filters apart
WAN = "198.51.100"
SERVER6 = "2001:db8:1::1"
SERVER6_SECOND = "2001:db8:1::2"


class Wire:
    """One wire between a host and its router, with the host's addresses on it. Of a metric, the lower wins."""

    def __init__(self, host, router, network, network6, metric=0, number=2):
        self.host, self.router, self.metric = host, router, metric      # the interfaces' names
        self.network, self.network6 = ipaddress.ip_network(network), ipaddress.ip_network(network6)
        self.gateway, self.address = str(self.network[1]), str(self.network[number])
        self.gateway6, self.address6 = str(self.network6[1]), str(self.network6[number])

    def host_lines(self, kind, verb="replace"):
        """What the host's interface has, for `ip`; verb: "replace" makes, "del" takes away."""
        nodad = " nodad" if verb == "replace" else ""
        return [f"addr {verb} {self.address}/{self.network.prefixlen} dev {self.host}"] * kind.ipv4 + [
            f"addr {verb} {self.address6}/64 dev {self.host}{nodad}"] * kind.ipv6

    def route_lines(self, kind, verb="replace"):
        # For IPv6 the kernel puts 1024 where no metric is named.
        metric, metric6 = (f" metric {self.metric}", f" metric {1024 + self.metric}")
        return [f"route {verb} default via {self.gateway} dev {self.host}{metric}"] * kind.ipv4 + [
            f"route {verb} default via {self.gateway6} dev {self.host}{metric6}"] * kind.ipv6


class Side:
    """One host and what is between it and the internet."""

    def __init__(self, name, number, kind, impaired=False, wan_network=WAN):
        self.name, self.number, self.kind = name, number, nat.KINDS[kind]
        self.routers = [f"{name}-router"] + [f"{name}-carrier"] * (self.kind.layers > 1)
        wan = 16 * number
        self.outside = f"{wan_network}.{wan + 2}"       # the outermost router's address
        self.outside_gateway = f"{wan_network}.{wan + 1}"
        self.outside6 = f"2001:db8:ff0{number}::2"
        self.outside6_gateway = f"2001:db8:ff0{number}::1"
        self.first = Wire("lan", "inside", f"192.168.{number}.0/24" if self.kind.translated else f"203.0.113.{wan}/28",
                          f"2001:db8:{10 + number - 1:x}::/64")
        # Another documentation range (RFC 5737), for a host that is not behind a NAT.
        self.second = Wire("lan2", "inside2", f"192.168.{100 + number}.0/24" if self.kind.translated else f"192.0.2.{wan}/28",
                           f"2001:db8:{26 + number - 1:x}::/64", metric=200)
        self.rebound = 0
        self.impaired = impaired

    @property
    def machines(self):
        return [self.name] + self.routers + [f"{self.name}-impair"] * self.impaired

    @property
    def address(self):
        return self.first.address

    @property
    def address6(self):
        return self.first.address6

    @property
    def mapped_address(self):
        """The address that others see this host's IPv4 packets come from."""
        return self.outside if self.kind.translated or self.kind.nat64 else self.address


class Neighbour(Side):
    """A host behind another one's router: on the same LAN, or on a network of its own."""

    def __init__(self, name, number, beside, same_lan):
        super().__init__(name, number, beside.kind.name)
        self.beside, self.same_lan, self.routers = beside, same_lan, beside.routers
        self.outside, self.outside6 = beside.outside, beside.outside6
        home = beside.first
        self.first = (Wire("lan", f"port-{name}", home.network, home.network6, number=3) if same_lan
                      else Wire("lan", f"inside-{name}", self.first.network, self.first.network6))

    @property
    def machines(self):
        return [self.name]


def build(sides):
    """Make all machines, wires, addresses, routes and rules."""
    names = ["internet", "server"] + [name for side in sides for name in side.machines]
    namespaces.add(names)
    for name in names:
        is_router = name == "internet" or name.endswith(("-router", "-carrier"))
        namespaces.sysctl(name, _settings(is_router))
        namespaces.ip(name, ["link set lo up"])
    _wire_server()
    for side in sides:
        if isinstance(side, Neighbour):
            _wire_neighbour(side)
            continue
        _wire_side(side)
        _load_rules(side)
        if side.kind.nat64:
            nat64.start(side.routers[0])


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
    if side.impaired:
        _wire_impair(side, link)
    else:
        namespaces.ip("internet", [f"link add {link} index {110 + side.number} type veth peer name outside netns {outermost}"])
    namespaces.ip("internet", [f"addr add {side.outside_gateway}/28 dev {link}",
                               f"addr add {side.outside6_gateway}/64 dev {link} nodad",
                               f"link set {link} up"])
    namespaces.ip(outermost, [f"addr add {side.outside}/28 dev outside",
                              f"addr add {side.outside6}/64 dev outside nodad",
                              "link set outside up",
                              f"route add default via {side.outside_gateway}",
                              f"route add default via {side.outside6_gateway}"])
    if side.kind.layers > 1:
        _wire_carrier(side)
    wire(side, side.first, 103)


def _wire_impair(side, link):
    """A machine without addresses, whose two interfaces only the program `impair` joins."""
    middle, outermost = f"{side.name}-impair", side.routers[-1]
    namespaces.sysctl(middle, {"net/ipv6/conf/default/disable_ipv6": 1})
    namespaces.ip("internet", [f"link add {link} index {110 + side.number} type veth peer name far netns {middle}"])
    namespaces.ip(middle, [f"link add near index 105 type veth peer name outside netns {outermost}",
                           "link set near up", "link set far up"])
    # It sees single packets with checksums in them, not what is meant for a network card to finish.
    for machine, interface in (("internet", link), (outermost, "outside")):
        namespaces.command(machine, ["ethtool", "-K", interface, "tx", "off", "tso", "off", "gso", "off",
                                     "tx-udp-segmentation", "off"])


def _wire_carrier(side):
    home, carrier = side.routers
    shared = f"100.64.{side.number}"        # RFC 6598, between the subscriber and the carrier's NAT
    namespaces.ip(carrier, [f"link add inside index 102 type veth peer name outside netns {home}",
                            f"addr add {shared}.1/24 dev inside", "link set inside up"])
    namespaces.ip(home, [f"addr add {shared}.2/24 dev outside", "link set outside up",
                         f"route add default via {shared}.1"])


def wire(side, new, index):
    """Makes a wire between the host and its router."""
    router, host, kind = side.routers[0], side.name, side.kind
    namespaces.ip(router, [f"link add {new.router} index {index} type veth peer name {new.host} netns {host}"])
    if not kind.ipv6:
        namespaces.sysctl(host, {f"net/ipv6/conf/{new.host}/disable_ipv6": 1})
    namespaces.ip(router, [f"addr add {new.gateway}/{new.network.prefixlen} dev {new.router}"] * kind.ipv4
                  + [f"addr add {new.gateway6}/64 dev {new.router} nodad"] * kind.ipv6 + [f"link set {new.router} up"])
    namespaces.ip("internet", [f"route add {new.network6} via {side.outside6}"]
                  + [f"route add {new.network} via {side.outside}"] * (not kind.translated))
    namespaces.ip(host, new.host_lines(kind) + [f"link set {new.host} up"] + new.route_lines(kind))


def _wire_neighbour(side):
    if not side.same_lan:
        wire(side, side.first, 106)
        return
    plug(side.beside, side.name, side.first, 106)
    namespaces.ip(side.name, side.first.route_lines(side.kind))


def plug(beside, machine, new, index):
    """Another machine on the LAN of a host: the router's interface becomes a port of a bridge, which takes its address."""
    router, home, kind = beside.routers[0], beside.first, beside.kind
    bridge = f"{home.router}-lan"
    address, address6 = f"addr %s {home.gateway}/{home.network.prefixlen} dev %s", f"addr %s {home.gateway6}/64 dev %s"
    namespaces.ip(router, [
        f"link add {bridge} type bridge", f"link set {home.router} master {bridge}",
        f"link add {new.router} index {index} type veth peer name {new.host} netns {machine}",
        f"link set {new.router} up master {bridge}", f"link set {bridge} up",
        *[line % how for line in [address] * kind.ipv4 + [address6] * kind.ipv6
          for how in (("del", home.router), ("add", bridge))]])
    # What a bridge passes on is no business of the router's rules.
    namespaces.sysctl(router, {"net/bridge/bridge-nf-call-iptables": 0, "net/bridge/bridge-nf-call-ip6tables": 0})
    if not kind.ipv6:
        namespaces.sysctl(machine, {f"net/ipv6/conf/{new.host}/disable_ipv6": 1})
    namespaces.ip(machine, new.host_lines(kind) + [f"link set {new.host} up"])


def _load_rules(side):
    for router in side.routers:
        namespaces.nft(router, nat.router_rules(side.kind))
