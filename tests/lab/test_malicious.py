# SPDX-License-Identifier: LGPL-2.1-or-later
"""What somebody sees who reads everything that a rendezvous server carries (the tests of the links play one that does more)."""

import ipaddress

from lab import Lab
from process import expect_success
from recorder import Recorder
from testing import check, scenario

PAIR = {"a": "port-restricted", "b": "port-restricted"}
NAME = "the name of the file.txt"
LINE = b"what only these two hosts may know\n"
SIZE = 4 << 20


def check_endpoint_unknown(recorder, endpoint):
    host, _, port = endpoint.rpartition(":")
    packed, port = ipaddress.ip_address(host.strip("[]")).packed, int(port).to_bytes(2, "big")
    for what in (endpoint.encode(), host.encode(), packed + port, port + packed):
        check(not recorder.finds(what), f"the recorder saw {endpoint}")


@scenario(each={"relayed": (("--path", "relay", "--turn", "none"), "channel"), "direct": ((), "direct")})
def rendezvous_that_reads(limits, expected):
    with Lab(**PAIR) as lab:
        lab.start_server()
        recorder = Recorder(lab)
        with open(f"{lab.folder('a')}/{NAME}", "wb") as file:
            file.write(LINE * (SIZE // len(LINE)))
        options = ("--server", recorder.url, *limits)
        sender = lab.run("a", "send", NAME, "--limit-rate", "2M", *options)
        code = sender.wait_for("code")["code"]
        lab.make_folder("b", "in")
        receiver = lab.run("b", "receive", "--yes", "-o", "in", *options, code=code)
        expect_success(sender, receiver)
        lab.check_paths(sender, expected)
        # It carried all this, and its search finds what is there for all to read.
        carried = sender.events.last("done")["channel_bytes"]
        check(sum(map(len, recorder.seen("client"))) > carried > 0, f"{carried} bytes went past the recorder")
        check(recorder.finds(b"Upgrade: websocket") and recorder.finds(b'"nameplate"'), "the recorder is blind")
        words = code.split("-", 1)[1]
        for what in (NAME, words, "candidate", '"ufrag"', "typ host", lab.address("a"), lab.address("b"), LINE.decode().strip()):
            check(not recorder.finds(what.encode()), f"the recorder saw '{what}'")
        for process in (sender, receiver):
            fingerprint = process.events.last("connected")["peer"]
            check(not recorder.finds(bytes.fromhex(fingerprint)), "the recorder saw a certificate's fingerprint")
            for event in process.events.all("path", kind="direct"):
                check_endpoint_unknown(recorder, event["local"])
                check_endpoint_unknown(recorder, event["remote"])
