# SPDX-License-Identifier: LGPL-2.1-or-later
"""The laboratory leaves nothing behind, however it is ended; and its verbs do to packets what they say."""

import contextlib
import errno
import os
import socket
import subprocess
import sys
import time

import namespaces
import nat
import topology
from lab import RENDEZVOUS_PORT, Lab
from process import PATIENCE
from test_nat import WAIT, Prober, families
from testing import check, scenario

# The first process of new namespaces, with a child that would go on for a day. Both keep stdout open while they live.
_ENDLESS = """
import subprocess, sys
sys.path.insert(0, sys.argv[1])
import namespaces
namespaces.die_with(int(sys.argv[3]))
child = subprocess.Popen(["sleep", "86400"])
print("up", flush=True)
child.wait()
"""


def _start():
    return namespaces.start_in_new([sys.executable, "-c", _ENDLESS, sys.path[0]], os.environ, user_namespace=False,
                                   stdout=subprocess.PIPE)


def _check_up(process):
    check(process.stdout.readline() == b"up\n", "did not start")


def _check_gone(process):
    # The end of the stream comes when the last process that has it open is dead.
    rest = process.communicate(timeout=PATIENCE)[0]
    check(rest == b"", f"more output: {rest}")


@scenario
def dies_when_its_runner_is_killed():
    with _start() as process:
        _check_up(process)      # and what follows closes the lifeline, as the runner's death does
    _check_gone(process)


@scenario
def dies_when_its_own_outermost_process_is_killed():
    with _start() as process:
        _check_up(process)
        process.kill()
        _check_gone(process)


# The verbs that change the network. What does not come is seen as in test_nat.py: what was sent after it came.

BEHIND = {name: (name,) for name in ("full-cone", "address-restricted", "port-restricted", "symmetric", "cgnat")}


@contextlib.contextmanager
def prober(kind, family=socket.AF_INET, **options):
    with Lab(a=kind, b="public", **options) as lab:
        yield lab, Prober(lab, family)


def reaches(probe, host, seen, known):
    """Does a packet to `seen` come to the host? One to `known` follows, which does."""
    probe.points[probe.at].sendto(b"probe", seen)
    probe.points[probe.at].sendto(b"last", known)
    first = host.recvfrom(100)[0]
    if first == b"probe":
        check(host.recvfrom(100)[0] == b"last", "the known address was not heard")
    return first == b"probe"


@scenario(each=BEHIND)
def rebinding_gives_another_port(kind):
    with prober(kind) as (lab, probe):
        host = probe.host()
        ports = [probe.ask(host, probe.at)]
        for _ in range(3):
            lab.rebind("a")
            ports.append(probe.ask(host, probe.at))
            check(not reaches(probe, host, ports[-2], ports[-1]), "the old port still leads to the host")
        check(len({port for _, port in ports}) == 4, f"seen from {ports}")
        check({address for address, _ in ports} == {lab.sides["a"].outside}, f"seen from {ports}")
        wanted = lab.sides["a"].kind
        probe.ask(host, probe.other_both)
        lab.rebind("a")
        now = probe.ask(host, probe.at)
        check(probe.comes_through(host, now, probe.other_both, probe.at) == (wanted.filtering == nat.ANY),
              "the filter remembers whom the host sent to before")
        # It is still the same kind of NAT.
        found = probe.mapping(), probe.filtering()
        check(found == (wanted.mapping, wanted.filtering), f"after rebinding: {found}")


def connected(lab):
    with lab.socket("server", kind=socket.SOCK_STREAM) as listening:
        listening.bind((topology.SERVER, 7000))
        listening.listen()
        client = lab.socket("a", kind=socket.SOCK_STREAM)
        client.settimeout(WAIT)
        client.connect((topology.SERVER, 7000))
        return client, listening.accept()[0]


@scenario(each={"goes on": (False,), "breaks": (True,)})
def rebinding_and_tcp(breaks):
    with Lab(a="port-restricted", b="public") as lab:
        client, server = connected(lab)
        lab.rebind("a", tcp=breaks)
        client.send(b"x")
        try:
            server.settimeout(WAIT)
            came = client.recv(1) if breaks else server.recv(1)
        except ConnectionResetError:
            came = b""
        check(came == (b"" if breaks else b"x"), f"{came} after rebinding")


@scenario(each={name: (name,) for name in ("port-restricted", "public", "ipv6-only", "dual-stack")})
def link_goes_down_and_up(kind):
    for_kind = nat.KINDS[kind]
    with prober(kind, socket.AF_INET if for_kind.ipv4 else socket.AF_INET6) as (lab, probe):
        host = probe.host()
        seen = probe.ask(host, probe.at)
        lab.link_down("a")
        try:
            host.sendto(b"lost", probe.at)
            check(False, "sent over an interface that is down")
        except OSError as error:
            check(error.errno == errno.ENETUNREACH, f"{error}")
        lab.link_up("a")
        check(probe.ask(host, probe.at) == seen, "another address after the link came back")
        check(reaches(probe, host, seen, seen), "nothing comes in")


@scenario(each={name: (name,) for name in ("port-restricted", "full-cone", "public", "ipv6-only")})
def host_gets_another_address(kind):
    for_kind = nat.KINDS[kind]
    with prober(kind, socket.AF_INET if for_kind.ipv4 else socket.AF_INET6) as (lab, probe):
        host = probe.host()
        seen, old = probe.ask(host, probe.at), host.getsockname()[0]
        lab.change_address("a")
        if for_kind.ipv4:       # IPv6 lets a socket send from the address that it was bound to, whoever has it now
            try:
                host.sendto(b"lost", probe.at)
                check(False, "sent from an address that is gone")
            except OSError as error:
                check(error.errno in (errno.EINVAL, errno.ENETUNREACH), f"{error}")
        another = probe.host()
        check(another.getsockname()[0] != old, "the same address")
        now = probe.ask(another, probe.at)
        check(now != seen and (for_kind.translated or now[0] == another.getsockname()[0]), f"seen from {seen}, then {now}")


@scenario(each=BEHIND)
def router_gets_another_address(kind):
    with prober(kind) as (lab, probe):
        host = probe.host()
        old = probe.ask(host, probe.at)
        check(lab.change_outside("a") != old[0], "the same address")
        now = probe.ask(host, probe.at)
        check(now[0] == lab.sides["a"].outside != old[0], f"seen from {old}, then {now}")
        check(not reaches(probe, host, old, now), "the old address still leads to the host")


@scenario(each={f"{name}, {'preferred' if preferred else 'second'}": (name, preferred)
                for name in ("port-restricted", "public", "dual-stack", "ipv6-only") for preferred in (False, True)})
def second_interface_appears(kind, preferred):
    with Lab(a=kind, b="public") as lab:
        lab.add_interface("a", preferred)
        for family in families(nat.KINDS[kind]):
            ask_over(lab, Prober(lab, family), second=preferred)
        lab.link_down("a", "lan2" if preferred else "lan")
        for family in families(nat.KINDS[kind]):
            ask_over(lab, Prober(lab, family), second=not preferred)


def ask_over(lab, probe, second):
    """From a socket of the host that is not told where to be sent from."""
    wire = lab.sides["a"].second if second else lab.sides["a"].first
    with lab.socket("a", probe.family) as host:
        host.settimeout(WAIT)
        host.connect(probe.at)
        check(host.getsockname()[0] in (wire.address, wire.address6), f"goes out from {host.getsockname()[0]}")
        host.send(b"ask")
        point = probe.points[probe.at]
        point.sendto(*point.recvfrom(100))
        check(host.recv(100) == b"ask", "no answer")
    probe.close()


@scenario
def udp_is_blocked_one_way():
    with prober("port-restricted") as (lab, probe):
        host = probe.host()
        seen = probe.ask(host, probe.at)
        client, server = connected(lab)
        lab.block_udp("a", way="out")
        host.sendto(b"lost", probe.at)
        client.send(b"x")
        check(server.recv(1) == b"x", "TCP is blocked too")
        check(reaches(probe, host, seen, seen), "blocked the other way")
        lab.restore("a")
        lab.block_udp("a", way="in")
        probe.points[probe.at].sendto(b"lost", seen)
        probe.points[probe.at].settimeout(WAIT)
        host.sendto(b"ask", probe.at)
        check(probe.points[probe.at].recvfrom(100)[0] == b"ask", "what was blocked before came, or the rest is blocked")
        lab.restore("a")
        check(reaches(probe, host, seen, seen), "still blocked")


@scenario(each={name: (name,) for name in ("port-restricted", "ipv6-only")})
def mtu_shrinks_in_silence(kind):
    with prober(kind, socket.AF_INET if nat.KINDS[kind].ipv4 else socket.AF_INET6) as (lab, probe):
        host, server = probe.host(), probe.points[probe.at]
        host.sendto(bytes(1400), probe.at)
        data, seen = server.recvfrom(2000)
        check(len(data) == 1400, f"{len(data)} bytes came")
        lab.limit_mtu("a", 1280)
        for size in (1400, 1400, 1200):     # had the first one been answered with ICMP, the second would go in fragments
            host.sendto(bytes(size), probe.at)
            server.sendto(bytes(size), seen)
        check((len(server.recv(2000)), len(host.recv(2000))) == (1200, 1200), "the large packets came")
        lab.limit_mtu("a", 1500)
        host.sendto(bytes(1400), probe.at)
        check(len(server.recv(2000)) == 1400, "still limited")


# Programs

@scenario
def server_and_turn_are_killed_and_come_back():
    with Lab(a="port-restricted", b="public") as lab:
        lab.start_server()
        lab.wait_turn()
        first = lab.turn_pids()
        lab.kill_turn()
        lab.wait_turn()
        check(lab.turn_pids() and not set(first) & set(lab.turn_pids()), "the same TURN server")
        lab.kill_server()
        check(not lab.turn_pids(), "the TURN server outlived it")
        lab.start_server()
        lab.wait_turn()


@scenario
def process_is_frozen():
    with Lab(a="port-restricted", b="public") as lab:
        lab.start_server()
        lab.freeze(lab.server)
        client = lab.socket("a", kind=socket.SOCK_STREAM)
        client.connect((topology.SERVER, RENDEZVOUS_PORT))
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        with open(f"/proc/{lab.server.pid}/stat") as file:
            check(file.read().rsplit(")", 1)[1].split()[0] == "T", "not stopped")
        client.settimeout(WAIT)
        lab.thaw(lab.server)
        check(client.recv(100), "no answer after it was woken")


_CLOCKS = """
import datetime, sys, time
for line in sys.stdin:
    print(time.time(), datetime.datetime.now().timestamp(), time.monotonic(), flush=True)
"""


@scenario
def wall_clock_jumps():
    """For a program that runs; its monotonic clock goes on."""
    with Lab(a="public", b="public", clocks=("a",)) as lab:
        with lab.start("a", sys.executable, "-c", _CLOCKS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            for jump in (0, 3600, -3600, 86400 * 365):
                lab.jump_clock("a", jump)
                before = time.time(), time.monotonic()
                print(file=process.stdin, flush=True)
                wall, other, monotonic = map(float, process.stdout.readline().split())
                after = time.time(), time.monotonic()
                for told in (wall, other):
                    check(before[0] - 0.001 <= told - jump <= after[0] + 0.001, f"{told - before[0]} s off, expected {jump}")
                check(before[1] <= monotonic <= after[1], "the monotonic clock has jumped")
            process.stdin.close()
