# SPDX-License-Identifier: LGPL-2.1-or-later
"""A channel written in Python carries a whole link."""

import gc
import os
import socket
import struct
import unittest
import weakref

from session import Side, is_error, new_link, read_all, spin
from gi.repository import GLib, GObject, IceSession

HEAD = struct.Struct("!BI")
QUEUE_MAX = 100_000             # small, so that it is full at times


class SocketChannel(GObject.Object, IceSession.Channel):
    """Messages over a stream socket: each with its kind and length in front."""

    def __init__(self, end):
        super().__init__()
        self.end, self.state = end, IceSession.ChannelState.CONNECTING
        self.inbox, self.outbox, self.refused, self.starts = b"", b"", 0, 0
        self.sources = {}
        end.setblocking(False)

    def do_start(self):
        self.starts += 1
        self.set_state(IceSession.ChannelState.WAITING)
        self.outbox += b"!"                     # here I am
        self.watch(GLib.IO_IN, self.on_readable)
        self.watch(GLib.IO_OUT, self.on_writable)

    def do_send(self, kind, message):
        if kind == IceSession.ChannelKind.DATA and len(self.outbox) > QUEUE_MAX:
            self.refused += 1
            return False
        self.outbox += HEAD.pack(kind, message.get_size()) + message.get_data()
        self.watch(GLib.IO_OUT, self.on_writable)
        return True

    def do_get_state(self):
        return self.state

    def do_get_addresses(self):
        return "here:1", "relay:2"

    def do_close(self):
        self.fail(None)

    def fail(self, error):
        if self.state == IceSession.ChannelState.CLOSED:
            return
        for source in self.sources.values():
            GLib.source_remove(source)
        self.sources = {GLib.IO_IN: None, GLib.IO_OUT: None}    # nothing is watched any more
        self.end.close()
        if error:
            self.set_error(error)
        self.set_state(IceSession.ChannelState.CLOSED)

    def set_state(self, state):
        self.state = state
        self.emit_state_changed(state)

    def watch(self, condition, handler):
        if condition not in self.sources:
            self.sources[condition] = GLib.io_add_watch(self.end.fileno(), GLib.PRIORITY_DEFAULT, condition | GLib.IO_HUP, handler)

    def on_readable(self, *_):
        try:
            block = self.end.recv(65536)
        except OSError:                         # the other end left without having read all
            block = b""
        if not block:
            self.fail(None)
            return False
        self.inbox += block
        if self.state == IceSession.ChannelState.WAITING:
            self.inbox = self.inbox[1:]
            self.set_state(IceSession.ChannelState.OPEN)
        while len(self.inbox) >= HEAD.size and self.state == IceSession.ChannelState.OPEN:
            kind, length = HEAD.unpack_from(self.inbox)
            if len(self.inbox) < HEAD.size + length:
                break
            message, self.inbox = self.inbox[HEAD.size:HEAD.size + length], self.inbox[HEAD.size + length:]
            self.emit_message(IceSession.ChannelKind(kind), GLib.Bytes.new(message))
        return self.state != IceSession.ChannelState.CLOSED

    def on_writable(self, *_):
        try:
            self.outbox = self.outbox[self.end.send(self.outbox):]
        except OSError:
            self.outbox = b""
        if self.refused and len(self.outbox) <= QUEUE_MAX:
            self.emit_writable()
        if self.state == IceSession.ChannelState.CLOSED:
            return False
        if self.outbox:
            return True
        del self.sources[GLib.IO_OUT]
        return False


def new_sides(**properties):
    channels = [SocketChannel(end) for end in socket.socketpair()]
    return channels, [Side(new_link(None, channel=channel, **properties)) for channel in channels]


def connect(sides):
    listener, joiner = sides
    listener.link.connect("code", lambda _, code: joiner.start(code))
    listener.start()
    spin(lambda: listener.connected and joiner.connected)


class Channel(unittest.TestCase):
    def test_it_carries_a_link(self):
        channels, sides = new_sides(policy=IceSession.PathPolicy.RELAY, nameplate="4711")
        connect(sides)
        listener, joiner = sides
        self.assertEqual(IceSession.code_get_nameplate(listener.link.get_code()), "4711")
        stream = joiner.link.open_stream()
        data = os.urandom(2_000_000)
        output = stream.get_output_stream()
        output.write_all_async(data, GLib.PRIORITY_DEFAULT, None, lambda *_: output.close_async(GLib.PRIORITY_DEFAULT))
        spin(lambda: listener.streams)
        self.assertEqual(read_all(listener.streams[0]), data)
        self.assertTrue(joiner.link.send_datagram(GLib.Bytes.new(b"datagram")))
        spin(lambda: listener.datagrams)
        for side in sides:
            spin(lambda: side.paths)            # the first one comes right after the connection
            self.assertEqual(side.kinds(), [IceSession.PathKind.CHANNEL])
            self.assertEqual((side.paths[0].get_local(), side.paths[0].get_remote()), ("here:1", "relay:2"))
            self.assertIn("relay", side.link.get_why_not_direct() or "relay")
        self.assertGreater(joiner.link.get_statistics().get_sent(IceSession.PathKind.CHANNEL), len(data))
        self.assertEqual([channel.starts for channel in channels], [1, 1])
        self.assertGreater(channels[1].refused, 0, "the queue was never full")
        joiner.close()
        spin(lambda: listener.closed)
        self.assertIsNone(listener.error)
        listener.close()
        self.assertEqual([channel.state for channel in channels], [IceSession.ChannelState.CLOSED] * 2)

    def test_from_it_to_a_direct_path(self):
        _, sides = new_sides()
        connect(sides)
        spin(lambda: all(side.paths and side.kinds()[-1] == IceSession.PathKind.DIRECT for side in sides))
        for side in sides:
            side.close()

    def test_its_error_is_the_links(self):
        channels, sides = new_sides()
        channels[0].connect("state-changed", lambda channel, state: state == IceSession.ChannelState.WAITING and channel.fail(
            GLib.Error.new_literal(IceSession.Error.quark(), "the broker is gone", IceSession.Error.SERVER_UNREACHABLE)))
        sides[0].start()
        spin(lambda: sides[0].closed)
        self.assertTrue(is_error(sides[0].error, IceSession.Error.SERVER_UNREACHABLE), sides[0].error)
        self.assertEqual(sides[0].error.message, "the broker is gone")
        self.assertEqual(channels[0].get_error().message, "the broker is gone")
        sides[0].close()

    def test_what_has_a_default(self):
        class Least(GObject.Object, IceSession.Channel):
            pass

        least = Least()
        self.assertIsNone(least.get_error())
        self.assertEqual(least.get_addresses(), (None, None))
        self.assertGreater(least.get_writable(), 2**31)

    def test_nothing_is_left_after_the_end(self):
        """A channel that knows its link: the link lets go of it at the end, for that cycle goes through C."""
        channels, sides = new_sides()
        for channel, side in zip(channels, sides):
            channel.link = side.link
        connect(sides)
        for side in sides:
            side.close()
        references = [weakref.ref(thing) for thing in (*channels, *(side.link for side in sides))]
        del channels, sides, channel, side
        while GLib.MainContext.default().iteration(False):
            pass
        gc.collect()
        self.assertEqual([reference() for reference in references], [None] * 4)
