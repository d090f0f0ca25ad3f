# SPDX-License-Identifier: LGPL-2.1-or-later
"""Data through two joined `ice-session pipe`: random, hashed where it goes in and where it comes out."""

import hashlib
import os
import random
import threading
import time

from process import PATIENCE, Failure, expect_success

BLOCK = 1 << 16


class Feeder:
    """Writes pseudo-random data into a stream until told to end, and keeps its hash.

    pause: seconds between blocks, for a stream that shall flow for a while without filling the machine. Until hurry(), one
    with a pause and a limit keeps the second half back, so that there is always something left for what comes then.
    """

    def __init__(self, stream, seed, pause=0.0, limit=None):
        self.bytes = 0
        self._hash = hashlib.sha256()
        self._random, self._stream, self._pause, self._limit = random.Random(seed), stream, pause, limit
        self._end, self._hurry = threading.Event(), threading.Event()
        self._error = None
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self):
        try:
            while not self._end.is_set() and (self._limit is None or self.bytes < self._limit):
                block = self._random.randbytes(BLOCK)
                self._stream.write(block)
                self._stream.flush()
                self._hash.update(block)
                self.bytes += len(block)
                self._rest()
            self._stream.close()
        except OSError as error:
            self._error = error

    def _rest(self):
        if not self._pause or self._hurry.is_set():
            return
        if self._limit is not None and self.bytes >= self._limit // 2:
            self._hurry.wait()
        else:
            self._end.wait(self._pause)

    def hurry(self):
        """No more pauses."""
        self._hurry.set()

    def end(self):
        """Stop writing; one with a limit goes on until there."""
        if self._limit is None:
            self._end.set()

    def result(self):
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            raise Failure(f"writing stuck after {self.bytes} bytes")
        if self._error:
            raise Failure(f"writing failed after {self.bytes} bytes: {self._error}")
        return self.bytes, self._hash.hexdigest()


class Drain:
    """Reads a stream to its end and keeps its hash.

    rate: bytes per second, in ten sips, until hurry(). observe: called with each block that came.
    """

    def __init__(self, stream, rate=None, observe=None):
        self.bytes = 0
        self._hash = hashlib.sha256()
        self._rate, self._observe, self._hurry = rate, observe, threading.Event()
        self._stream, self._ended = stream, False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while block := self._next():
            self._hash.update(block)
            if self._observe:
                self._observe(block)
            with self._changed:
                self.bytes += len(block)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _next(self):
        if self._rate and not self._hurry.wait(0.1):
            return os.read(self._stream.fileno(), max(1, self._rate // 10))
        return os.read(self._stream.fileno(), BLOCK)

    def hurry(self):
        """As fast as it comes from now on."""
        self._hurry.set()

    def wait_for(self, count):
        """Until this many bytes have come. Patience counts from the last byte that came, not from the start."""
        with self._changed:
            while self.bytes < count:
                before = self.bytes
                self._changed.wait_for(lambda: self.bytes != before or self._ended, PATIENCE)
                if self.bytes < count and (self._ended or self.bytes == before):
                    raise Failure(f"{self.bytes} of {count} bytes came, then {'the end' if self._ended else 'nothing more'}")

    def wait_progress(self):
        """Until some more has come."""
        self.wait_for(self.bytes + 1)

    def result(self):
        with self._changed:
            while not self._ended:
                before = self.bytes
                if not self._changed.wait_for(lambda: self.bytes != before or self._ended, PATIENCE):
                    raise Failure(f"{self.bytes} bytes came, then nothing, and no end")
        return self.bytes, self._hash.hexdigest()


class Exchange:
    """Data in both directions at once between two pipes."""

    def __init__(self, first, second, pause=0.02, limit=None):
        self.processes = (first, second)
        seed = int(os.environ.get("ICS_TEST_SEED") or time.time_ns())
        self.feeders = [Feeder(process.popen.stdin, f"{seed}/{index}", pause, limit)
                        for index, process in enumerate(self.processes)]
        self.drains = [Drain(process.popen.stdout) for process in self.processes]

    def require(self, count):
        """Until this many bytes have arrived on both sides."""
        for drain in self.drains:
            drain.wait_for(count)

    def require_more(self, count):
        """Until so many bytes more than now have."""
        for drain in self.drains:
            drain.wait_for(drain.bytes + count)

    def wait_progress(self):
        for drain in self.drains:
            drain.wait_progress()

    def hurry(self):
        for feeder in self.feeders:
            feeder.hurry()

    def finish(self):
        """End both streams (at their limit, if they have one); equal hashes and exit 0 on both sides."""
        for feeder in self.feeders:
            feeder.end()
        self.compare()
        expect_success(*self.processes)

    def compare(self):
        for feeder, drain in zip(self.feeders, reversed(self.drains)):
            sent, received = feeder.result(), drain.result()
            if sent != received:
                raise Failure(f"sent (bytes, SHA-256) {sent}, received {received}")
