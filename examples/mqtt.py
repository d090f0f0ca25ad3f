#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A relayed channel of one's own, written in Python: two topics of an MQTT broker. It speaks with mqtt.c, where more is explained.

    one$  ./mqtt.py BROKER PORT                                             prints a code
    two$  ICE_SESSION_CODE=4711-cable-otter ./mqtt.py BROKER PORT

ICE_SESSION_TURN names a server that tells a host how it is seen: "stun:HOST" or "turn:USER:PASSWORD@HOST".
"""

import os
import random
import signal
import sys

import gi
import paho.mqtt.client as paho

gi.require_version("IceSession", "1.0")
from gi.repository import GLib, GObject, IceSession  # noqa: E402

CODE = os.environ.get("ICE_SESSION_CODE")
Kind, State, PathKind = IceSession.ChannelKind, IceSession.ChannelState, IceSession.PathKind
WINDOW = 128 * 1024             # bytes that the broker has not acknowledged
CONNECT = 10                    # seconds; paho tries for ever, people want to know
INBOUND_MAX = 1 << 20           # bytes that came while the application was busy
SIGNAL, DATA, HELLO, ANSWER, LOST, BYE = b"s", b"d", b"h", b"a", b"l", b"b"     # the first byte of each payload


class MqttChannel(GObject.Object, IceSession.Channel):
    """paho runs a thread of its own, which also reconnects. Its callbacks only post what happened to the main context."""

    def __init__(self, broker, port, room, listens):
        super().__init__()
        self.broker, self.port = broker, port
        self.own, self.peer = [f"ice-session/{room}/{role}" for role in (("listener", "joiner") if listens else ("joiner", "listener"))]
        self.state = State.CONNECTING
        self.unacknowledged, self.outstanding, self.inbound = {}, 0, 0
        self.client = paho.Client()
        self.client.on_connect = lambda client, data, flags, result: self.post(self.connected, result)
        self.client.on_subscribe = lambda client, data, number, granted: self.post(self.subscribed)
        self.client.on_disconnect = lambda client, data, result: self.post(self.disconnected)
        self.client.on_publish = lambda client, data, number: self.post(self.acknowledged, number)
        self.client.on_message = self.on_message

    @staticmethod
    def post(function, *arguments):
        GLib.idle_add(lambda: function(*arguments) and False, priority=GLib.PRIORITY_DEFAULT)

    # On the main context

    def set_state(self, state):
        if State.CLOSED != self.state != state:
            self.state = state
            self.emit_state_changed(state)

    def publish(self, kind, message=b""):
        info = self.client.publish(self.peer, kind + message, qos=1)
        if info.rc == paho.MQTT_ERR_SUCCESS:
            self.unacknowledged[info.mid] = len(message)
            self.outstanding += len(message)
        return info.rc == paho.MQTT_ERR_SUCCESS

    def fail(self, code, message):
        self.set_error(GLib.Error.new_literal(IceSession.Error.quark(), message, code))
        self.set_state(State.CLOSED)

    def out_of_time(self):
        if self.state == State.CONNECTING:
            self.fail(IceSession.Error.SERVER_UNREACHABLE, "the broker does not answer")
        return False

    def connected(self, result):
        if result == 0:
            self.client.subscribe(self.own, qos=1)
        else:
            self.fail(IceSession.Error.SERVER_REFUSED, paho.connack_string(result))

    def subscribed(self):
        self.set_state(State.WAITING)
        self.publish(HELLO)

    def disconnected(self):
        if self.state != State.CONNECTING:
            self.set_state(State.INTERRUPTED)

    def acknowledged(self, number):
        self.outstanding -= self.unacknowledged.pop(number, 0)
        self.emit_writable()

    def on_message(self, client, data, message):
        """In paho's thread. What would pile up is dropped, as the network might."""
        if 1 <= len(message.payload) <= IceSession.CHANNEL_DATA_MAX + 1 and self.inbound < INBOUND_MAX:
            self.inbound += len(message.payload)
            self.post(self.received, message.payload)

    def received(self, payload):
        self.inbound -= len(payload)
        kind, message = payload[:1], payload[1:]
        if kind in (SIGNAL, DATA) and self.state == State.OPEN:
            self.emit_message(Kind.SIGNAL if kind == SIGNAL else Kind.DATA, GLib.Bytes.new(message))
        elif kind == HELLO:
            self.publish(ANSWER)
            self.set_state(State.OPEN)
        elif kind == ANSWER:
            self.set_state(State.OPEN)
        elif kind == LOST:
            self.set_state(State.PEER_LOST)
        elif kind == BYE:
            self.set_state(State.CLOSED)

    # The interface

    def do_start(self):
        self.client.will_set(self.peer, LOST, qos=1)
        self.client.connect_async(self.broker, self.port, keepalive=15)
        self.client.loop_start()
        GLib.timeout_add_seconds(CONNECT, self.out_of_time)

    def do_send(self, kind, message):
        if self.state != State.OPEN or (kind == Kind.DATA and message.get_size() > self.do_get_writable()):
            return False
        return self.publish(SIGNAL if kind == Kind.SIGNAL else DATA, message.get_data())

    def do_get_writable(self):
        return max(WINDOW - self.outstanding, 0) if self.state == State.OPEN else 0

    def do_get_state(self):
        return self.state

    def do_get_addresses(self):
        return None, f"{self.broker}:{self.port}"

    def do_close(self):
        if self.state != State.CLOSED:
            self.publish(BYE)
        self.state = State.CLOSED
        self.client.disconnect()        # its thread ends by itself


class Host:
    def __init__(self, broker, port):
        self.loop, self.status = GLib.MainLoop(), 0
        room = IceSession.code_get_nameplate(CODE) if CODE else str(random.randrange(1000, 1000000))
        self.link = IceSession.Link(channel=MqttChannel(broker, port, room, not CODE), nameplate=None if CODE else room,
                                    application="mqtt/1", turn_uris=[uri] if (uri := os.environ.get("ICE_SESSION_TURN")) else None)
        self.link.connect("code", lambda link, code: print("code:", code, flush=True))
        self.link.connect("path-changed", self.on_path)
        self.link.connect("incoming-stream", lambda link, stream: self.greet(stream, "hello to you", False))
        self.link.connect("closed", lambda link, error: self.end(error))

    def run(self):
        self.link.connect_async(CODE, None, None)
        self.loop.run()
        return self.status

    def on_path(self, link, path):
        """The joiner greets over each path; the broker has done its part when an answer has come over the direct one."""
        kind = path.get_kind()
        print("path:", kind.value_nick, flush=True)
        if CODE:
            self.greet(link.open_stream(), f"hello, {kind.value_nick}", kind == PathKind.DIRECT)

    def greet(self, stream, words, last):
        def heard(source, result):
            try:
                print("heard:", source.read_bytes_finish(result).get_data().decode(errors="replace"), flush=True)
            except GLib.Error:
                pass                    # "closed" tells it
            stream.close()
            if last:
                self.end()
        stream.get_output_stream().write_all(words.encode())
        stream.get_input_stream().read_bytes_async(80, GLib.PRIORITY_DEFAULT, None, heard)

    def end(self, error=None):
        if error and not self.status:
            print(error.message, file=sys.stderr)
            self.status = 1
        self.link.close_async(1 if error else 0, error.message if error else None, None, lambda *_: self.loop.quit())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: mqtt.py BROKER PORT")
    try:
        host = Host(sys.argv[1], int(sys.argv[2]))
    except GLib.Error as error:
        sys.exit(error.message)
    for number in (signal.SIGINT, signal.SIGTERM):
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, host.end)
    sys.exit(host.run())
