#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sends everything back, or has it sent back. It speaks with echo.c, too.

    one$  ./echo.py                                        prints a code
    two$  date | ICE_SESSION_CODE=7-cable-otter ./echo.py

All of it is asynchronous, in GLib's main loop. async_echo.py does the same with asyncio.
"""

import os
import signal
import sys

import gi

gi.require_version("IceSession", "1.0")
from gi.repository import Gio, GLib, IceSession  # noqa: E402

CODE = os.environ.get("ICE_SESSION_CODE")
Splice = Gio.OutputStreamSpliceFlags


class Echo:
    def __init__(self):
        self.loop = GLib.MainLoop()
        self.link = IceSession.Link.new(os.environ.get("ICE_SESSION_SERVER"), "echo/1")
        self.link.connect("code", lambda link, code: print("code:", code, flush=True))
        self.link.connect("incoming-stream", self.on_stream)
        self.link.connect("closed", self.on_closed)
        self.status = 0

    def run(self):
        self.link.connect_async(CODE, None, self.on_connected)
        self.loop.run()
        return self.status

    def end(self, error=None):
        """Tells the other host, if the link has not ended yet, and waits until everything is given back."""
        if error and not self.status:
            print(error.message, file=sys.stderr)
            self.status = 1
        self.link.close_async(1 if error else 0, error.message if error else None, None, lambda *_: self.loop.quit())

    # The host that echoes

    def on_stream(self, link, stream):
        """GIO has the echo ready. That the output is closed at the end of the input tells the other host that no more comes."""
        def done(output, result):
            try:
                print(f"echoed {output.splice_finish(result)} bytes", flush=True)
            except GLib.Error as error:
                print("a stream broke:", error.message, file=sys.stderr)
            stream.get_id()     # and so the stream lives until here
        stream.get_output_stream().splice_async(stream.get_input_stream(), Splice.CLOSE_TARGET, GLib.PRIORITY_DEFAULT, None, done)

    # The host that sends

    def on_connected(self, link, result):
        try:
            link.connect_finish(result)
        except GLib.Error:
            return              # "closed" tells it
        if CODE:
            self.stream = link.open_stream()
            self.copying = 2
            self.copy(Gio.UnixInputStream.new(0, False), self.stream.get_output_stream(), Splice.CLOSE_TARGET)
            self.copy(self.stream.get_input_stream(), Gio.UnixOutputStream.new(1, False), Splice.NONE)

    def copy(self, source, target, flags):
        def done(output, result):
            self.copying -= 1
            try:
                output.splice_finish(result)
            except GLib.Error as error:
                self.end(error)
            else:
                # Everything has come back, so nothing is under way any more that closing could lose.
                if not self.copying:
                    self.end()
        target.splice_async(source, flags, GLib.PRIORITY_DEFAULT, None, done)

    def on_closed(self, link, error):
        """The link is over, or did not even come about; error is None when one of the two hosts has closed it with 0."""
        self.end(error)


if __name__ == "__main__":
    echo = Echo()
    for number in (signal.SIGINT, signal.SIGTERM):
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, echo.end)
    sys.exit(echo.run())
