# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real media: pipelines of GStreamer that send VP8 and Opus as RTP with its RTCP, and receive and decode them."""

import os
import subprocess
import threading
import time

from process import PATIENCE, Failure

WIDTH, HEIGHT, RATE = 320, 240, 15
FRAME = 3 * WIDTH * HEIGHT
SAMPLE, SAMPLES = 2, 48000      # bytes; a second
# The bars of the pattern "smpte" from left to right, red, green and blue.
BARS = ((255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255))
# A packet of it passes on every path (`ice-session help media`).
MTU = 1180
VIDEO = "application/x-rtp,media=video,clock-rate=90000,encoding-name=VP8,payload=96"
AUDIO = "application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,payload=97"


def _start(lab, machine, pipeline, **streams):
    """GStreamer looks at its plugins only once in a laboratory."""
    return lab.start(machine, "env", f"GST_REGISTRY={lab.folder('server')}/../plugins", "gst-launch-1.0", "-q", *pipeline.split(),
                     stdin=subprocess.DEVNULL, **streams)


def _rtcp(name, out, listen):
    return (f"{name}.send_rtcp_src_0 ! udpsink host=127.0.0.1 port={out} sync=false async=false "
            f"udpsrc address=127.0.0.1 port={listen} ! {name}.recv_rtcp_sink_0 ")


def start_sender(lab, machine, video, audio):
    """Of a test picture with the time in it, and a tone; video, audio: the ports that RTP goes to and RTCP comes from."""
    return _start(lab, machine, (
        f"rtpbin name=v videotestsrc is-live=true pattern=smpte ! video/x-raw,width={WIDTH},height={HEIGHT},framerate={RATE}/1 "
        f"! timeoverlay font-desc=Sans,28 ! vp8enc deadline=1 cpu-used=8 keyframe-max-dist={RATE} target-bitrate=400000 "
        f"! rtpvp8pay pt=96 mtu={MTU} ! v.send_rtp_sink_0 v.send_rtp_src_0 ! udpsink host=127.0.0.1 port={video[0]} "
        + _rtcp("v", video[0] + 1, video[1] + 1) +
        f"rtpbin name=a audiotestsrc is-live=true ! audio/x-raw,rate={SAMPLES},channels=1 ! opusenc "
        f"! rtpopuspay pt=97 mtu={MTU} ! a.send_rtp_sink_0 a.send_rtp_src_0 ! udpsink host=127.0.0.1 port={audio[0]} "
        + _rtcp("a", audio[0] + 1, audio[1] + 1)))


class Blocks:
    """Blocks of a stream, read as they come: frames, or pieces of sound."""

    def __init__(self, stream, size, counts=lambda block: True):
        self.times, self.last = [], None        # of those that count
        self._changed = threading.Condition()
        threading.Thread(target=self._read, args=(stream, size, counts), daemon=True).start()

    def _read(self, stream, size, counts):
        while len(block := stream.read(size)) == size:
            with self._changed:
                if counts(block):
                    self.times.append(time.monotonic())
                    self.last = block
                    self._changed.notify_all()

    def wait_for(self, predicate, what):
        """Until one is as wanted; returns it."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.last is not None and predicate(self.last), PATIENCE):
                raise Failure(f"did not come: {what}")
            return self.last

    def wait_more(self, count):
        with self._changed:
            begin = len(self.times)
        return self.wait_for(lambda _: len(self.times) >= begin + count, f"{count} more")


def is_loud(block):
    """The tone, not what stands for something that is missing."""
    return max(memoryview(block).cast("h")) > 8000


class Receiver:
    """The other end, which decodes; video, audio: the ports that RTCP goes to and RTP comes at."""

    def __init__(self, lab, machine, video, audio):
        pictures, sounds = os.pipe(), os.pipe()
        self.process = _start(lab, machine, (
            f"rtpbin name=v latency=100 udpsrc address=127.0.0.1 port={video[1]} caps={VIDEO} ! v.recv_rtp_sink_0 "
            f"v. ! rtpvp8depay ! vp8dec ! videoconvert ! video/x-raw,format=RGB ! fdsink sync=false fd={pictures[1]} "
            + _rtcp("v", video[0] + 1, video[1] + 1) +
            f"rtpbin name=a latency=100 udpsrc address=127.0.0.1 port={audio[1]} caps={AUDIO} ! a.recv_rtp_sink_0 "
            f"a. ! rtpopusdepay ! opusdec plc=false ! audioconvert ! audio/x-raw,format=S16LE,channels=1 ! fdsink sync=false fd={sounds[1]} "
            + _rtcp("a", audio[0] + 1, audio[1] + 1)), pass_fds=(pictures[1], sounds[1]))
        for _, writing in (pictures, sounds):
            os.close(writing)
        self.frames = Blocks(os.fdopen(pictures[0], "rb"), FRAME)
        self.sounds = Blocks(os.fdopen(sounds[0], "rb"), SAMPLES // 10 * SAMPLE, is_loud)

    def wait_more(self):
        """A second of frames, and half a second of sound. Returns the last frame."""
        self.sounds.wait_more(5)
        return self.frames.wait_more(RATE)


def difference(frame, other):
    """On average of all bytes; 0 to 255."""
    return sum(abs(x - y) for x, y in zip(frame, other)) / len(frame)


def average(frame, left, top, width, height):
    rows = [frame[3 * (WIDTH * y + left):3 * (WIDTH * y + left + width)] for y in range(top, top + height)]
    return tuple(sum(sum(row[colour::3]) for row in rows) / (width * height) for colour in range(3))


def wrong_bars(frame):
    """The bars that do not have their colour, as decoders may have it."""
    step = WIDTH // len(BARS)
    seen = [average(frame, step * number + step // 4, HEIGHT // 3, step // 2, HEIGHT // 8) for number in range(len(BARS))]
    return [(bar, colour) for bar, colour in zip(BARS, seen) if any(abs(x - y) > 40 for x, y in zip(bar, colour))]
