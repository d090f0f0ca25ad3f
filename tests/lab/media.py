# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two joined `ice-session media`, what is on the wire between them, and a way through all kinds of path."""

import os
import signal
import stat

import srtp
import topology
import wiretap
from journey import Journey
from testing import check

KEYS = "keys"
IN, OUT = 5004, 5006
TOUR = ("channel", "turn", "direct", "turn", "direct")


def start_pair(lab, options=(), ports=None, server=None):
    """The listener, on a, first; ports: options of a side, in place of one --rtp-in and one --rtp-out."""
    usual = ("--rtp-in", IN, "--rtp-out", f"127.0.0.1:{OUT}")
    words = ["--no-port-mapping", *options, *(("--server", server) if server else ())]
    first = lab.run("a", "media", *words, *(ports or {}).get("a", usual))
    second = lab.run("b", "media", *words, *(ports or {}).get("b", usual), code=first.wait_for("code")["code"])
    for process in (first, second):
        wait_statistics(process, lambda event: event["profile"], "profile")
    return first, second


def wait_statistics(process, wanted, what):
    """Until statistics of this side are as wanted; returns them."""
    return process.events.wait_until(
        lambda events: next((event for event in reversed(events) if event.get("type") == "media" and wanted(event)), None), what)


def finish(first, second):
    """The joiner is interrupted; the other one ends well. Returns the last statistics of both."""
    second.signal(signal.SIGTERM)
    second.expect_exit(128 + signal.SIGTERM)
    first.expect_exit(0)
    for process in (first, second):
        done = process.events.last("done")
        check(done and done["bytes"] == done["sent_bytes"] + done["received_bytes"]
              == sum(done[f"{kind}_bytes"] for kind in ("channel", "turn", "direct")), f"done: {done}")
    return [process.events.last("media") for process in (first, second)]


class Tour:
    """channel -> turn -> direct -> turn -> direct, all over UDP, which a tap sees. To be made before the pair is started, which begins on
    the channel: neither the TURN server nor the other host can be reached then."""

    def __init__(self, lab):
        self._lab, self._relays = lab, lab.turn_pids()
        lab.block_udp("a", topology.SERVER)
        # Who gets no answer over UDP soon tries TCP.
        lab.block_port("a", "tcp", wiretap.TURN_PORT)
        self._tell_relays(signal.SIGSTOP)

    def _tell_relays(self, number):
        for pid in self._relays:
            os.kill(pid, number)

    def take(self, pair, look):
        """Calls look(the paths so far) on each path. Returns the Journey."""
        journey = Journey(*pair)
        for number, kind in enumerate(TOUR):
            journey.wait(kind)
            look(journey.taken)
            if kind == "channel":
                self._tell_relays(signal.SIGCONT)
            elif kind == "turn":
                self._lab.restore("a")
                self._lab.block_tcp("a")
            elif number + 1 < len(TOUR):
                self._lab.block_udp("a", topology.SERVER)
        return journey


def check_sealed(lab, recorder, tap):
    """All media that crossed the recorder and the tap opens with the exported keys, by another implementation, and is not in there
    as it is. Returns the packets within, by kind of path, each with the end that protected it: "client" or "server"."""
    lines = []
    for side in lab.sides:
        name = f"{lab.folder(side)}/{KEYS}"
        check(stat.S_IMODE(os.stat(name).st_mode) == 0o600, "others may read the key log")
        with open(name, encoding="ascii") as file:
            lines.append(file.read())
    check(lines[0] == lines[1] and lines[0].count("\n") == 1, "the hosts have different keys")
    keys, opened = srtp.read_key_log(lines[0]), {kind: [] for kind in ("channel", "turn", "direct")}
    seen = [("channel", packet) for who in ("client", "server") for packet in recorder.datagrams(who) if wiretap.is_media(packet)]
    seen += [(kind, packet) for _, kind, _, _, packet in wiretap.media_in(tap.datagrams)]
    for kind, packet in seen:
        end, plain = next(((end, plain) for end, key in keys.items() if (plain := key.open(packet))), (None, None))
        check(plain, f"not authentic, on {kind}: {packet[:40].hex()}")
        head = 8 if srtp.is_rtcp(plain) else srtp.rtp_header(plain)
        check(len(plain) < head + 8 or packet[head:head + 8] != plain[head:head + 8], f"plain, on {kind}: {packet[:40].hex()}")
        opened[kind].append((end, plain))
    return opened
