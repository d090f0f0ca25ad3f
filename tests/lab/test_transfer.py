# SPDX-License-Identifier: LGPL-2.1-or-later
"""send and receive, as a person uses them."""

import hashlib
import os

import nat
from lab import Lab
from process import expect_success
from testing import check, scenario

PAIRS = (("port-restricted", "port-restricted"), ("symmetric", "cgnat"), ("only-tcp-443", "udp-blocked"),
         ("ipv6-only", "dual-stack"), ("ipv6-only", "public"))


def make_file(path, size):
    data = os.urandom(size)
    with open(path, "wb") as file:
        file.write(data)
    return hashlib.sha256(data).hexdigest()


def hash_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


@scenario(each={" x ".join(pair): pair for pair in PAIRS})
def send_and_receive(a, b):
    expected = nat.expected_path(a, b, search=False)
    size = 24_000_000
    with Lab(a=a, b=b) as lab:
        lab.start_server()
        digest = make_file(lab.folder("a") + "/holiday film.mp4", size)
        # Slow enough that the search for paths ends while there is still much to send.
        sender = lab.run("a", "send", "holiday film.mp4", "--limit-rate", "4M", "--no-port-search")
        code = sender.wait_for("code")["code"]
        lab.make_folder("b", "in")
        receiver = lab.run("b", "receive", "--yes", "-o", "in", code=code)
        expect_success(sender, receiver)
        check(os.listdir(lab.folder("b") + "/in") == ["holiday film.mp4"], "other files than the one that was sent")
        check(hash_of(lab.folder("b") + "/in/holiday film.mp4") == digest, "another content")
        for process in (sender, receiver):
            lab.check_paths(process, expected)
            done = process.events.last("done")
            check(done["sha256"] == digest and done["bytes"] == size, f"done says {done}, expected {size} bytes, {digest}")
            check(process.events.all()[-1]["type"] == "done", "done is not the last event")
        done = sender.events.last("done")
        carried = done["channel_bytes"] + done["turn_bytes"] + done["direct_bytes"]
        check(carried >= size and (expected == "channel" or done[expected + "_bytes"] > 0), f"done says {done}")
    return expected


@scenario
def empty_file():
    with Lab(a="port-restricted", b="public") as lab:
        lab.start_server()
        open(lab.folder("a") + "/nothing", "wb").close()
        sender = lab.run("a", "send", "nothing")
        lab.make_folder("b", "in")
        receiver = lab.run("b", "receive", "--yes", "-o", "in", code=sender.wait_for("code")["code"])
        expect_success(sender, receiver)
        check(os.path.getsize(lab.folder("b") + "/in/nothing") == 0, "not empty")
