# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests share: a server on loopback, two links in one process, waiting."""

import contextlib
import os
import subprocess
import json

import gi

gi.require_version("IceSession", "1.0")
from gi.repository import Gio, GLib, IceSession  # noqa: E402

PREFIX = os.environ["ICS_TEST_PREFIX"]
PATIENCE_S = 60                 # ends a wait that would never end; nothing is judged by it


def spin(predicate, context=None):
    """Run the main context until predicate() is true, and return what it returned."""
    context = context or GLib.MainContext.default()
    limit = GLib.timeout_source_new_seconds(PATIENCE_S)
    late = []
    limit.set_callback(lambda *_: late.append(True))
    limit.attach(context)
    try:
        while not (found := predicate()):
            if late:
                raise AssertionError("what the test waits for did not happen")
            context.iteration(True)
        return found
    finally:
        limit.destroy()


def call(start, finish, context=None):
    """start(callback), and what finish(result) says."""
    results = []
    start(lambda source, result, *_: results.append(result))
    spin(lambda: results, context)
    return finish(results[0])


@contextlib.contextmanager
def server():
    """The URL of a rendezvous server, without TURN."""
    program = os.path.join(PREFIX, "bin", "ice-session")
    with subprocess.Popen([program, "server", "--listen", "127.0.0.1:0", "--turn", "none", "--json"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as process:
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


def new_link(url, **properties):
    """The router of the network that the tests run in is not to be asked for anything."""
    return IceSession.Link(**{"server_uri": url, "application": "test/1", "port_mapping": False} | properties)


class Side:
    """A link, and what it said."""

    def __init__(self, link):
        self.link = link
        self.connected, self.connect_error, self.error, self.closed = False, None, None, False
        self.paths, self.notified, self.streams, self.datagrams, self.records = [], [], [], [], []
        link.connect("path-changed", lambda _, path: self.paths.append(path))
        link.connect("notify", lambda link, pspec: self.notified.append((pspec.name, link.get_property(pspec.name))))
        link.connect("incoming-stream", lambda _, stream: self.streams.append(stream))
        link.connect("datagram", lambda _, payload: self.datagrams.append(payload.get_data()))
        link.connect("record", lambda _, line: self.records.append(line))
        link.connect("closed", self._on_closed)

    def _on_closed(self, _, error):
        self.closed, self.error = True, error

    def start(self, code=None, cancellable=None):
        self.link.connect_async(code, cancellable, self._on_connected)

    def _on_connected(self, link, result):
        try:
            self.connected = link.connect_finish(result)
        except GLib.Error as error:
            self.connect_error = error

    def kinds(self):
        return [path.get_kind() for path in self.paths]

    def close(self, code=0, reason=None):
        return call(lambda done: self.link.close_async(code, reason, None, done), self.link.close_finish)


class Pair:
    """A listener and a joiner; `with` connects them, and closes them at the end."""

    def __init__(self, url, **properties):
        self.listener, self.joiner = (Side(new_link(url, **properties)) for _ in range(2))

    def __iter__(self):
        return iter((self.listener, self.joiner))

    def __enter__(self):
        self.listener.link.connect("code", lambda _, code: self.joiner.start(code))
        self.listener.start()
        spin(lambda: self.listener.connected and self.joiner.connected)
        return self

    def __exit__(self, *_):
        for side in self:
            side.close()

    def wait_direct(self):
        spin(lambda: all(side.paths and side.kinds()[-1] == IceSession.PathKind.DIRECT for side in self))

    def open(self):
        """A stream of the joiner's, and the same at the listener, who sees it when something was written to it."""
        stream = self.joiner.link.open_stream()
        stream.get_output_stream().write_all(b"x")
        spin(lambda: self.listener.streams)
        read(self.listener.streams[0], 1)
        return stream, self.listener.streams.pop(0)


def read(stream, most):
    """What there is, when there is something, without blocking the main context; b"" at the end."""
    source = stream.get_input_stream()
    return call(lambda done: source.read_bytes_async(most, GLib.PRIORITY_DEFAULT, None, done), source.read_bytes_finish).get_data()


def read_all(stream):
    data = b""
    while block := read(stream, 65536):
        data += block
    return data


def is_error(error, code):
    return error is not None and error.matches(IceSession.Error.quark(), code)


def is_cancelled(error):
    return error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED)
