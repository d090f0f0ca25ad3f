# SPDX-License-Identifier: LGPL-2.1-or-later
"""On which thread things arrive, and that a busy application holds nothing up."""

import os
import threading
import time
import unittest

import session
from session import PATIENCE_S, Side, new_link, read, spin
from gi.repository import GLib, IceSession

SIGNALS = ("code", "path-changed", "notify", "incoming-stream", "datagram", "record", "closed")


def setUpModule():
    global url
    url = unittest.enterModuleContext(session.server())


class Worker:
    """A thread with a main context of its own, which is the default one there."""

    def __enter__(self):
        self.context = GLib.MainContext()
        self.loop = GLib.MainLoop(self.context)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.do(self.loop.quit)
        self.thread.join()

    def _run(self):
        self.context.push_thread_default()
        self.loop.run()
        self.context.pop_thread_default()

    def do(self, func):
        """func() there; what it returns."""
        done, results = threading.Event(), []

        def run():
            try:
                results.append(func())
            finally:
                done.set()
            return False

        self.context.invoke_full(GLib.PRIORITY_DEFAULT, run)
        if not done.wait(PATIENCE_S) or not results:
            raise AssertionError("the other thread did not do it")
        return results[0]


def note_threads(side):
    """Which signals came on which threads."""
    seen = set()
    for name in SIGNALS:
        side.link.connect(name, lambda *_, name=name: seen.add((name, threading.get_ident())))
    return seen


def tell(list):
    """A handler that appends its second argument to the list on the main thread, and wakes it."""
    return lambda _, value: GLib.idle_add(lambda: list.append(value))


class Contexts(unittest.TestCase):
    def test_everything_comes_to_the_creator(self):
        codes, ends = [], []
        with Worker() as worker:
            listener, joiner = worker.do(lambda: Side(new_link(url))), Side(new_link(url))
            there, here = note_threads(listener), note_threads(joiner)
            listener.link.connect("code", tell(codes))
            listener.link.connect("closed", tell(ends))
            worker.do(listener.start)
            spin(lambda: codes)
            joiner.start(codes[0])
            spin(lambda: joiner.connected)
            stream = joiner.link.open_stream()
            stream.get_output_stream().write_all(b"x")
            joiner.link.send_datagram(GLib.Bytes.new(b"x"))
            answers = []
            listener.link.connect("datagram", lambda link, payload: link.send_datagram(payload))
            joiner.link.connect("datagram", lambda *_: answers.append(True))

            def ask_again():
                joiner.link.send_datagram(GLib.Bytes.new(b"x"))
                return not answers

            GLib.timeout_add(100, ask_again)
            spin(lambda: answers and joiner.paths[-1].get_kind() == IceSession.PathKind.DIRECT)
            joiner.close()
            spin(lambda: ends)
            worker.do(lambda: listener.link.close_async(0))
            self.assertEqual(there, {(name, worker.thread.ident) for name in SIGNALS})
            self.assertEqual(here, {(name, threading.get_ident()) for name in SIGNALS if name not in ("code", "incoming-stream")})


def echo(stream):
    """On a thread of its own, until the peer has written all."""
    while block := stream.get_input_stream().read_bytes(65536).get_data():
        stream.get_output_stream().write_all(block)
    stream.get_output_stream().close()


class Blocked(unittest.TestCase):
    def test_a_blocked_main_loop_disturbs_nothing(self):
        """The listener's main loop stands still while the traffic moves to a direct path, and 2 MB go both ways on it. Its
        peer, on another thread, is the witness: it counts what it got back, and only then the main loop goes on."""
        data, got = os.urandom(2_000_000), []
        direct, finished = threading.Event(), threading.Event()
        listener = Side(new_link(url))
        codes, connected = [], []
        listener.link.connect("code", lambda _, code: codes.append(code))
        listener.start()
        spin(lambda: codes)

        def make_joiner():
            side = Side(new_link(url, policy=IceSession.PathPolicy.RELAY))
            side.link.connect("path-changed", lambda _, path: path.get_kind() == IceSession.PathKind.DIRECT and direct.set())
            side.link.connect("path-changed", lambda *_: GLib.idle_add(lambda: connected.append(True)))
            side.start(codes[0])
            return side

        with Worker() as worker:
            joiner = worker.do(make_joiner)
            spin(lambda: connected and listener.connected and listener.paths)
            stream = joiner.link.open_stream()
            stream.get_output_stream().write_all(b"x")
            spin(lambda: listener.streams)
            self.assertEqual(read(listener.streams[0], 1), b"x")

            def write():
                direct.wait(PATIENCE_S)
                stream.get_output_stream().write_all(data)
                stream.get_output_stream().close()

            def read_back():
                while block := stream.get_input_stream().read_bytes(65536).get_data():
                    got.append(block)
                finished.set()

            threads = [threading.Thread(target=work) for work in (write, read_back, lambda: echo(listener.streams[0]))]
            for thread in threads:
                thread.start()
            # From here on the main loop stands still.
            worker.do(lambda: joiner.link.set_policy(IceSession.PathPolicy.AUTO))
            time.sleep(1)       # this is what is tested, not a wait for something
            self.assertTrue(finished.wait(PATIENCE_S), "the traffic stood still, too")
            for _ in range(300):
                worker.do(lambda: joiner.link.send_datagram(GLib.Bytes.new(b"x")))
            self.assertEqual(listener.kinds(), [IceSession.PathKind.CHANNEL])
            self.assertEqual(listener.datagrams, [])
            # Now it goes on, and is told.
            self.assertEqual(b"".join(got), data)
            self.assertGreater(stream.get_received(IceSession.PathKind.DIRECT), 0)
            spin(lambda: listener.kinds()[-1] == IceSession.PathKind.DIRECT)
            worker.do(lambda: joiner.link.close_async(0))
            spin(lambda: listener.closed)
            self.assertIsNone(listener.error)
            listener.close()
            for thread in threads:
                thread.join()
        statistics = listener.link.get_statistics()
        self.assertEqual(len(listener.datagrams) + statistics.get_datagrams_missed(), statistics.get_datagrams_received())
        self.assertGreater(statistics.get_datagrams_received(), 0)
