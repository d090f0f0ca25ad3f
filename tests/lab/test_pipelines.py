# SPDX-License-Identifier: LGPL-2.1-or-later
"""`ice-session media` between real pipelines: VP8 and Opus of GStreamer, from one host to another, each behind a NAT."""

import os
import pathlib
import signal
import subprocess

import media
import pipelines
import png
import srtp
import wiretap
from lab import Lab
from recorder import Recorder
from testing import check, scenario

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "screen-share"
CLOSE = 6                       # of 255, on average: what VP8 leaves of lines
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
        recorder, tap, tour = Recorder(lab), wiretap.Wiretap(lab, "a"), media.Tour(lab)
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
    # On the channel, and after two moves.
    png.keep("media.png", beside(frames[0], frames[2]))
    for kind, packets in opened.items():
        types = {packet[1] & 127 for _, packet in packets if not srtp.is_rtcp(packet)}
        check(types == {96, 97}, f"payload types on {kind}: {types}")
    check(all(event["received_rtcp"] for event in last), f"no RTCP: {last}")
    check(not last[1]["dropped"]["no-way-out"], f"for no port: {last[1]}")
    times = receiver.frames.times
    gap = max(after - before for before, after in zip(times, times[1:]))
    return (f"{' '.join(journey.taken)}; {len(times)} frames, longest gap {1000 * gap:.0f} ms; {last[1]['lost']} packets lost "
            f"of {last[1]['received']}")


class Desktop:
    """A headless X server whose pixels can be read, with programs on it that move."""

    NUMBER = 7

    def __init__(self, lab, machine):
        os.makedirs("/tmp/.X11-unix", exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/tmp/.X11-unix"], check=True)
        self.display, self._folder = f":{self.NUMBER}", lab.make_folder(machine, "screen")
        reading, writing = os.pipe()
        lab.start(machine, "Xvfb", self.display, "-screen", "0", f"{pipelines.WIDTH}x{pipelines.HEIGHT}x24", "-fbdir", self._folder,
                  "-nolisten", "tcp", "-displayfd", str(writing), stdin=subprocess.DEVNULL, pass_fds=(writing,))
        os.close(writing)
        with os.fdopen(reading, "rb") as stream:
            check(stream.readline(), "Xvfb did not start")
        self._programs = [lab.start(machine, "env", f"DISPLAY={self.display}", *words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
                          for words in (("xclock", "-digital", "-update", "1", "-geometry", f"{pipelines.WIDTH}x40+0+0"),
                                        ("ico", "-sleep", "0.05", "-lw", "3", "-geometry", f"{pipelines.WIDTH}x200+0+40"))]

    def freeze(self):
        for each in self._programs:
            check(each.poll() is None, "a program on the desktop ended")
            each.send_signal(signal.SIGSTOP)

    def pixels(self):
        """Red, green and blue, from the file in which the server keeps its screen (XWD, version 7)."""
        with open(f"{self._folder}/Xvfb_screen0", "rb") as file:
            data = file.read()
        head, colours = int.from_bytes(data[:4], "big"), int.from_bytes(data[76:80], "big")
        raw = data[head + 12 * colours:][:4 * pipelines.WIDTH * pipelines.HEIGHT]
        pixels = bytearray(pipelines.FRAME)
        pixels[0::3], pixels[1::3], pixels[2::3] = raw[2::4], raw[1::4], raw[0::4]
        return bytes(pixels)


@scenario
def shared_screen():
    """examples/screen-share, one command a side, with a viewer whose picture is read."""
    with Lab(a="port-restricted", b="port-restricted") as lab:
        lab.start_server()
        desktop = Desktop(lab, "a")
        words = ("--no-port-mapping", "--events-fd", "{events}")
        share = lab.run_script("a", EXAMPLE, "share", *words, environment={"DISPLAY": desktop.display})
        view = lab.run_script("b", EXAMPLE, "view", *words, code=share.wait_for("code")["code"], stdout=subprocess.PIPE,
                              environment={"SCREEN_SHARE_SINK": "video/x-raw,format=RGB ! fdsink sync=false fd=1"})
        frames = pipelines.Blocks(view.popen.stdout, pipelines.FRAME)
        for process in (share, view):
            process.wait_for("path", kind="direct")
        first = frames.wait_more(5)
        frames.wait_for(lambda frame: pipelines.difference(frame, first) > 1, "something that moves")
        desktop.freeze()
        screen = desktop.pixels()
        frames.wait_for(lambda frame: pipelines.difference(frame, screen) < CLOSE, "the desktop as it is")
        view.signal(signal.SIGTERM)
        view.expect_exit(143)
        share.expect_exit(0, 143)
    png.keep("screen-share.png", beside(screen, frames.last))
    return f"{len(frames.times)} frames; the last differs by {pipelines.difference(frames.last, screen):.1f} of 255 from the screen"
