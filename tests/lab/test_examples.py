# SPDX-License-Identifier: LGPL-2.1-or-later
"""The examples, as a reader would run them: two hosts behind NATs, and the server they name."""

import fcntl
import hashlib
import os
import re
import signal
import struct
import subprocess
import termios

import topology
from lab import Lab
from process import Lines, expect_success
from test_forward import LOCAL, SERVICE, HashService, ask, connect
from test_relays import start_other_turn
from testing import check, scenario

NATS = {"a": "port-restricted", "b": "port-restricted"}
BROKER_PORT = 1883


def code_in(lines):
    return lines.wait_until(lambda all: next((match[1] for line in all if (match := re.search(r"\b(\d+-[a-z]+-[a-z]+)", line))), None),
                            "code")


def wait_line(process, words):
    return process.lines.wait_until(lambda all: next((line for line in all if words in line), None), f"line with {words!r}")


def end_well(*processes):
    """All of them, without a word of an exception that Python or PyGObject printed and went on."""
    expect_success(*processes)
    for process in processes:
        check("Error" not in process.messages, f"{process.name} said {process.messages}")


def start(lab, name, arguments=((), ()), **streams):
    """The example on both hosts; the joiner gets the code from what the listener prints."""
    listener = lab.run_example("a", name, *arguments[0])
    return listener, lab.run_example("b", name, *arguments[1], code=code_in(listener.lines), **streams)


@scenario
def from_zero_to_a_direct_path():
    with Lab(**NATS) as lab:
        lab.start_server()
        pair = start(lab, "direct")
        for process in pair:
            wait_line(process, "path: channel")
            wait_line(process, "path: direct")
        end_well(*pair)


@scenario(each={"in C": ("echo", "echo"), "in Python": ("echo.py", "echo.py"), "in C and Python": ("echo", "echo.py")})
def echo(listener, joiner):
    with Lab(**NATS) as lab:
        lab.start_server()
        listener = lab.run_example("a", listener)
        joiner = lab.run_example("b", joiner, code=code_in(listener.lines), stdin=subprocess.PIPE)
        sent = [os.urandom(50).hex() for _ in range(10_000)]
        with joiner.popen.stdin as stdin:
            stdin.write("\n".join(sent).encode())
        wait_line(listener, f"echoed {101 * len(sent) - 1} bytes")
        end_well(listener, joiner)
        joiner.lines.wait_end()
        check(joiner.lines.all() == sent, "other words came back")


@scenario
def echo_with_asyncio():
    with Lab(**NATS) as lab:
        lab.start_server()
        listener, joiner = start(lab, "async_echo.py")
        wait_line(listener, "echoed 8890 bytes")
        wait_line(joiner, "the same came back")
        wait_line(joiner, "path: direct")
        end_well(listener, joiner)


@scenario(each={"in C": ("send-file",), "in Python": ("send_file.py",)})
def send_file(name):
    with Lab(**NATS) as lab:
        lab.start_server()
        data = os.urandom(12_000_000)
        with open(lab.folder("a") + "/film", "wb") as file:
            file.write(data)
        pair = start(lab, name, (("film",), ("copy",)))
        end_well(*pair)
        with open(lab.folder("b") + "/copy", "rb") as file:
            check(hashlib.sha256(file.read()).digest() == hashlib.sha256(data).digest(), "another content")
        check(os.listdir(lab.folder("b")) == ["copy"], "something else was left")
        for process in pair:
            process.lines.wait_end()
            counts = [int(line.split()[1]) for line in process.lines.all() if line.endswith(" bytes")]
            check(sum(counts) == len(data), f"{process.name} counts {counts}")


@scenario(each={"in C": ("direct", "echo", "send-file", "mqtt"),
                "in Python": ("echo.py", "send_file.py", "async_echo.py", "forward.py", "mqtt.py")})
def nobody_answers(*names):
    """No server, no broker: each says so, and ends."""
    words = {"mqtt": (topology.SERVER, BROKER_PORT), "send-file": ("film",), "forward": (LOCAL,)}
    with Lab(**NATS) as lab:
        processes = [lab.run_example("a", name, *words.get(name.removesuffix(".py").replace("_", "-"), ())) for name in names]
        for name, process in zip(names, processes):
            process.expect_exit(0 if name == "direct" else 1)
            process.lines.wait_end()
            said = process.messages + "\n".join(process.lines.all())
            check(any(words in said for words in ("cannot reach", "does not answer", "no way")), f"{name} says {said!r}")


class Screen(Lines):
    """What a program writes to its terminal, and the keys."""

    what = "block"

    def __init__(self, lab, machine, name, *arguments, code=None):
        master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        try:
            self.process = lab.run_example(machine, name, *arguments, code=code, environment={"TERM": "xterm"}, stdin=slave,
                                           stdout=slave, start_new_session=True)
        finally:
            os.close(slave)
        self._master = master
        super().__init__(machine, self._blocks())

    def _blocks(self):
        """Until the program, which has the other end, is gone: then Linux says EIO."""
        try:
            while block := os.read(self._master, 4096):
                yield block
        except OSError:
            pass

    def type(self, keys):
        os.write(self._master, keys.encode())

    def wait_for(self, text):
        self.wait_until(lambda blocks: text in "".join(blocks), f"{text!r} on the screen")


@scenario(each={"in C": ("chat",), "in Python": ("chat.py",)})
def chat(name):
    with Lab(**NATS) as lab:
        lab.start_server()
        alice = Screen(lab, "a", name, "Alice")
        # A name that would, if it could, clear the other one's screen.
        bob = Screen(lab, "b", name, "B\033[2Job", code=code_in(alice))
        bob.wait_for("Alice is here")
        alice.wait_for("B?[2Job is here")
        alice.type("helpX\177\177lo, Böb\r")
        bob.wait_for("Alice: hello, Böb")
        for screen in (alice, bob):
            screen.wait_for("[direct]")
        bob.type("too long\025see you\r/quit\r")
        alice.wait_for("B?[2Job: see you")
        alice.wait_for("has left")
        end_well(alice.process, bob.process)


def start_broker(lab):
    path = lab.folder("server") + "/mosquitto.conf"
    with open(path, "w") as file:
        file.write(f"listener {BROKER_PORT} {topology.SERVER}\nallow_anonymous true\nuser root\nlog_dest stderr\n")
    broker = lab.start("server", "mosquitto", "-c", path, stderr=subprocess.PIPE)
    Lines("mosquitto", broker.stderr).wait_until(lambda lines: any("running" in line for line in lines), "broker")


@scenario
def port_forward():
    """Connections at a time, each with its half-close."""
    with Lab(**NATS) as lab:
        lab.start_server()
        HashService(lab, "a", SERVICE)
        serve, connect_side = start(lab, "forward.py", ((f"127.0.0.1:{SERVICE}",), (LOCAL,)))
        wait_line(connect_side, "forwarding")
        for connection in [connect(lab, "b", LOCAL) for _ in range(5)]:
            data = os.urandom(300_000)
            check(ask(connection, data) == hashlib.sha256(data).digest(), "another answer")
        connect_side.signal(signal.SIGINT)
        end_well(serve, connect_side)


@scenario(each={"in C": ("mqtt", "mqtt"), "in Python": ("mqtt.py", "mqtt.py"), "in C and Python": ("mqtt", "mqtt.py")})
def own_channel_over_mqtt(listener, joiner):
    """No rendezvous server: an MQTT broker, and a TURN server that tells each host how it is seen."""
    with Lab(**NATS) as lab:
        start_broker(lab)
        turn = {"ICE_SESSION_TURN": start_other_turn(lab, 3478)[1]}
        words = (topology.SERVER, BROKER_PORT)
        listener = lab.run_example("a", listener, *words, environment=turn)
        joiner = lab.run_example("b", joiner, *words, code=code_in(listener.lines), environment=turn)
        wait_line(listener, "heard: hello, channel")
        wait_line(listener, "heard: hello, direct")
        wait_line(joiner, "path: direct")
        end_well(listener, joiner)
        joiner.lines.wait_end()
        check(joiner.lines.all().count("heard: hello to you") >= 2, "no answer over each path")
