# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pictures in files (PNG, ISO 15948)."""

import os
import struct
import zlib


def encode(width, height, pixels):
    """pixels: bytes red, green, blue."""
    row = 3 * width
    lines = b"".join(b"\0" + pixels[begin:begin + row] for begin in range(0, len(pixels), row))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines, 9)) + _chunk(b"IEND", b"")


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def keep(name, data):
    """Puts a picture beside the logs, if there are any."""
    folder = os.environ.get("ICS_LAB_LOGS")
    if folder:
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)
