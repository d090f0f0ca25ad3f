# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes wrong: the stated exit status (CLI.md), words for people, nothing left behind."""

import os
import subprocess

import traffic
from lab import Lab
from testing import check, scenario
from test_transfer import make_file

PAIR = {"a": "port-restricted", "b": "full-cone"}
SLOW = ("--limit-rate", "2M")


def check_said(process, exit_status):
    """The last event is the error, with the exit status in it; and a person was told something."""
    event = process.events.last("error")
    check(event and event.get("exit") == exit_status and event.get("message"), f"{process.name}: error event {event}")
    check(process.messages.strip(), f"{process.name} said nothing")


def check_failed(process, exit_status):
    process.expect_exit(exit_status)
    check_said(process, exit_status)


def files_below(folder):
    return [os.path.join(where, name) for where, _, names in os.walk(folder) for name in names]


def start_transfer(lab, size, out=None, send_options=SLOW, receive_options=()):
    make_file(lab.folder("a") + "/data", size)
    sender = lab.run("a", "send", "data", *send_options)
    code = sender.wait_for("code")["code"]
    out = out or lab.make_folder("b", "in")
    return sender, lab.run("b", "receive", "--yes", "-o", out, *receive_options, code=code)


@scenario(each={"on the channel": ("only-tcp-443", "channel"), "on a direct path": ("port-restricted", "direct")})
def peer_is_killed(kind, path):
    with Lab(a=kind, b="full-cone") as lab:
        lab.start_server()
        pair = lab.pipes(options=("--timeout", "10"))
        exchange = traffic.Exchange(*pair)
        for process in pair:
            process.wait_for("path", kind=path)
        exchange.wait_progress()
        pair[1].kill()
        check_failed(pair[0], 8)


@scenario
def sender_is_killed():
    """The receiver keeps no broken file under the real name."""
    with Lab(**PAIR) as lab:
        lab.start_server()
        sender, receiver = start_transfer(lab, 50_000_000, receive_options=("--timeout", "10"))
        receiver.wait_for("progress")
        sender.kill()
        check_failed(receiver, 8)
        check(not os.path.exists(lab.folder("b") + "/in/data"), "a part of the file under its full name")


@scenario
def server_is_killed_while_all_goes_through_it():
    with Lab(a="only-tcp-443", b="public") as lab:
        lab.start_server()
        pair = lab.pipes(options=("--timeout", "5"))
        exchange = traffic.Exchange(*pair)
        exchange.require(1 << 20)
        lab.server.kill()
        for process in pair:
            check_failed(process, 8)


@scenario
def server_is_killed_before_the_peer_comes():
    with Lab(**PAIR) as lab:
        lab.start_server()
        process = lab.run("a", "pipe", "--timeout", "5", stdin=subprocess.PIPE)
        process.wait_for("code")
        lab.server.kill()
        process.expect_exit(3, 4)
        check(process.events.last("error"), "no error event")


@scenario
def turn_child_dies_with_the_server():
    """Also when the server had no time to end it."""
    with Lab(**PAIR) as lab:
        lab.start_server()
        lab.transfer(expect="direct")
        check(lab.processes("turnserver"), "no TURN server ran")
        lab.server.kill()
        lab.server.wait()
        lab.wait_gone("turnserver")


@scenario
def turn_child_is_ended_with_the_server():
    with Lab(**PAIR) as lab:
        lab.start_server()
        lab.transfer(expect="direct")
        lab.stop_server()
        check(not lab.processes("turnserver"), f"left running: {lab.processes('turnserver')}")


@scenario
def no_server():
    with Lab(**PAIR) as lab:
        for arguments in (("send", "data"), ("receive", "--yes"), ("pipe",)):
            make_file(lab.folder("a") + "/data", 10)
            process = lab.run("a", *arguments, code="7-cable-otter" if arguments[0] == "receive" else None)
            check_failed(process, 3)


@scenario
def wrong_code():
    """Both sides say so, and the nameplate is gone: one guess per code."""
    with Lab(**PAIR) as lab:
        lab.start_server()
        make_file(lab.folder("a") + "/data", 1000)
        sender = lab.run("a", "send", "data")
        code = sender.wait_for("code")["code"]
        lab.make_folder("b", "in")
        wrong = code.split("-")[0] + ("-able-acid" if not code.endswith("-able-acid") else "-acid-able")
        receiver = lab.run("b", "receive", "--yes", "-o", "in", code=wrong)
        check_failed(receiver, 5)
        check_failed(sender, 5)
        check_failed(lab.run("b", "receive", "--yes", "-o", "in", "--timeout", "20", code=code), 4)
        check(files_below(lab.folder("b")) == [], "files were left")


@scenario
def nobody_comes():
    with Lab(**PAIR) as lab:
        lab.start_server()
        make_file(lab.folder("a") + "/data", 10)
        check_failed(lab.run("a", "send", "data", "--timeout", "1"), 4)


@scenario
def nobody_waits():
    """A code whose nameplate was never given out."""
    with Lab(**PAIR) as lab:
        lab.start_server()
        check_failed(lab.run("b", "receive", "--yes", "--timeout", "20", code="999-cable-otter"), 4)


@scenario
def full_disk():
    with Lab(**PAIR) as lab:
        lab.start_server()
        out = lab.limit_disk("b", "2m")
        sender, receiver = start_transfer(lab, 20_000_000, out, send_options=())
        check_failed(receiver, 1)
        check_failed(sender, 7)
        check(files_below(out) == [], f"left behind: {files_below(out)}")


@scenario
def standard_output_is_closed():
    with Lab(**PAIR) as lab:
        lab.start_server()
        first, second = lab.pipes()
        traffic.Feeder(first.popen.stdin, "closed", pause=0.001)
        second.popen.stdout.read(1)
        second.popen.stdout.close()
        check_failed(second, 1)
        check(first.wait() != 0, "the other side took it for a success")


@scenario
def unreadable_file():
    with Lab(**PAIR) as lab:
        lab.start_server()
        make_file(lab.folder("a") + "/secret", 10)
        os.chmod(lab.folder("a") + "/secret", 0)
        for name in ("secret", "missing"):
            check_failed(lab.run("a", "send", name), 1)


@scenario
def bad_usage():
    with Lab(**PAIR) as lab:
        for arguments in (("send", "--no-such-option"), ("no-such-verb",), ("send",), ("pipe", "not a code"),
                          ("receive", "--timeout", "soon")):
            process = lab.run("a", *arguments)
            process.expect_exit(2)
            check(process.messages.strip(), f"nothing said about {arguments}")


@scenario
def file_exists():
    """A file of the receiver is not replaced unasked."""
    with Lab(**PAIR) as lab:
        lab.start_server()
        out = lab.make_folder("b", "in")
        with open(out + "/data", "w") as file:
            file.write("mine")
        sender, receiver = start_transfer(lab, 1000, out, send_options=())
        status = receiver.wait(), sender.wait()
        with open(lab.folder("b") + "/in/data") as file:
            check(file.read() == "mine", f"the file was replaced, exit {status}")
        others = [path for path in files_below(lab.folder("b") + "/in") if not path.endswith("/data")]
        check(status == (0, 0) or others == [], f"exit {status} and left behind: {others}")


@scenario(each={"receiver": (1,), "sender": (0,)})
def interrupted(which):
    """SIGINT: a clean close, 130, and the other side is told."""
    with Lab(**PAIR) as lab:
        lab.start_server()
        pair = start_transfer(lab, 50_000_000)
        pair[1].wait_for("progress")
        pair[which].signal(2)
        pair[which].expect_exit(130)
        other = pair[1 - which]
        check_said(other, other.expect_exit(7, 8))
        check(files_below(lab.folder("b")) == [], "a partial file is left")


@scenario
def server_ends_cleanly():
    with Lab(**PAIR) as lab:
        lab.start_server()
        lab.server.signal(15)
        lab.server.expect_exit(0, 143)
        check(not lab.processes("turnserver"), "the TURN server was left")
