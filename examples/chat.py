#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A chat of two people, in the terminal, with curses. It speaks with chat.c, too.

    one$  ./chat.py Alice                                    prints a code
    two$  ICE_SESSION_CODE=7-cable-otter ./chat.py Bob

Ctrl-D or /quit ends it. The last line of the screen tells which path the words take. One stream carries lines of text both ways; the
first line is the name.
"""

import curses
import getpass
import locale
import os
import signal
import sys
import unicodedata

import gi

gi.require_version("IceSession", "1.0")
from gi.repository import GLib, IceSession  # noqa: E402

CODE = os.environ.get("ICE_SESSION_CODE")
LINE_MAX = 4096             # bytes; a longer one ends the chat: the peer is not ours
WAITING_MAX = 1 << 20       # bytes that were typed, and not taken by the stream yet


def harmless(text):
    """A peer's text may contain escape sequences; it shall not command the terminal."""
    return "".join("?" if unicodedata.category(sign) in ("Cc", "Cf") else sign for sign in text)


class Screen:
    """What was said, and below it a line to type in."""

    def __init__(self, curses_screen, typed):
        self.typed, self.prompt, self.text = typed, "> ", ""
        rows, columns = curses_screen.getmaxyx()
        self.said, self.line = curses.newwin(rows - 1, columns, 0, 0), curses.newwin(1, columns, rows - 1, 0)
        self.said.scrollok(True)
        self.said.move(rows - 2, 0)
        self.line.keypad(True)
        self.line.nodelay(True)
        GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, 0, GLib.IOCondition.IN | GLib.IOCondition.HUP, self.on_keys)
        self.draw()

    def show(self, text):
        self.said.addstr("\n" + harmless(text))
        self.said.refresh()
        self.draw()

    def draw(self):
        room = self.line.getmaxyx()[1] - len(self.prompt) - 1
        self.line.erase()
        self.line.addstr(self.prompt + self.text[-room:])
        self.line.refresh()

    def on_keys(self, descriptor, condition):
        if condition & GLib.IOCondition.HUP:
            self.typed(None)            # the terminal is gone: its window was closed
            return False
        try:
            while True:
                self.take(self.line.get_wch())
        except curses.error:
            self.draw()                 # no more for now
        return True

    def take(self, key):
        if key in ("\n", "\r"):
            line, self.text = self.text, ""
            self.typed(line)
        elif key in ("\b", "\x7f", curses.KEY_BACKSPACE):
            self.text = self.text[:-1]
        elif key == "\x15":             # Ctrl-U
            self.text = ""
        elif key == "\x04" and not self.text:
            self.typed(None)            # Ctrl-D
        elif isinstance(key, str) and key.isprintable() and len(self.text) < 1000:
            self.text += key


class Chat:
    def __init__(self, curses_screen, name):
        self.name, self.peer, self.stream = name, None, None
        self.came, self.waiting, self.writing = b"", b"", False
        self.leaving, self.failure, self.loop = False, None, GLib.MainLoop()
        self.screen = Screen(curses_screen, self.on_typed)
        self.link = IceSession.Link.new(os.environ.get("ICE_SESSION_SERVER"), "chat/1")
        self.link.connect("code", lambda link, code: self.screen.show(f"* on the other host: ICE_SESSION_CODE={code} ./chat.py NAME"))
        self.link.connect("path-changed", self.on_path)
        self.link.connect("incoming-stream", self.on_stream)
        self.link.connect("closed", lambda link, error: self.end(error))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, lambda: self.leave() or True)

    def run(self):
        self.link.connect_async(CODE, None, self.on_connected)
        self.loop.run()
        return self.failure

    # The link

    def on_connected(self, link, result):
        try:
            link.connect_finish(result)
        except GLib.Error:
            return                      # "closed" tells it
        if CODE:
            self.start(link.open_stream())

    def on_stream(self, link, stream):
        if self.stream:
            stream.reset(1)             # one is a chat
        else:
            self.start(stream)

    def on_path(self, link, path):
        self.screen.prompt = f"[{path.get_kind().value_nick}] "
        self.screen.draw()

    def end(self, error=None):
        self.failure = self.failure or error
        self.link.close_async(1 if error else 0, error.message if error else None, None, lambda *_: self.loop.quit())

    def start(self, stream):
        self.stream = stream
        self.say(self.name)
        self.read_more()

    # To the other host

    def on_typed(self, line):
        if line in (None, "/quit"):
            self.leave()
        elif not self.stream or self.leaving:
            self.screen.show("* nobody is there")
        elif len(self.waiting) > WAITING_MAX:
            self.screen.show("* not sent, too much is on its way: " + line)
        elif line:
            self.say(line)
            self.screen.show(f"{self.name}: {line}")

    def say(self, line):
        self.waiting += line.encode() + b"\n"
        self.write_more()

    def write_more(self):
        if self.writing:
            return
        if self.waiting:
            block, self.waiting, self.writing = self.waiting, b"", True
            self.stream.get_output_stream().write_all_async(block, GLib.PRIORITY_DEFAULT, None, self.on_written)
        elif self.leaving:
            self.say_goodbye()

    def on_written(self, output, result):
        self.writing = False
        try:
            output.write_all_finish(result)
        except GLib.Error as error:
            self.end(error)
        else:
            self.write_more()

    def leave(self):
        """Closing a link loses what is under way. So: write all, say that it was all, wait until the other host has it, close. A second
        time waits for nothing."""
        if self.leaving or not self.stream:
            self.end()
        else:
            self.leaving = True
            self.write_more()

    def say_goodbye(self):
        def closed(output, result):
            self.stream.flush_acked_async(None, lambda *_: self.end())
        self.stream.get_output_stream().close_async(GLib.PRIORITY_DEFAULT, None, closed)

    # From the other host

    def read_more(self):
        self.stream.get_input_stream().read_bytes_async(1024, GLib.PRIORITY_DEFAULT, None, self.on_read)

    def on_read(self, source, result):
        try:
            block = source.read_bytes_finish(result).get_data()
        except GLib.Error as error:
            self.end(None if self.leaving else error)
            return
        *lines, self.came = (self.came + block).split(b"\n")
        for line in lines:
            self.hear(line.decode(errors="replace"))
        if len(self.came) > LINE_MAX:
            self.end(GLib.Error("a line without end"))
        elif block:
            self.read_more()
        elif not self.leaving:
            self.screen.show(f"* {self.peer or 'the other host'} has left")

    def hear(self, line):
        if self.peer is None:
            self.peer = line
            self.screen.show(f"* {self.peer} is here")
        else:
            self.screen.show(f"{self.peer}: {line}")


if __name__ == "__main__":
    locale.setlocale(locale.LC_ALL, "")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.exit("chat wants a terminal")
    failure = curses.wrapper(lambda screen: Chat(screen, sys.argv[1] if len(sys.argv) > 1 else getpass.getuser()).run())
    sys.exit(failure and failure.message)
