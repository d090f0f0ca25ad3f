# SPDX-License-Identifier: LGPL-2.1-or-later
"""A tap between a side's outermost router and the internet: it writes down the UDP that passes, and puts in what it is given."""

import socket
import struct
import threading
import time

import topology

ETH_P_ALL, ETH_P_IP = 3, 0x0800
SO_RCVBUFFORCE = 33
TURN_PORT = 3478
BUFFER = 64 << 20
STUN_COOKIE = b"\x21\x12\xa4\x42"
SEND_INDICATION, DATA_INDICATION, DATA = 0x0016, 0x0017, 0x0013     # RFC 8656 §18


class Wiretap:
    def __init__(self, lab, side):
        self._lab, self.datagrams = lab, []         # (when, (address, port), (address, port), payload)
        interface = f"to-{side}"
        self._tap = lab.socket("internet", socket.AF_PACKET, socket.SOCK_DGRAM)
        self._tap.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        self._tap.bind((interface, ETH_P_ALL))      # what is sent as well
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            packet, address = self._tap.recvfrom(65535)
            if address[1] == ETH_P_IP and packet[9] == socket.IPPROTO_UDP:
                self.datagrams.append((time.monotonic(), *_parse(packet)))

    def inject(self, source, destination, payload):
        """A datagram that seems to come from `source`, put into the internet."""
        udp = struct.pack(">HHHH", source[1], destination[1], 8 + len(payload), 0) + payload
        header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0,
                             socket.inet_aton(source[0]), socket.inet_aton(destination[0]))
        with self._lab.socket("internet", socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as out:
            out.sendto(header + udp, (destination[0], 0))


def _parse(packet):
    head = 4 * (packet[0] & 15)
    source, destination, length = struct.unpack(">HHH", packet[head:head + 6])
    return ((socket.inet_ntoa(packet[12:16]), source), (socket.inet_ntoa(packet[16:20]), destination),
            packet[head + 8:head + length])


def is_media(datagram):
    """RFC 9443 §3"""
    return len(datagram) > 0 and 128 <= datagram[0] <= 191


def unwrap_turn(payload):
    """What ChannelData, or a Send or Data indication carries (RFC 8656 §11, §12); None if it is neither."""
    kind, length = struct.unpack(">HH", payload[:4])
    if 0x4000 <= kind <= 0x4fff:
        return payload[4:4 + length]
    if kind not in (SEND_INDICATION, DATA_INDICATION) or payload[4:8] != STUN_COOKIE:
        return None
    at = 20
    while at + 4 <= len(payload):
        attribute, size = struct.unpack(">HH", payload[at:at + 4])
        if attribute == DATA:
            return payload[at + 4:at + 4 + size]
        at += 4 + (size + 3 & ~3)
    return None


def media_in(datagrams):
    """(when, kind of path, source, destination, packet) of all SRTP and SRTCP packets among these. A relayed one is in a frame only
    between its client and the server's port."""
    for when, source, destination, payload in datagrams:
        relayed = topology.SERVER in (source[0], destination[0])
        framed = (topology.SERVER, TURN_PORT) in (source, destination) and len(payload) >= 4
        inner = unwrap_turn(payload) if framed else payload
        if inner is not None and is_media(inner):
            yield when, "turn" if relayed else "direct", source, destination, inner
