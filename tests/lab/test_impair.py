# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `impair` does to the packets of a laboratory, measured with packets; and what it carries."""

import random
import socket
import struct
import threading
import time

from lab import Lab
from process import Failure, until
from test_nat import WAIT, Prober
from testing import check, scenario

UDP_SEGMENT = 103       # linux/udp.h
COUNT = 2000


class Way:
    """A socket of host a and one of the server that know each other, with numbered packets between them."""

    def __init__(self, lab, family=socket.AF_INET):
        self.lab, self.probe = lab, Prober(lab, family)
        self.host, self.server = self.probe.host(), self.probe.points[self.probe.at]
        for end in (self.host, self.server):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.seen = self.probe.ask(self.host, self.probe.at)

    def send(self, direction, payload):
        if direction == "up":
            self.host.sendto(payload, self.probe.at)
        else:
            self.server.sendto(payload, self.seen)

    def receive(self, direction):
        return (self.server if direction == "up" else self.host).recv(65535)

    def pass_many(self, direction, count=COUNT, size=100):
        """The numbers of those that came, in their order. When nothing is under way any more, one on a mended way says so."""
        came = []

        def collect():
            while (number := struct.unpack_from("!I", self.receive(direction))[0]) != count:
                came.append(number)
        reader = threading.Thread(target=collect)
        reader.start()
        expected = arrived(self.lab.impair_stats("a")[direction]) + count
        for number in range(count):
            self.send(direction, struct.pack("!I", number) + bytes(size - 4))
            if number % 50 == 49:
                time.sleep(0.001)       # not all into one socket buffer
        until(lambda: nothing_under_way(self.lab.impair_stats("a")[direction], expected), "nothing under way", pause=0.001)
        self.lab.impair("a")
        self.send(direction, struct.pack("!I", count))
        reader.join(WAIT)
        if reader.is_alive():
            raise Failure("the last packet did not come")
        return came


def arrived(told):
    return told["in"] + told["dropped"]     # by the kernel, before the tool saw it


def nothing_under_way(told, expected):
    """All that was expected has come in, and what came in has got out or lost."""
    return (arrived(told) >= expected
            and told["in"] + told["duplicated"] <= sum(told[key] for key in ("out", "lost", "blackholed", "too_big", "queue_full")))


@scenario(each={f"{name}, {direction}": (name, direction) for name in ("port-restricted", "ipv6-only") for direction in ("up", "down")})
def direction_is_impaired_alone(kind, direction):
    other = {"up": "down", "down": "up"}[direction]
    with Lab(a=kind, b="public", impair=("a",)) as lab:
        way = Way(lab, socket.AF_INET6 if kind == "ipv6-only" else socket.AF_INET)
        lab.impair("a", **{direction: {"blackhole": True}})
        before = lab.impair_stats("a")[direction]["blackholed"]
        way.send(direction, b"lost")
        way.send(other, b"passes")
        check(way.receive(other) == b"passes", "nothing came")
        # What is still on its way when the blackhole is lifted would pass. More than one may have vanished: the routers have to say
        # a word of their own now and then (RFC 3810).
        until(lambda: lab.impair_stats("a")[direction]["blackholed"] > before, "nothing vanished in the blackhole")
        lab.impair("a", **{direction: {}})
        way.send(direction, b"last")
        check(way.receive(direction) == b"last", "came through the blackhole")


@scenario(each={"up": ("up",), "down": ("down",)})
def delay(direction):
    with Lab(a="port-restricted", b="public", impair=("a",)) as lab:
        way = Way(lab)
        lab.impair("a", **{direction: {"delay": 40}})
        begin = time.monotonic()
        way.send(direction, b"x")
        way.receive(direction)
        took = time.monotonic() - begin
        check(took >= 0.04, f"{1000 * took:.1f} ms")
        return f"40 ms took {1000 * took:.2f} ms"


@scenario
def losses_and_copies():
    with Lab(a="port-restricted", b="public", impair=("a",)) as lab:
        way = Way(lab)
        counts = {}
        for what, settings in (("nothing", {}), ("loss", {"loss": 20}), ("burst", {"loss": 20, "burst": 5}),
                               ("duplicate", {"duplicate": 20}), ("reorder", {"reorder": 20, "reorder_by": 2})):
            before = lab.impair_stats("a")["up"]
            lab.impair("a", up=settings)
            came = way.pass_many("up")
            after = lab.impair_stats("a")["up"]
            told = {key: after[key] - before[key] for key in after}
            # Besides ours and the last one, packets of the routers themselves (RFC 3810): each may have been lost or doubled.
            strangers = told["in"] - COUNT - 1
            off = len(came) - (COUNT - told["lost"] + told["duplicated"])
            check(0 <= strangers < 20 and abs(off) <= strangers and told["dropped"] == 0, f"{what}: {len(came)} came: {told}")
            counts[what] = (len(came), came == sorted(came))
        check(counts["nothing"] == (COUNT, True), f"{counts}")
        # Eight standard deviations or more.
        check(1450 < counts["loss"][0] < 1750 and 1200 < counts["burst"][0] < 1950 and 2250 < counts["duplicate"][0] < 2550, f"{counts}")
        check(counts["loss"][1] and not counts["reorder"][1], f"{counts}")


@scenario(each={"port-restricted": ("port-restricted",), "ipv6-only": ("ipv6-only",)})
def corruption_arrives(kind):
    """The receiver's kernel does not drop it for the checksum: the program has to."""
    with Lab(a=kind, b="public", impair=("a",)) as lab:
        way = Way(lab, socket.AF_INET6 if kind == "ipv6-only" else socket.AF_INET)
        payload = random.Random(1).randbytes(999)
        for direction in ("up", "down"):
            lab.impair("a", corrupt=100)
            way.send(direction, payload)
            came = way.receive(direction)
            different = sum((one ^ other).bit_count() for one, other in zip(came, payload))
            check(len(came) == len(payload) and different == 1, f"{different} bits differ")


@scenario(each={f"{name}, {'told' if told else 'silent'}": (name, told) for name in ("port-restricted", "ipv6-only")
                for told in (False, True)})
def mtu(kind, told):
    with Lab(a=kind, b="public", impair=("a",)) as lab:
        way = Way(lab, socket.AF_INET6 if kind == "ipv6-only" else socket.AF_INET)
        lab.impair("a", mtu=1280, icmp=told)
        way.host.connect(way.probe.at)
        way.host.send(bytes(1400))
        if told:
            try:
                way.host.recv(10)
                check(False, "something came")
            except OSError as error:
                check(error.errno == 90, f"{error}")        # EMSGSIZE
        way.host.send(bytes(1200))
        check(len(way.receive("up")) == 1200, "the large packet came")


@scenario
def rate():
    """The backlog of a full queue is what it says."""
    with Lab(a="port-restricted", b="public", impair=("a",)) as lab:
        way = Way(lab)
        lab.impair("a", up={"rate": "8M", "queue": "100k"})
        begin = time.monotonic()
        for number in range(300):
            way.send("up", struct.pack("!I", number) + bytes(968))      # 1000 bytes with the headers: 1 ms each
        # Stamped by no clock: the last one that found a place says how many did.
        for came in range(100):
            way.receive("up")
        took = time.monotonic() - begin
        told = lab.impair_stats("a")["up"]
        check(took >= 0.099 and told["queue_full"] > 0, f"100 packets in {took:.3f} s, {told}")
        return f"100 kB at 8 Mbit/s in {1000 * took:.0f} ms, {told['queue_full']} found the queue full"


def blast(way, until):
    """As many packets of 1500 bytes as the kernel takes, cut from large ones behind the sender's socket."""
    large = bytes(40 * 1472)
    way.host.setsockopt(socket.SOL_UDP, UDP_SEGMENT, 1472)
    while time.monotonic() < until:
        way.host.sendto(large, way.probe.at)


@scenario
def what_it_carries():
    """Its own limit, with packets of 1500 bytes and the sender on the same processors."""
    with Lab(a="public", b="public", impair=("a",)) as lab:
        way = Way(lab)
        lab.impair("a", delay=10)
        before, begin = lab.impair_stats("a")["up"], time.monotonic()
        blast(way, begin + 2)
        after, took = lab.impair_stats("a")["up"], time.monotonic() - begin
        told = {key: after[key] - before[key] for key in after}
        check(told["out"] > 0, f"{told}")
        return (f"{8e-6 * told['bytes_out'] / took:.0f} Mbit/s, {told['out'] / took / 1000:.0f} thousand packets/s; "
                f"{told['dropped'] / took / 1000:.0f} thousand/s more found its ring full")
