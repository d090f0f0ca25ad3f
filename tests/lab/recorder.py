# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine in the middle that carries WebSocket connections (RFC 6455) to the server, and writes down all that it sees."""

import base64
import socket
import threading

import topology
from lab import RENDEZVOUS_PORT
from process import PATIENCE, Failure

PORT = 8443
DATA = b"\1"


class Recorder:
    """Runs beside the server, on a port of its own."""

    def __init__(self, lab):
        self._lab = lab
        self._streams = []      # (who speaks, bytearray)
        self._listener = lab.socket("server", kind=socket.SOCK_STREAM)
        self._listener.bind((topology.SERVER, PORT))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"ws://{topology.SERVER}:{PORT}"

    def _accept(self):
        while True:
            client, _ = self._listener.accept()
            server = self._lab.socket("server", kind=socket.SOCK_STREAM)
            server.settimeout(PATIENCE)
            server.connect((topology.SERVER, RENDEZVOUS_PORT))
            server.settimeout(None)
            for who, source, sink in (("client", client, server), ("server", server, client)):
                record = bytearray()
                self._streams.append((who, record))
                threading.Thread(target=self._carry, args=(source, sink, record), daemon=True).start()

    @staticmethod
    def _carry(source, sink, record):
        try:
            while data := source.recv(65536):
                record += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass    # one side is gone, and will not be heard of again

    def seen(self, who=None):
        """The contents of all messages, heads included, unmasked; a list of one entry a connection and direction."""
        return [b"".join(unwrap(bytes(record))) for speaker, record in self._streams if who in (None, speaker)]

    def datagrams(self, who):
        """Those that data messages carried (docs/protocol.md), in the order of each connection."""
        for speaker, record in self._streams:
            for message in unwrap(bytes(record))[1:] if speaker == who else ():
                yield from datagrams_in(message) if message[:1] == DATA else ()

    def finds(self, what):
        """Whether these bytes crossed, as they are, in hexadecimal digits or in base64."""
        forms = [what, what.hex().encode(), what.hex().upper().encode()]
        for shift in range(3):
            text = base64.b64encode(bytes(shift) + what)
            forms.append(text[(shift * 8 + 5) // 6:(shift + len(what)) * 8 // 6])
        return any(form in stream for stream in self.seen() for form in forms)


def unwrap(stream):
    """The HTTP head, and each message."""
    head, separator, rest = stream.partition(b"\r\n\r\n")
    if not separator:
        raise Failure(f"no HTTP head: {stream[:100]}")
    found, position = [head], 0
    while position + 2 <= len(rest):
        length, mask = rest[position + 1] & 127, bytes(4)
        is_masked, position = rest[position + 1] & 128, position + 2
        if length >= 126:
            size = 2 if length == 126 else 8
            length, position = int.from_bytes(rest[position:position + size], "big"), position + size
        if is_masked:
            mask, position = rest[position:position + 4], position + 4
        payload = rest[position:position + length]
        position += length
        key = (mask * (len(payload) // 4 + 1))[:len(payload)]
        found.append((int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(len(payload), "big"))
    return found


def datagrams_in(message):
    """Behind the type byte each has its length before it."""
    at = 1
    while at + 2 <= len(message):
        length = int.from_bytes(message[at:at + 2], "big")
        yield message[at + 2:at + 2 + length]
        at += 2 + length
