# SPDX-License-Identifier: LGPL-2.1-or-later
"""`ice-session media`: RTP packets of two hosts, one by one. For pipelines of real media see test_pipelines.py."""

import itertools
import struct
import threading

import media
import srtp
import topology
import wiretap
from journey import Journey
from lab import Lab
from process import PATIENCE, Failure
from recorder import Recorder
from testing import check, scenario

PAIR = {"a": "port-restricted", "b": "port-restricted"}
PLAIN = b"The quick brown fox jumps over the lazy dog. "
LISTENERS, JOINERS = 0xaaaa0001, 0xbbbb0002      # sources
PACE = 0.01                     # seconds
REPORT_EVERY = 20               # packets


class Talker:
    """One source on a machine: sends RTP, and now and then RTCP, to a port there, and counts what comes at another one."""

    def __init__(self, lab, machine, ssrc, lines=20):
        self._ssrc, self._lines = ssrc, lines
        self._out, self._in = lab.socket(machine), [lab.socket(machine) for _ in range(2)]
        for index, each in enumerate(self._in):
            each.bind(("127.0.0.1", media.OUT + index))
        self.arrived, self.reports, self.wrong = {}, 0, []
        self._changed, self._stopped = threading.Condition(), threading.Event()
        for is_rtcp, each in enumerate(self._in):
            threading.Thread(target=self._listen, args=(each, bool(is_rtcp)), daemon=True).start()
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._thread.start()

    def stop(self):
        self._stopped.set()
        self._thread.join()

    @staticmethod
    def packet(ssrc, number, lines=20):
        return struct.pack(">BBHII", 0x80, 96, number & 0xffff, 3000 * number & 0xffffffff, ssrc) + PLAIN * (1 + number % lines)

    def _talk(self):
        for number in itertools.count():
            if self._stopped.wait(PACE):
                return
            self._out.sendto(self.packet(self._ssrc, number, self._lines), ("127.0.0.1", media.IN))
            if number % REPORT_EVERY == 0:
                self._out.sendto(struct.pack(">BBHI", 0x80, 201, 1, self._ssrc), ("127.0.0.1", media.IN + 1))

    def _listen(self, port, is_rtcp):
        while True:
            packet = port.recv(65535)
            with self._changed:
                if is_rtcp != srtp.is_rtcp(packet):
                    self.wrong.append(packet)
                elif is_rtcp:
                    self.reports += 1
                else:
                    self._take(packet)
                self._changed.notify_all()

    def _take(self, packet):
        number, ssrc = int.from_bytes(packet[2:4], "big"), int.from_bytes(packet[8:12], "big")
        self.arrived[number] = self.arrived.get(number, 0) + 1
        if packet != self.packet(ssrc, number, self._lines):
            self.wrong.append(packet)

    def wait_more(self, count=50, reports=2):
        """Until so many more have come."""
        with self._changed:
            begin, before = len(self.arrived), self.reports
            if not self._changed.wait_for(lambda: len(self.arrived) >= begin + count and self.reports >= before + reports, PATIENCE):
                raise Failure(f"{len(self.arrived) - begin} packets came of {count}, {self.reports - before} reports of {reports}")

    def check(self):
        check(not self.wrong, f"altered, or on the wrong port: {self.wrong[:1]}")
        check(set(self.arrived.values()) == {1}, "a packet came twice")


@scenario(each={"AES-GCM": (srtp.GCM,), "AES-CM": (srtp.CM,)})
def packets_while_the_paths_change(profile):
    srtp.check_vectors()
    with Lab(**PAIR) as lab:
        lab.start_server()
        recorder, tap, tour = Recorder(lab), wiretap.Wiretap(lab, "a"), media.Tour(lab)
        pair = media.start_pair(lab, ("--srtp-profile", profile, "--srtp-key-log", media.KEYS), server=recorder.url)
        check(all(process.events.last("media")["profile"] == profile for process in pair), "another profile")
        talkers = [Talker(lab, "a", LISTENERS), Talker(lab, "b", JOINERS)]

        def look(taken):
            for talker in talkers:
                talker.wait_more()
            # Nothing is lost on the way up; it is when a path dies.
            if taken[-1] == "direct" and taken.count("direct") == 1:
                for process in pair:
                    media.wait_statistics(process, lambda event: event["received"] > 150 and event["lost"] == 0, "no loss")

        journey = tour.take(pair, look)
        for talker in talkers:
            talker.stop()
            talker.check()
        last = media.finish(*pair)
        opened = media.check_sealed(lab, recorder, tap)
    for kind, packets in opened.items():
        check(packets, f"no media on {kind}")
        for end, packet in packets:
            check(srtp.is_rtcp(packet) or packet[12:].startswith(PLAIN), f"another packet within, on {kind}: {packet[:40].hex()}")
            check((end == "client") == (JOINERS.to_bytes(4, "big") in packet[4:12]), f"on {kind}, under the key of the {end}: {packet[:12].hex()}")
    for event in last:
        check(event["dropped"]["forged"] == event["dropped"]["malformed"] == 0, f"dropped: {event}")
    counts = ", ".join(f"{len(packets)} {kind}" for kind, packets in opened.items())
    return f"{' '.join(journey.taken)}; on the wire: {counts}; lost: {[event['lost'] for event in last]}"


@scenario
def bad_packets_are_counted_and_dropped():
    """By a network that loses, doubles and spoils; by somebody in it who plays packets back and forges others; by an application
    whose packets are none."""
    with Lab(**PAIR, impair=("a",)) as lab:
        lab.start_server()
        tap = wiretap.Wiretap(lab, "a")
        pair = media.start_pair(lab)
        talkers = [Talker(lab, "a", LISTENERS), Talker(lab, "b", JOINERS)]
        for process in pair:
            process.wait_for("path", kind="direct")
        lab.impair("a", loss=4, duplicate=8, corrupt=4, reorder=10, reorder_by=15)
        for process in pair:
            media.wait_statistics(process, is_troubled, "packets lost, doubled and spoilt")
        lab.impair("a")
        for talker in talkers:
            talker.wait_more()
        for talker in talkers:
            talker.stop()
        troubled = [wait_quiet(process) for process in pair]
        check_injected(lab, tap, pair[1], troubled[1])
        check_refused(lab, pair[0], troubled[0])
        for talker, event in zip(talkers, troubled):
            talker.check()
            check(event["received"] == len(talker.arrived), f"{len(talker.arrived)} packets came to the application: {event}")
        media.finish(*pair)
    return "; ".join(f"{event['lost']} lost, {event['dropped']['replayed']} doubled, {event['dropped']['forged']} spoilt of "
                     f"{event['received']}" for event in troubled)


@scenario
def large_packets_on_a_narrow_path():
    """Those that the path does not carry are dropped and counted by the sender, once QUIC has found out; the others go on."""
    with Lab(**PAIR) as lab:
        lab.start_server()
        pair = media.start_pair(lab)
        talkers = [Talker(lab, "a", LISTENERS, lines=31), Talker(lab, "b", JOINERS, lines=31)]
        journey = Journey(*pair)
        journey.wait("direct")
        # Not from the start: TCP, the channel's too, does not notice that its own segments are too large.
        lab.block_udp("a", topology.SERVER)
        journey.wait("turn")
        lab.limit_mtu("a", 1300)
        lab.restore("a")
        journey.wait("direct")
        for process in pair:
            media.wait_statistics(process, lambda event: event["dropped"]["too-large"] >= 10, "large packets dropped")
        for talker in talkers:
            talker.wait_more()
            talker.check()
        counts = [event["dropped"]["too-large"] for event in media.finish(*pair)]
    return f"dropped: {counts}"


def is_troubled(event):
    return event["lost"] >= 10 and event["dropped"]["replayed"] >= 5 and event["dropped"]["forged"] >= 5


def wait_quiet(process):
    """Until a second goes by without a packet; returns the statistics."""
    def still(events):
        told = [event for event in events if event.get("type") == "media"][-2:]
        return len(told) == 2 and all(told[0][key] == told[1][key] for key in ("sent", "received", "dropped")) and told[1]
    return process.events.wait_until(still, "quiet")


def wait_dropped(process, before, **counts):
    """Until so many more were dropped for these reasons, and none for others."""
    def more(event):
        return all(event["dropped"][reason.replace("_", "-")] >= before["dropped"][reason.replace("_", "-")] + count
                   for reason, count in counts.items())
    dropped = media.wait_statistics(process, more, f"drops: {counts}")["dropped"]
    seen = {reason.replace("-", "_"): count - before["dropped"][reason] for reason, count in dropped.items()
            if count != before["dropped"][reason]}
    check(seen == counts, f"dropped {seen}, not {counts}")


def check_injected(lab, tap, process, before):
    """What was on its way to this side comes again from where it came, as it was and otherwise."""
    found = [entry for entry in wiretap.media_in(list(tap.datagrams)) if entry[1] == "direct" and entry[2][0] == lab.sides["a"].outside]
    old = found[-40:]
    for _, _, source, destination, packet in old:
        tap.inject(source, destination, packet)
        tap.inject(source, destination, renumber(packet))
    tap.inject(source, destination, b"\x80" + bytes(5))
    tap.inject(source, destination, b"\x80\x60" + bytes(1450))
    wait_dropped(process, before, replayed=len(old), forged=len(old), malformed=1, too_large=1)
    check(process.events.last("media")["received"] == before["received"], "one of them was taken")


def renumber(packet):
    """A later one, of somebody who does not have the key. RTCP has its number at the end."""
    return packet[:-1] + bytes([packet[-1] + 100 & 127]) if srtp.is_rtcp(packet) else packet[:2] + bytes([packet[2] + 16 & 255]) + packet[3:]


def check_refused(lab, process, before):
    """From a local application: no RTP; larger than what is carried; a sequence number again."""
    with lab.socket("a") as out:
        for packet in (b"", b"GET / HTTP/1.0\r\n\r\n", b"\x80\x60" + bytes(1419), Talker.packet(LISTENERS, 0)):
            out.sendto(packet, ("127.0.0.1", media.IN))
    wait_dropped(process, before, no_rtp=2, too_large=1, repeated=1)
