# SPDX-License-Identifier: LGPL-2.1-or-later
"""`ice-session media` between real pipelines: VP8 and Opus of GStreamer, from one host to another, each behind a NAT."""

import media
import pipelines
import png
import srtp
import wire
from lab import Lab
from recorder import Recorder
from testing import check, scenario

VIDEO, AUDIO = (media.IN, media.OUT), (media.IN + 10, media.OUT + 10)


def ports():
    words = []
    for taken, given in (VIDEO, AUDIO):
        words += ["--rtp-in", taken, "--rtp-out", f"127.0.0.1:{given}"]
    return words


def beside(first, second):
    """Two frames in one picture, with a gap."""
    row, gap = 3 * pipelines.WIDTH, bytes([255] * 3 * 10)
    lines = [first[at:at + row] + gap + second[at:at + row] for at in range(0, len(first), row)]
    return png.encode(2 * pipelines.WIDTH + 10, pipelines.HEIGHT, b"".join(lines))


@scenario
def video_and_sound_while_the_paths_change():
    """Frames and sound arrive on each path; nothing is lost where no path dies; what is on the wire opens with the keys alone."""
    frames = []
    with Lab(a="port-restricted", b="port-restricted") as lab:
        lab.start_server()
        recorder, tap, tour = Recorder(lab), wire.Wire(lab, "a"), media.Tour(lab)
        pair = media.start_pair(lab, ("--srtp-key-log", media.KEYS), dict.fromkeys("ab", ports()), recorder.url)
        receiver = pipelines.Receiver(lab, "b", VIDEO, AUDIO)
        sender = pipelines.start_sender(lab, "a", VIDEO, AUDIO)

        def look(taken):
            frames.append(receiver.wait_more())
            check(not pipelines.wrong_bars(frames[-1]), f"not the picture, on {taken}: {pipelines.wrong_bars(frames[-1])}")
            if len(taken) == 3:
                media.wait_statistics(pair[1], lambda event: event["received"] > 100 and event["lost"] == 0, "no loss")

        journey = tour.take(pair, look)
        for process in (sender, receiver.process):
            check(process.poll() is None, "a pipeline ended")
            process.terminate()
        last = media.finish(*pair)
        opened = media.check_sealed(lab, recorder, tap)
    png.keep("media.png", beside(frames[0], frames[2]))
    for kind, packets in opened.items():
        types = {packet[1] & 127 for packet in packets if not srtp.is_rtcp(packet)}
        check(types == {96, 97}, f"payload types on {kind}: {types}")
    check(all(event["received_rtcp"] for event in last), f"no RTCP: {last}")
    check(not last[1]["dropped"]["no-way-out"], f"for no port: {last[1]}")
    gap = max(after - before for before, after in zip(receiver.frames, receiver.frames[1:]))
    return (f"{' '.join(journey.taken)}; {len(receiver.frames)} frames, longest gap {1000 * gap:.0f} ms; {last[1]['lost']} packets lost "
            f"of {last[1]['received']}")
