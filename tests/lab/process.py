# SPDX-License-Identifier: LGPL-2.1-or-later
"""A running program: its exit status, its events, its messages."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import threading
import time

# Nothing here is judged by the clock. This only ends a wait that would never end.
PATIENCE = float(os.environ.get("ICS_LAB_PATIENCE", "120"))

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
_REPORT = re.compile(rb"(ERROR: (Address|Leak|Thread)Sanitizer|WARNING: ThreadSanitizer|runtime error:"
                     rb"|(CRITICAL|WARNING) \*\*:|assertion.*failed)")


def tool(name):
    """A tool of the laboratory's own, built with the program."""
    return os.path.join(os.environ["ICS_LAB_TOOLS"], name)


def example(name):
    """A program of examples/: as it was compiled against the installed library, or as it is."""
    if "ICS_LAB_EXAMPLES" not in os.environ:
        raise Failure("no examples: run with --examples and --prefix")
    return str(EXAMPLES / name) if name.endswith((".py", ".js")) else os.path.join(os.environ["ICS_LAB_EXAMPLES"], name)


def example_environment():
    """With this Python finds the library where it was installed."""
    folder = os.path.join(os.environ["ICS_LAB_PREFIX"], "lib")
    return {"LD_LIBRARY_PATH": folder, "GI_TYPELIB_PATH": os.path.join(folder, "girepository-1.0"), "G_DEBUG": "fatal-criticals",
            "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}


class Failure(Exception):
    """A scenario did not see what it expected."""


def until(predicate, what, pause=0.05):
    """For what no event tells of: asked again and again until it is so."""
    limit = time.monotonic() + PATIENCE
    while not (result := predicate()):
        if time.monotonic() > limit:
            raise Failure(f"never: {what}")
        time.sleep(pause)
    return result


class Lines:
    """What one program writes, line by line, read by a thread as it comes."""

    what = "line"

    def __init__(self, name, stream):
        self.name = name
        self._list, self._ended = [], False
        self._changed = threading.Condition()
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream):
        with contextlib.closing(stream):
            for line in stream:
                with self._changed:
                    self._list.append(self.parse(line))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @staticmethod
    def parse(line):
        return line.decode(errors="replace").rstrip("\n")

    def all(self):
        with self._changed:
            return list(self._list)

    def wait_until(self, predicate, what):
        """Wait until predicate(list of all) is true, and return what it returned."""
        limit = time.monotonic() + PATIENCE
        with self._changed:
            while True:
                result = predicate(self._list)
                if result:
                    return result
                left = limit - time.monotonic()
                if self._ended or left <= 0:
                    why = "it ended" if self._ended else f"nothing for {PATIENCE:.0f} s"
                    raise Failure(f"{self.name}: no {what}: {why}; {self.what}s: {self._list[-8:]}")
                self._changed.wait(left)

    def wait_end(self):
        self.wait_until(lambda _: self._ended, f"end of the {self.what}s")

    @property
    def count(self):
        with self._changed:
            return len(self._list)


class Events(Lines):
    """The events of one program."""

    what = "event"

    @staticmethod
    def parse(line):
        try:
            return json.loads(line)
        except ValueError:
            return {"type": "malformed", "line": line.decode(errors="replace")}

    def all(self, kind=None, /, **fields):
        with self._changed:
            return [event for event in self._list if _matches(event, kind, fields)]

    def last(self, kind, /, **fields):
        found = self.all(kind, **fields)
        return found[-1] if found else None

    def wait_for(self, kind, /, after=0, **fields):
        """The first event of this kind and with these fields, from number `after` on. Fails when the program ends without it."""
        return self.wait_until(lambda events: next((event for event in events[after:] if _matches(event, kind, fields)), None),
                               f"event {kind} {fields or ''}")


def _matches(event, kind, fields):
    return (kind is None or event.get("type") == kind) and all(event.get(key) == value for key, value in fields.items())


class Messages:
    """What a program prints for people, kept and passed on line by line."""

    def __init__(self, stream, on_line):
        self._text = bytearray()
        self._thread = threading.Thread(target=self._read, args=(stream, on_line), daemon=True)
        self._thread.start()

    def _read(self, stream, on_line):
        for line in stream:
            self._text += line
            on_line(line.decode(errors="replace").rstrip("\n"))

    def bytes(self):
        return bytes(self._text)

    def join(self):
        self._thread.join(PATIENCE)


class Process:
    """A program on a machine of the laboratory. stdin, stdout: as subprocess.Popen takes them."""

    def __init__(self, name, command, environment, on_line, **streams):
        self.name, self.begin = name, time.monotonic()
        reading, writing = os.pipe()
        try:
            self.popen = subprocess.Popen(
                [word.replace("{events}", str(writing)) for word in command], env=environment, pass_fds=(writing,),
                stderr=subprocess.PIPE, **{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL} | streams)
        finally:
            os.close(writing)
        self.events = Events(name, os.fdopen(reading, "rb"))
        self._messages = Messages(self.popen.stderr, lambda line: on_line(f"{name}: {line}"))
        self._killed = False

    @property
    def pid(self):
        return self.popen.pid

    @property
    def messages(self):
        return self._messages.bytes().decode(errors="replace")

    def wait_for(self, kind, /, **fields):
        return self.events.wait_for(kind, **fields)

    def paths(self):
        return [event["kind"] for event in self.events.all("path")]

    def peak_memory(self):
        with open(f"/proc/{self.pid}/status") as file:
            line = next(line for line in file if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    def signal(self, number):
        self.popen.send_signal(number)

    def kill(self):
        self._killed = True
        self.popen.kill()

    def wait(self):
        """The exit status; checked for reports of sanitizers and for GLib's warnings."""
        try:
            status = self.popen.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name}: still running after {PATIENCE:.0f} s; events: {self.events.all()[-8:]}") from None
        self._messages.join()
        if not self._killed:
            self.events.wait_end()
        found = _REPORT.search(self._messages.bytes())
        if found:
            raise Failure(f"{self.name} reported: {self.messages[found.start():][:4000]}")
        return status

    def expect_exit(self, *statuses):
        status = self.wait()
        if status not in statuses:
            raise Failure(f"{self.name}: exit {status}, expected {statuses}; it said: {self.messages[-2000:]}")
        return status


def expect_success(*processes):
    """Exit 0 of all. One that fails is reported at once, not after the patience with those that wait for it."""
    limit = time.monotonic() + PATIENCE
    waiting = list(processes)
    while waiting:
        try:
            waiting[0].popen.wait(0.1)
        except subprocess.TimeoutExpired:
            if time.monotonic() > limit:
                waiting[0].wait()
        for process in [entry for entry in waiting if entry.popen.poll() is not None]:
            process.expect_exit(0)
            waiting.remove(process)
