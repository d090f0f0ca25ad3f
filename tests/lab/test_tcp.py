# SPDX-License-Identifier: LGPL-2.1-or-later
"""Direct paths over TCP, where UDP does not get through (RFC 6544)."""

import socket
import threading

import topology
import traffic
from lab import Lab
from testing import check, scenario


def wait_transport(process, transport):
    return process.wait_for("path", kind="direct", transport=transport)


@scenario(each={f"{a} x {b}": (a, b) for a, b in (("udp-blocked", "udp-blocked"), ("symmetric", "public"))})
def two_hosts_without_udp(a, b):
    """NATs on both sides, 80 ms apart, so that SYNs cross; an open port on one side, and on the other a NAT that gives each
    connection another one."""
    with Lab(a=a, b=b, impair=("a", "b")) as lab:
        for side in ("a", "b"):
            lab.impair(side, delay=20)
        lab.block_udp("a", tcp=True)
        lab.start_server()
        lab.transfer(expect="direct", transport="tcp")


@scenario
def udp_blocked_in_mid_session():
    """The traffic goes on over TCP, and returns to UDP when that is free again."""
    with Lab(a="port-restricted", b="port-restricted") as lab:
        lab.start_server()
        pair = lab.pipes()
        exchange = traffic.Exchange(*pair, pause=0.01)
        for process in pair:
            wait_transport(process, "udp")
        lab.block_udp("a", spare=topology.SERVER, tcp=True)
        for process in pair:
            wait_transport(process, "tcp")
        exchange.wait_progress()
        counts = [process.events.count for process in pair]
        lab.restore("a")
        for process, count in zip(pair, counts):
            process.events.wait_for("path", after=count, kind="direct", transport="udp")
        exchange.finish()
    return " ".join(f"{event['kind']}/{event['transport']}" for event in pair[0].events.all("path"))


def _listening_ports(lab, side):
    """TCP ports that are listened on at all addresses of the host, from /proc (state 0A; address 0)."""
    table = lab.command(side, "cat", "/proc/net/tcp").stdout.splitlines()[1:]
    rows = [line.split() for line in table]
    return [int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and int(row[1].split(":")[0], 16) == 0]


class Stranger(threading.Thread):
    """Connects to all that listens on a host, says something, and counts what it is told."""

    def __init__(self, lab, machine, target):
        super().__init__(daemon=True)
        self.lab, self.machine, self.target = lab, machine, target
        self.knocks, self.told = 0, b""
        self.ended = threading.Event()

    def run(self):
        while not self.ended.is_set():
            for port in _listening_ports(self.lab, self.target):
                self._knock(port)
            self.ended.wait(0.02)

    def _knock(self, port):
        with self.lab.socket(self.machine, kind=socket.SOCK_STREAM) as knocking:
            knocking.settimeout(5)
            try:
                knocking.connect((self.lab.address(self.target), port))
                self.knocks += 1
                knocking.sendall(bytes.fromhex("0014000100002112a442") + b"0123456789ab")
                self.told += knocking.recv(1000)
            except OSError:
                pass


@scenario
def a_stranger_knocks_meanwhile():
    """Whoever connects to the open port learns nothing, and the two find each other."""
    with Lab(a="public", b="udp-blocked", impair=("a", "b")) as lab:
        for side in ("a", "b"):
            lab.impair(side, delay=40)  # so that the port is open for a while
        stranger = Stranger(lab, "server", "a")
        stranger.start()
        lab.start_server()
        lab.transfer(expect="direct", transport="tcp")
        stranger.ended.set()
        stranger.join()
        check(stranger.knocks > 0, "nothing listened")
        check(not stranger.told, f"a stranger was told {stranger.told!r}")
        return f"{stranger.knocks} knocks"
