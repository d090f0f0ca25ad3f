# SPDX-License-Identifier: LGPL-2.1-or-later
"""One who looks at a desktop by RFB 3.8 (RFC 6143), checks all that it is sent, and knows when each update came."""

import struct
import threading
import time
import zlib

import png
from process import PATIENCE, Failure

RAW, COPY_RECT, ZRLE, CURSOR = 0, 1, 16, -239
TILE = 64                       # RFC 6143 §7.7.6
_FORMAT = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)     # little-endian: bytes blue, green, red, 0


class Malformed(Failure):
    """The bytes that came are not what RFC 6143 allows."""


class Cursor:
    """Bytes, taken from the front; more than there are is an error."""

    def __init__(self, data):
        self._data, self._at = data, 0

    def take(self, count):
        if count > len(self._data) - self._at:
            raise Malformed(f"{count} bytes wanted, {len(self._data) - self._at} left")
        self._at += count
        return self._data[self._at - count:self._at]

    def byte(self):
        return self.take(1)[0]

    def end(self):
        if self._at != len(self._data):
            raise Malformed(f"{len(self._data) - self._at} bytes too many")


class Desktop:
    """A connection to an RFB server without authentication. A thread asks for updates and decodes them, for ever."""

    def __init__(self, connection):
        connection.settimeout(PATIENCE)
        self._connection, self._stream = connection, connection.makefile("rb")
        self._inflate = zlib.decompressobj()
        self.times, self._error = [], None
        self._changed = threading.Condition()
        self.width, self.height = self._greet()
        self._pixels = bytearray(3 * self.width * self.height)
        threading.Thread(target=self._watch, daemon=True).start()

    # The connection

    def _read(self, count):
        data = self._stream.read(count)
        if len(data) < count:
            raise Malformed("the connection ended")
        return data

    def _unpack(self, form):
        return struct.unpack(form, self._read(struct.calcsize(form)))

    def _greet(self):
        if self._read(12)[:8] != b"RFB 003.":
            raise Malformed("not an RFB server")
        self._connection.sendall(b"RFB 003.008\n")
        if 1 not in self._read(self._read(1)[0]):
            raise Malformed("no security type None")
        self._connection.sendall(b"\1")
        if self._unpack(">I") != (0,):
            raise Malformed("refused")
        self._connection.sendall(b"\1")         # shared: the real viewer stays
        width, height = self._unpack(">HH")
        self._read(16 + self._unpack(">16xI")[0] - 16)
        self._connection.sendall(b"\0\0\0\0" + _FORMAT + struct.pack(">BxHiiii", 2, 4, ZRLE, COPY_RECT, RAW, CURSOR))
        return width, height

    def _ask(self, incremental):
        self._connection.sendall(struct.pack(">BBHHHH", 3, incremental, 0, 0, self.width, self.height))

    def _watch(self):
        try:
            self._ask(False)
            while True:
                self._message(self._read(1)[0])
        except (OSError, Failure, zlib.error) as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _message(self, kind):
        if kind == 0:
            self._ask(True)
            for _ in range(self._unpack(">xH")[0]):
                self._rectangle(*self._unpack(">HHHHi"))
            with self._changed:
                self.times.append(time.monotonic())
                self._changed.notify_all()
        elif kind == 3:
            self._read(self._unpack(">3xI")[0])
        elif kind != 2:
            raise Malformed(f"message type {kind}")

    # Rectangles (RFC 6143 §7.7)

    def _rectangle(self, x, y, width, height, encoding):
        if encoding == CURSOR:      # so that none is drawn into the screen: x and y are its hot spot
            self._read(4 * width * height + (width + 7) // 8 * height)
            return
        if x + width > self.width or y + height > self.height:
            raise Malformed(f"a rectangle {width} x {height} at {x}, {y} on a screen of {self.width} x {self.height}")
        if encoding == RAW:
            self._put(x, y, width, height, _drop_padding(self._read(4 * width * height)))
        elif encoding == COPY_RECT:
            self._put(x, y, width, height, self._get(*self._unpack(">HH"), width, height))
        elif encoding == ZRLE:
            self._zrle(x, y, width, height)
        else:
            raise Malformed(f"encoding {encoding}, which was not offered")

    def _put(self, x, y, width, height, pixels):
        with self._changed:
            for row in range(height):
                begin = 3 * ((y + row) * self.width + x)
                self._pixels[begin:begin + 3 * width] = pixels[3 * width * row:3 * width * (row + 1)]

    def _get(self, x, y, width, height):
        if x + width > self.width or y + height > self.height:
            raise Malformed("a copy from outside the screen")
        begins = [3 * ((y + row) * self.width + x) for row in range(height)]
        return b"".join(bytes(self._pixels[begin:begin + 3 * width]) for begin in begins)

    def _zrle(self, x, y, width, height):
        """RFC 6143 §7.7.6: one zlib stream through the whole connection, so one wrong byte spoils all that follows."""
        cursor = Cursor(self._inflate.decompress(self._read(self._unpack(">I")[0])))
        for top in range(0, height, TILE):
            for left in range(0, width, TILE):
                size = min(TILE, width - left), min(TILE, height - top)
                self._put(x + left, y + top, *size, _zrle_tile(cursor, *size))
        cursor.end()

    # What a scenario asks

    def wait_updates(self, count):
        """Until so many more updates have come."""
        with self._changed:
            goal = len(self.times) + count
            while len(self.times) < goal:
                before = len(self.times)
                self._changed.wait_for(lambda: len(self.times) != before or self._error, PATIENCE)
                if self._error:
                    raise Failure(f"after {len(self.times)} updates: {self._error}")
                if len(self.times) == before:
                    raise Failure(f"no update after {before} of them")

    def pixels(self):
        """The screen as it was sent so far: rows of red, green, blue."""
        with self._changed:
            if self._error:
                raise Failure(f"after {len(self.times)} updates: {self._error}")
            blue_first = bytes(self._pixels)
        result = bytearray(blue_first)
        result[0::3], result[2::3] = blue_first[2::3], blue_first[0::3]
        return bytes(result)

    def wait_same(self, other):
        """Until both show the same. What they show has to come to rest."""
        limit = time.monotonic() + PATIENCE
        while self.pixels() != other.pixels():
            with self._changed:
                self._changed.wait(0.1)
            if time.monotonic() > limit:
                raise Failure("two screens that should be the same are not")

    def longest_gap(self):
        """Seconds between two updates, and the number of updates."""
        return max(later - earlier for earlier, later in zip(self.times, self.times[1:])), len(self.times)

    def png(self):
        """The screen as a picture."""
        return png.encode(self.width, self.height, self.pixels())


def _drop_padding(pixels):
    result = bytearray(len(pixels) // 4 * 3)
    for channel in range(3):
        result[channel::3] = pixels[channel::4]
    return result


def _zrle_tile(cursor, width, height):
    kind, count = cursor.byte(), width * height
    if kind == 0:
        return cursor.take(3 * count)
    if kind == 1:
        return cursor.take(3) * count
    if 2 <= kind <= 16:
        return _packed(cursor, _palette(cursor, kind), width, height)
    if kind == 128:
        return _runs(lambda: (cursor.take(3), True), cursor, count)
    if kind >= 130:
        palette = _palette(cursor, kind - 128)

        def entry():
            index = cursor.byte()
            return _entry(palette, index & 127), index > 127
        return _runs(entry, cursor, count)
    raise Malformed(f"tile type {kind}")


def _palette(cursor, size):
    return [cursor.take(3) for _ in range(size)]


def _entry(palette, index):
    if index >= len(palette):
        raise Malformed(f"colour {index} of {len(palette)}")
    return palette[index]


def _packed(cursor, palette, width, height):
    bits = 1 if len(palette) == 2 else 2 if len(palette) <= 4 else 4
    rows = []
    for _ in range(height):
        packed = int.from_bytes(cursor.take((width * bits + 7) // 8), "big")
        unused = -width * bits % 8
        rows += [_entry(palette, packed >> (unused + bits * (width - 1 - column)) & ((1 << bits) - 1)) for column in range(width)]
    return b"".join(rows)


def _runs(next_colour, cursor, count):
    tile, filled = [], 0
    while filled < count:
        colour, is_run = next_colour()
        length = 1
        while is_run:
            more = cursor.byte()
            length += more
            is_run = more == 255
        filled += length
        if filled > count:
            raise Malformed(f"{filled} pixels in a tile of {count}")
        tile.append(colour * length)
    return b"".join(tile)
