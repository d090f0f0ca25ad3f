# SPDX-License-Identifier: LGPL-2.1-or-later
"""A NAT64 (RFC 6146): tayga, a stateless translator, before the router's own NAT for IPv4; and the name server of such a network,
which tells the prefix (RFC 7050) and translates no other name (there is no DNS64)."""

import ipaddress
import os
import socket
import subprocess
import threading

import namespaces

PREFIX = ipaddress.ip_network("2001:db8:64:ff9b::/96")  # not 64:ff9b::/96, under which tayga refuses the documentation ranges
NAME_SERVER = "2001:db8:64::53"
POOL = "192.168.255"
INTERFACE = "inside64"      # begins as those do from which the router lets packets out
ONLY_IPV4 = "ipv4-server.example"


def translated(address):
    """An IPv4 address as the host behind the NAT64 writes it."""
    return str(PREFIX[int(ipaddress.ip_address(address))])


def start(router):
    """The translator of a router, which has its other interfaces; in force when this returns."""
    folder = f"/run/lab/{router}"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/tayga.conf", "w") as file:
        file.write(f"tun-device {INTERFACE}\nipv4-addr {POOL}.1\nprefix {PREFIX}\ndynamic-pool {POOL}.0/24\ndata-dir {folder}\n")
    tayga = ["tayga", "-c", f"{folder}/tayga.conf"]
    namespaces.command(router, [*tayga, "--mktun"])
    namespaces.ip(router, [f"link set {INTERFACE} up", f"route add {POOL}.0/24 dev {INTERFACE}", f"route add {PREFIX} dev {INTERFACE}",
                           f"addr add {NAME_SERVER}/128 dev lo"])
    # It goes into the background when it has the interface.
    namespaces.command(router, tayga)


CLAT = "192.0.0.2"          # RFC 7335
CLAT_INTERFACE = "clat"


def start_clat(machine, address6, gateway6):
    """464XLAT (RFC 6877): a translator on the host gives its programs an IPv4 address, whose packets leave as IPv6. address6: one
    of the host's network that is the translator's own."""
    folder = f"/run/lab/{machine}-clat"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/tayga.conf", "w") as file:
        file.write(f"tun-device {CLAT_INTERFACE}\nipv4-addr 192.0.0.1\nipv6-addr fd00:c1a7::1\nprefix {PREFIX}\n"
                   f"map {CLAT} {address6}\ndata-dir {folder}\n")
    tayga = ["tayga", "-c", f"{folder}/tayga.conf"]
    namespaces.command(machine, [*tayga, "--mktun"])
    namespaces.sysctl(machine, {"net/ipv6/conf/all/forwarding": 1, "net/ipv4/ip_forward": 1})
    namespaces.ip(machine, [f"link set {CLAT_INTERFACE} up", f"addr add {CLAT}/32 dev {CLAT_INTERFACE}",
                            f"route add default dev {CLAT_INTERFACE} src {CLAT} mtu 1260", f"route add {address6}/128 dev {CLAT_INTERFACE}",
                            f"route replace default via {gateway6} dev lan"])
    namespaces.command(machine, tayga)


class NameServer:
    """In the router, for the whole laboratory: other machines have no route to it."""

    def __init__(self, router, addresses):
        """addresses: {name: IPv4 address}"""
        self._ipv4 = {"ipv4only.arpa": ["192.0.0.170", "192.0.0.171"]} | {name: [address] for name, address in addresses.items()}
        self._ipv6 = {"ipv4only.arpa": [translated(address) for address in self._ipv4["ipv4only.arpa"]]}
        self.asked = []
        self._mute = False
        with namespaces.inside(router):
            self._socket = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self._socket.bind((NAME_SERVER, 53))
        threading.Thread(target=self._serve, daemon=True).start()
        with open("/run/lab/resolv.conf", "w") as file:
            file.write(f"nameserver {NAME_SERVER}\noptions timeout:1 attempts:2\n")
        # Where it is a link into /run, that is the laboratory's own, and empty.
        target = os.path.realpath("/etc/resolv.conf")
        if target.startswith("/run/") and not os.path.exists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            open(target, "w").close()
        subprocess.run(["mount", "--bind", "/run/lab/resolv.conf", target], check=True)

    def mute(self):
        """It hears, and says nothing any more."""
        self._mute = True

    def _serve(self):
        while True:
            query, source = self._socket.recvfrom(2000)
            answer = self._answer(query)
            if not self._mute:
                self._socket.sendto(answer, source)

    def _answer(self, query):
        """RFC 1035 §4.1, one question."""
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        name, kind = ".".join(labels).lower(), int.from_bytes(query[at + 1:at + 3], "big")
        self.asked.append((name, kind))
        records = {1: self._ipv4, 28: self._ipv6}.get(kind, {}).get(name, [])
        known = name in self._ipv4
        header = query[:2] + (0x8180 if known else 0x8183).to_bytes(2, "big") + bytes([0, 1, 0, len(records), 0, 0, 0, 0])
        body = b"".join(b"\xc0\x0c" + kind.to_bytes(2, "big") + b"\0\1\0\0\0\x3c" + len(data).to_bytes(2, "big") + data
                        for data in (ipaddress.ip_address(record).packed for record in records))
        return header + query[12:at + 5] + body
