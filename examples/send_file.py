#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sends one file. It speaks with send-file.c, too.

    one$  ./send_file.py holiday.mp4                                        prints a code
    two$  ICE_SESSION_CODE=7-cable-otter ./send_file.py holiday.mp4

The sender writes the file into a stream and closes its half. The receiver answers with the SHA-256 of what it has stored, and the
sender compares. Both do that with blocking calls in a thread of their own; the main thread keeps the link's signals.
"""

import hashlib
import os
import sys
import threading

import gi

gi.require_version("IceSession", "1.0")
from gi.repository import GLib, IceSession  # noqa: E402

BLOCK = 1 << 16
CODE = os.environ.get("ICE_SESSION_CODE")


def send(stream, name):
    """In the thread. Exceptions tell what went wrong."""
    digest, output = hashlib.sha256(), stream.get_output_stream()
    with open(name, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            output.write_all(block)     # waits while the other host takes no more
    output.close()                      # this is how the receiver learns that the file is complete
    stored = stream.get_input_stream().read_bytes(64).get_data().decode()
    if stored != digest.hexdigest():
        raise ValueError("the receiver has stored something else")


def receive(stream, name):
    """In the thread. Nothing is stored under the file's name before all of it is there."""
    digest, stored, part = hashlib.sha256(), stream.get_input_stream(), name + ".part"
    try:
        with open(part, "wb") as file:
            while block := stored.read_bytes(BLOCK).get_data():
                digest.update(block)
                file.write(block)
        os.rename(part, name)
    except BaseException:
        os.remove(part)
        raise
    output = stream.get_output_stream()
    output.write_all(digest.hexdigest().encode())
    output.close()


class Transfer:
    def __init__(self, name):
        self.name, self.status, self.thread = name, 0, None
        self.loop = GLib.MainLoop()
        self.link = IceSession.Link.new(os.environ.get("ICE_SESSION_SERVER"), "send-file/1")
        self.link.connect("code", lambda link, code: print("code:", code, flush=True))
        self.link.connect("incoming-stream", lambda link, stream: self.start(receive, stream))
        self.link.connect("closed", lambda link, error: self.end(error))

    def run(self):
        self.link.connect_async(CODE, None, self.on_connected)
        try:
            self.loop.run()
        except KeyboardInterrupt:
            self.end(InterruptedError("interrupted"))
            self.loop.run()
        if self.thread:
            self.thread.join()          # what it waited for has failed by now, if it was not done
        return self.status

    def on_connected(self, link, result):
        try:
            link.connect_finish(result)
        except GLib.Error:
            return                      # "closed" tells it
        if not CODE:
            self.start(send, link.open_stream())

    def start(self, work, stream):
        def body():
            try:
                work(stream, self.name)
                GLib.idle_add(self.done, stream, None)
            except (GLib.Error, OSError, ValueError) as error:
                GLib.idle_add(self.done, stream, error)
        if self.thread:
            stream.reset(1)             # one file is enough
            return
        self.thread = threading.Thread(target=body)
        self.thread.start()

    def done(self, stream, error):
        """In the main thread again. The sender has the answer, and so knows that all arrived: it closes. The receiver waits for that."""
        count = stream.get_received if CODE else stream.get_sent
        for kind in (IceSession.PathKind.CHANNEL, IceSession.PathKind.TURN, IceSession.PathKind.DIRECT):
            print(f"{kind.value_nick}: {count(kind)} bytes", flush=True)
        if error or not CODE:
            self.end(error)

    def end(self, error=None):
        if error and not self.status:
            print(error, file=sys.stderr)
            self.status = 1
        self.link.close_async(1 if error else 0, str(error) if error else None, None, lambda *_: self.loop.quit())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: send_file.py FILE")
    sys.exit(Transfer(sys.argv[1]).run())
