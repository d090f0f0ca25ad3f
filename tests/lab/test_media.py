# SPDX-License-Identifier: LGPL-2.1-or-later
"""`ice-session media`: RTP between applications of two hosts, while the paths change below it."""

import itertools
import os
import signal
import stat
import struct
import threading
import time

import srtp
import topology
import wire
from lab import Lab
from process import Failure
from recorder import Recorder
from testing import check, scenario

PLAIN = b"The quick brown fox jumps over the lazy dog. "
PAIR = {"a": "port-restricted", "b": "port-restricted"}
IN, OUT = 5004, 5006


class Journey:
    """The paths that both sides are on, one after the other."""

    def __init__(self, *processes):
        self._processes, self._seen, self.taken = processes, [0 for _ in processes], []

    def wait(self, kind):
        """Until both sides send on this kind of path."""
        for index, process in enumerate(self._processes):
            def moved(events, begin=self._seen[index]):
                found = [number for number, event in enumerate(events)
                         if number >= begin and event.get("type") == "path" and event["kind"] == kind]
                return found and found[0] + 1
            self._seen[index] = process.events.wait_until(moved, f"move to {kind} after {self.taken}")
        self.taken.append(kind)


class Talker:
    """Sends RTP, and now and then RTCP, to a port of its machine; counts what comes at another one. One source."""

    def __init__(self, lab, machine, ssrc, send_to=IN, listen_at=OUT, mux=False):
        self.ssrc, self._send_to, self._mux = ssrc, send_to, mux
        self._out, self._in = lab.socket(machine), [lab.socket(machine) for _ in range(2)]
        for index, each in enumerate(self._in):
            each.bind(("127.0.0.1", listen_at + index))
        self.sent, self.arrived, self.reports, self.wrong = 0, {}, 0, []
        self._changed, self._stopped = threading.Condition(), threading.Event()
        for index in range(2):
            threading.Thread(target=self._listen, args=(index,), daemon=True).start()
        self._thread = threading.Thread(target=self._talk, daemon=True)

    def start(self):
        self._thread.start()

    def stop(self):
        self._stopped.set()
        self._thread.join()

    @staticmethod
    def packet(ssrc, number):
        return struct.pack(">BBHII", 0x80, 96, number & 0xffff, 3000 * number, ssrc) + PLAIN * (1 + number % 20)

    def _talk(self):
        for number in itertools.count():
            if self._stopped.wait(0.01):
                return
            self._out.sendto(self.packet(self.ssrc, number), ("127.0.0.1", self._send_to))
            self.sent += 1
            if number % 20 == 0:
                report = struct.pack(">BBHI", 0x80, 201, 1, self.ssrc)
                self._out.sendto(report, ("127.0.0.1", self._send_to + (0 if self._mux else 1)))

    def _listen(self, index):
        while True:
            packet = self._in[index].recv(65535)
            with self._changed:
                if srtp.is_rtcp(packet):
                    self.reports += 1
                    self.wrong += [packet] * (index == 0)
                else:
                    number, ssrc = int.from_bytes(packet[2:4], "big"), int.from_bytes(packet[8:12], "big")
                    self.wrong += [packet] * (packet != self.packet(ssrc, number))
                    self.arrived[number] = self.arrived.get(number, 0) + 1
                self._changed.notify_all()

    def wait_more(self, count=50, reports=2):
        """Until so many more have come."""
        with self._changed:
            begin, before = len(self.arrived), self.reports
            if not self._changed.wait_for(lambda: len(self.arrived) >= begin + count and self.reports >= before + reports, 120):
                raise Failure(f"{len(self.arrived) - begin} packets came, {count} expected; {self.reports - before} reports")


class NoTurn:
    """The TURN server is stopped until it is let go: so long the channel is the only path that leads through the server."""

    def __init__(self, lab):
        self._pids = lab.turn_pids()
        self._tell(signal.SIGSTOP)

    def _tell(self, number):
        for pid in self._pids:
            os.kill(pid, number)

    def end(self):
        self._tell(signal.SIGCONT)


def start_media(lab, options=(), each=None, server=None):
    """Two joined `ice-session media`, the listener first; each: options of one side."""
    words = ["--no-port-mapping", *options, *(("--server", server) if server else ())]
    each = each or {}
    ports = ["--rtp-in", IN, "--rtp-out", f"127.0.0.1:{OUT}"]
    first = lab.run("a", "media", *words, *each.get("a", ports))
    second = lab.run("b", "media", *words, *each.get("b", ports), code=first.wait_for("code")["code"])
    for process in (first, second):
        process.events.wait_until(lambda events: any(event.get("profile") for event in events), "profile")
    return first, second


def finish(first, second):
    """The joiner is interrupted; the other one ends well. Returns the last statistics of both."""
    second.signal(15)
    second.expect_exit(143)
    first.expect_exit(0)
    for process in (first, second):
        done = process.events.last("done")
        check(done and done["bytes"] == done["sent_bytes"] + done["received_bytes"]
              == sum(done[f"{kind}_bytes"] for kind in ("channel", "turn", "direct")), f"done: {done}")
    return [process.events.last("media") for process in (first, second)]


def check_sealed(lab, recorder, tap, folders):
    """All media on the wire opens with the exported keys, by another implementation, and none of it can be read without. Returns how
    many packets were seen on each kind of path."""
    for folder in folders:
        check(stat.S_IMODE(os.stat(f"{folder}/keys").st_mode) == 0o600, "the key log can be read by others")
    logs = [open(f"{folder}/keys", encoding="ascii").read() for folder in folders]
    check(logs[0] == logs[1] and logs[0].count("\n") == 1, "the hosts have different keys")
    keys, seen = srtp.read_key_log(logs[0]), {"channel": 0, "turn": 0, "direct": 0}
    packets = [("channel", packet) for who in ("client", "server") for packet in recorder.datagrams(who) if wire.is_media(packet)]
    packets += [(kind, packet) for _, kind, _, _, packet in wire.media_in(tap.datagrams)]
    for kind, packet in packets:
        opened = keys["client"].open(packet) or keys["server"].open(packet)
        check(opened, f"not authentic on {kind}: {packet[:40].hex()}")
        check(srtp.is_rtcp(opened) or opened[12:].startswith(PLAIN[:4]), f"opened on {kind}: {opened.hex()}")
        seen[kind] += 1
    for _, _, _, payload in tap.datagrams:
        check(PLAIN not in payload, "plain text on the wire")
    check(not recorder.finds(PLAIN), "plain text on the channel")
    return seen


@scenario(each={"AES-GCM": (srtp.GCM,), "AES-CM": (srtp.CM,)})
def rtp_while_the_paths_change(profile):
    """channel -> turn -> direct -> turn -> direct, with packets both ways all the time."""
    srtp.check_vectors()
    with Lab(**PAIR) as lab:
        lab.start_server()
        recorder, tap = Recorder(lab), wire.Wire(lab, "a")
        lab.block_udp("a", topology.SERVER)
        relays = NoTurn(lab)
        talkers = [Talker(lab, machine, ssrc) for machine, ssrc in (("a", 0xaaaa0001), ("b", 0xbbbb0002))]
        pair = start_media(lab, ("--srtp-profile", profile, "--srtp-key-log", "keys"), server=recorder.url)
        check(all(process.events.last("media")["profile"] == profile for process in pair), "another profile")
        journey = Journey(*pair)
        for talker in talkers:
            talker.start()
        for number, kind in enumerate(("channel", "turn", "direct", "turn", "direct")):
            journey.wait(kind)
            for talker in talkers:
                talker.wait_more()
            if kind == "channel":
                relays.end()
            elif kind == "turn":
                lab.restore("a")
            elif number == 2:
                lab.block_udp("a", topology.SERVER)
        for talker in talkers:
            talker.stop()
        for talker in talkers:
            check(not talker.wrong, f"altered, or RTCP in the wrong place: {talker.wrong[:1]}")
            check(set(talker.arrived.values()) == {1}, "came twice")
        last = finish(*pair)
        seen = check_sealed(lab, recorder, tap, [lab.folder("a"), lab.folder("b")])
    check(all(seen.values()), f"seen on the wire: {seen}")
    return f"{' '.join(journey.taken)}; on the wire: {seen}; lost {[event['lost'] for event in last]}"
