# SPDX-License-Identifier: LGPL-2.1-or-later
"""What ice-session was made for: a desktop of another host, looked at through `forward`, while the paths change below it."""

import os
import signal
import socket
import subprocess

import png
import rfb
import topology
from journey import Journey
from lab import Lab
from process import PATIENCE, Failure
from testing import check, scenario

WIDTH, HEIGHT = 400, 300
DESKTOP_DISPLAY, VIEWER_DISPLAY = 1, 2
FIRST_PORT = 5900               # RFC 6143 §3
LOCAL = 5950
UPDATES = 20                    # to see on each path


class Programs:
    """Programs with displays, on the machines of a laboratory."""

    def __init__(self, lab):
        self._lab = lab
        os.makedirs("/tmp/.X11-unix", exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/tmp/.X11-unix"], check=True)

    def start(self, machine, display, *words, **streams):
        return self._lab.start(machine, "env", f"DISPLAY=:{display}", *words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               **streams)

    def start_screen(self, machine, display, width, height):
        """A headless X server that can be looked at by RFB. It writes its number when it is ready, if told where."""
        reading, writing = os.pipe()
        self.start(machine, display, "Xvnc", f":{display}", "-geometry", f"{width}x{height}", "-depth", "24",
                   "-SecurityTypes", "None", "-localhost", "-rfbport", str(FIRST_PORT + display), "-AlwaysShared",
                   "-displayfd", str(writing), pass_fds=(writing,))
        os.close(writing)
        with os.fdopen(reading, "rb") as stream:
            if not stream.readline():
                raise Failure(f"Xvnc on {machine} did not start")

    def look(self, machine, port):
        """A recorder of our own; the connection is made on the machine itself."""
        made = self._lab.socket(machine, kind=socket.SOCK_STREAM)
        made.settimeout(PATIENCE)
        made.connect(("127.0.0.1", port))
        return rfb.Desktop(made)


@scenario
def live_desktop_through_forward():
    """channel -> turn -> direct -> turn -> direct, with an animation running; the viewer notices nothing."""
    with Lab(a="port-restricted", b="port-restricted") as lab:
        lab.start_server()
        programs = Programs(lab)
        programs.start_screen("a", DESKTOP_DISPLAY, WIDTH, HEIGHT)
        programs.start_screen("b", VIEWER_DISPLAY, WIDTH, HEIGHT)
        clients = [programs.start("a", DESKTOP_DISPLAY, *words) for words in (
            ("xclock", "-digital", "-update", "1", "-geometry", f"{WIDTH}x40+0+0"),
            ("ico", "-sleep", "0.03", "-lw", "2", "-geometry", f"{WIDTH}x{HEIGHT - 40}+0+40"))]
        lab.block_udp("a", topology.SERVER)
        serve = lab.run("a", "forward", "serve", f"desktop=127.0.0.1:{FIRST_PORT + DESKTOP_DISPLAY}")
        client = lab.run("b", "forward", "connect", "-L", f"{LOCAL}:desktop", code=serve.wait_for("code")["code"])
        client.wait_for("forwarding")
        journey = Journey(serve, client)
        viewer = programs.start("b", VIEWER_DISPLAY, "xtigervncviewer", "-Shared", "-FullScreen", "-NoJPEG", "-SecurityTypes", "None",
                                "-AlertOnFatalError=0", "-ReconnectOnError=0", f"127.0.0.1::{LOCAL}")
        recorder = programs.look("b", LOCAL)
        window = programs.look("b", FIRST_PORT + VIEWER_DISPLAY)

        def watch(kind):
            journey.wait(kind)
            recorder.wait_updates(UPDATES)
            before = window.pixels()
            window.wait_updates(UPDATES)
            check(viewer.poll() is None, f"the viewer left with status {viewer.returncode}")
            check(window.pixels() != before, f"the viewer's window stands still on {kind}")

        watch("channel")
        watch("turn")
        lab.restore("a")
        watch("direct")
        lab.block_udp("a", topology.SERVER)
        watch("turn")
        lab.restore("a")
        watch("direct")
        check(all(each.poll() is None for each in clients), "a program on the desktop ended")
        png.keep("desktop.png", window.png())
        gap, updates = recorder.longest_gap()
        # All that was sent made the right picture, for the recorder and for the real viewer.
        for each in clients:
            each.send_signal(signal.SIGSTOP)
        desktop = programs.look("a", FIRST_PORT + DESKTOP_DISPLAY)
        recorder.wait_same(desktop)
        window.wait_same(desktop)
        client.signal(15)
        client.expect_exit(0, 143)
    return f"{' '.join(journey.taken)}; {updates} updates, longest gap {gap * 1000:.0f} ms"
