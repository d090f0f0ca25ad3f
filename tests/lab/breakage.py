# SPDX-License-Identifier: LGPL-2.1-or-later
"""The verbs of a laboratory that change the network, or break something, while a scenario runs.

Each is in force when it returns. Sides are "a" and "b"; the router meant is the one next to the host, unless it says outermost.
"""

import ipaddress
import os
import re
import select
import signal
import socket
import subprocess
import sys

import namespaces
import topology
from process import PATIENCE, Failure


RELAY_PORT_MIN = 49152      # RFC 8656 §7.2


class Breakage:
    """What Lab inherits: it has `sides` and `server`."""

    # Filters at the side's router

    def block_udp(self, side, spare=None, way=None, tcp=False):
        """Drop all UDP at this side's router; spare: an address that stays reachable; way: only "out" or "in". Without `tcp`
        the hosts do not reach each other over TCP either, only the server."""
        exception = f"ip saddr != {spare} ip daddr != {spare} " if spare else ""
        self._filter(side, f"{exception}meta l4proto udp drop", way)
        if not tcp:
            self.block_tcp(side, way)

    def block_tcp(self, side, way=None):
        """Drop TCP at this side's router, but with the server."""
        for family, addresses in (("ip", f"{topology.SERVER}, {topology.SERVER_SECOND}"),
                                  ("ip6", f"{topology.SERVER6}, {topology.SERVER6_SECOND}")):
            self._filter(side, f"meta l4proto tcp {family} saddr != {{ {addresses} }} {family} daddr != {{ {addresses} }} drop", way)

    def block_all(self, side, way=None):
        """Drop everything at this side's router, silently; way: only what goes "out", or comes "in"."""
        self._filter(side, "drop", way)

    def allow_udp_port(self, side, port):
        """Drop all UDP at this side's router, but what goes to this port and comes from it."""
        self._filter(side, f"udp dport != {port} drop", "out")
        self._filter(side, f"udp sport != {port} drop", "in")

    def block_port(self, side, protocol, port):
        """Drop what goes to this port, "udp" or "tcp", at this side's router."""
        self._filter(side, f"{protocol} dport {port} drop", "out")

    def restore(self, side):
        """Ends block_udp, block_tcp, block_all, block_port and allow_udp_port."""
        namespaces.nft(self.sides[side].routers[0], "flush chain inet filter verbs")

    def _filter(self, side, rule, way):
        match = {None: "", "out": 'iifname "inside*" ', "in": 'oifname "inside*" '}[way]
        namespaces.nft(self.sides[side].routers[0], f"add rule inet filter verbs {match}{rule}")

    def limit_mtu(self, side, mtu):
        """Packets above this size disappear between the outermost router and the internet, both ways, and no ICMP tells of it."""
        for machine, interface in ((self.sides[side].routers[-1], "outside"), ("internet", f"to-{side}")):
            namespaces.nft(machine, """
table inet silence {
  chain output {
    type filter hook output priority filter; policy accept;
    icmp type destination-unreachable drop
    icmpv6 type packet-too-big drop
  }
}
""")
            namespaces.ip(machine, [f"link set {interface} mtu {mtu}"])

    # The way between the outermost router and the internet

    def impair(self, side, up=None, down=None, **both):
        """Makes the way of a side worse that Lab(impair=…) named: up (to the internet), down, or both ways. The settings are
        those of impair-settings.h: impair("a", delay=25, loss=1, rate="100M", queue="1M"). What is not named is good again, in
        a direction that is mentioned; impair("a") mends all."""
        self._impairers[side].set(up if up is not None or down is not None else both,
                                  down if up is not None or down is not None else both)

    def impair_stats(self, side):
        """What was done to packets so far: {"up": {"in": …}, "down": {…}}."""
        return self._impairers[side].stats()

    # What a NAT forgets

    def rebind(self, side, tcp=False):
        """The outermost NAT forgets everything, and maps what follows to a new range of ports: the same socket inside is seen
        under another port outside. TCP connections go on where they were, unless `tcp`: then theirs change as well, so that
        they break."""
        side = self.sides[side]
        if not side.kind.translated:
            raise Failure(f"{side.kind.name} has no NAT")
        side.rebound = side.rebound % 15 + 1
        namespaces.nft(side.routers[-1], _port_shift(side.rebound << 11, ["udp"] + ["tcp"] * tcp))
        self._forget(side.routers[-1], side)

    def _forget(self, router, side):
        for memory in side.kind.memories:
            namespaces.nft(router, f"flush {memory}")
        namespaces.command(router, ["conntrack", "-F"])

    # Interfaces and addresses

    def link_down(self, side, interface="lan"):
        """Takes an interface of the host down; its routes go, as the kernel does it."""
        namespaces.ip(side, [f"link set {interface} down"])

    def link_up(self, side):
        """The host's first interface again, with its addresses and routes."""
        kind, wire = self.sides[side].kind, self.sides[side].first
        namespaces.ip(side, [f"link set {wire.host} up"] + wire.host_lines(kind) + wire.route_lines(kind))

    def change_address(self, side):
        """The host gets other addresses in the same networks; the old ones are gone. Returns the new IPv4 one."""
        changed = self.sides[side]
        kind, wire, old = changed.kind, changed.first, changed.address
        gone = wire.host_lines(kind, "del")
        wire.address, wire.address6 = _next_address(wire.address), _next_address(wire.address6)
        namespaces.ip(side, gone + wire.host_lines(kind) + wire.route_lines(kind))
        # Otherwise the ports of the old address stay taken, and the NAT gives the new one others: not the kind that was asked for.
        namespaces.command(changed.routers[0], ["conntrack", "-D", "-s", old], statuses=(0, 1))
        return wire.address

    def change_outside(self, side):
        """The outermost NAT gets another IPv4 address from its provider, and forgets its mappings. Returns the new one."""
        changed = self.sides[side]
        if not changed.kind.translated:
            raise Failure(f"{changed.kind.name} has no NAT")
        router, old = changed.routers[-1], changed.outside
        changed.outside = _next_address(old)
        namespaces.ip(router, [f"addr del {old}/28 dev outside", f"addr add {changed.outside}/28 dev outside",
                               f"route replace default via {changed.outside_gateway}"])
        self._forget(router, changed)
        return changed.outside

    def add_interface(self, side, preferred=False):
        """A second interface, "lan2", with addresses of networks of its own, appears on the host; preferred: the default routes go
        over it from now on. Returns its IPv4 address."""
        changed = self.sides[side]
        kind, first = changed.kind, changed.first
        topology.wire(changed, changed.second, 104)
        if preferred:
            old = first.route_lines(kind, "del")
            first.metric = 2 * changed.second.metric
            namespaces.ip(side, first.route_lines(kind) + old)
        return changed.second.address

    # The clock

    def clock_file(self, machine):
        return f"{self.folder(machine)}/clock"

    def jump_clock(self, machine, seconds):
        """Sets the wall clock of the machine's programs to the true time and so much. See wall-clock.c for what it can do."""
        name = self.clock_file(machine)
        with open(name, "r+b" if os.path.exists(name) else "wb") as file:       # in place: it is mapped
            file.write(int(seconds * 1e9).to_bytes(8, sys.byteorder, signed=True))

    # Programs

    def kill_server(self):
        """SIGKILL; the TURN server dies with it. start_server() starts another."""
        self.server.kill()
        self.server.wait()
        self.wait_gone("turnserver")

    def turn_pids(self):
        return [pid for pid, _ in self.processes("turnserver")]

    def kill_turn(self):
        """SIGKILL for the TURN server. `ice-session server` starts another by itself: see wait_turn()."""
        pids = self.turn_pids()
        if not pids:
            raise Failure("no TURN server runs")
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            self.wait_pid_gone(pid)

    def wait_turn(self):
        """Until a TURN server answers a STUN request."""
        request = _binding_request()
        with self.socket("server") as asking:
            for _ in range(int(PATIENCE / 0.1)):
                for port in self._udp_ports(topology.SERVER):
                    asking.sendto(request, (topology.SERVER, port))
                if select.select([asking], [], [], 0.1)[0]:
                    return
        raise Failure("no TURN server answers")

    def wait_answer(self, address, port):
        """Until a STUN server answers there."""
        with self.socket("server", socket.AF_INET6 if ":" in address else socket.AF_INET) as asking:
            for _ in range(int(PATIENCE / 0.1)):
                asking.sendto(_binding_request(), (address, port))
                if select.select([asking], [], [], 0.1)[0]:
                    return
        raise Failure(f"nothing answers at {address}:{port}")

    def relay_ports(self, address):
        """The relayed ports that are allocated at an address of the server."""
        return {port for port in self._udp_ports(address) if port >= RELAY_PORT_MIN}

    def turn_pids_at(self, address):
        """The TURN servers with a UDP socket at this address."""
        output = subprocess.run(["nsenter", "--net=/run/netns/server", "ss", "-Hlnup"], capture_output=True, text=True).stdout
        return {int(pid) for line in output.splitlines() if line.split()[3].startswith(f"{address}:")
                for pid in re.findall(r'"turnserver",pid=(\d+)', line)}

    @staticmethod
    def _udp_ports(of):
        """The UDP ports open at an address of the server."""
        output = subprocess.run(["nsenter", "--net=/run/netns/server", "ss", "-Hlnu"], capture_output=True, text=True).stdout
        local = [line.split()[3].rsplit(":", 1) for line in output.splitlines()]
        return {int(port) for address, port in local if address == of}

    @staticmethod
    def freeze(*processes):
        """SIGSTOP, as a laptop that sleeps; thaw() wakes them."""
        for process in processes:
            process.signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)

    @staticmethod
    def thaw(*processes):
        for process in processes:
            process.signal(signal.SIGCONT)


def _binding_request():
    """RFC 8489 §5."""
    return b"\0\1\0\0\x21\x12\xa4\x42" + os.urandom(12)


def _next_address(address):
    return str(ipaddress.ip_address(address) + 1)


def _port_shift(mask, protocols):
    """Outside ports differ from those that the rules of the NAT kind give by a mask. Conntrack does not see it: it is undone
    before it looks at a packet that comes in, and done after it has seen one that goes out."""
    leave = "\n    ".join(f'oifname "outside" {name} sport set {name} sport ^ {mask}' for name in protocols)
    enter = "\n    ".join(f'iifname "outside" {name} dport set {name} dport ^ {mask}' for name in protocols)
    return f"""
table ip shift
delete table ip shift
table ip shift {{
  chain leave {{
    type filter hook postrouting priority srcnat + 1; policy accept;
    {leave}
  }}
  chain enter {{
    type filter hook prerouting priority raw; policy accept;
    {enter}
  }}
}}
"""
