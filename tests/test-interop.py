#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A direct attempt against another ICE implementation, aioice: both roles, both families, before and after libnice.

Both ends run in a network namespace of their own, on addresses of its loopback interface: ICE leaves 127.0.0.1 out. Skipped
where python3-aioice or such a namespace is not to be had."""

import asyncio
import os
import subprocess
import sys
import unittest

try:
    import aioice
    import aioice.ice
except ImportError:
    print("SKIP: python3-aioice is not installed")
    sys.exit(77)

PEER = os.path.abspath(os.environ.get("ICE_SESSION_INTEROP_PEER", "./tests/interop-peer"))
# Generous: it ends a hang, it does not measure.
LIMIT = 60
# aioice asks for consent every 5 s (RFC 7675); more often here, so that a few are seen soon.
aioice.ice.CONSENT_INTERVAL = 0.2
CHECKS = 4


class Watched(aioice.Connection):
    """Counts the other side's authentic checks, and the answers to those of this side."""

    def __init__(self, **options):
        super().__init__(**options)
        self.asked = 0
        self.answered = 0

    def check_incoming(self, message, *rest):
        self.asked += 1
        super().check_incoming(message, *rest)

    def watch_answers(self):
        for protocol in self._protocols:
            protocol.request = self.counting(protocol.request)

    def counting(self, request):
        async def wrapper(*arguments, **options):
            result = await request(*arguments, **options)
            self.answered += 1
            return result
        return wrapper


class Peer:
    """The attempt, in a process of its own."""

    async def start(self, role, family):
        self.process = await asyncio.create_subprocess_exec(PEER, role, family, stdin=subprocess.PIPE,
                                                            stdout=subprocess.PIPE)
        self.lines = []

    def tell(self, line):
        self.process.stdin.write(line.encode() + b"\n")

    async def wait_for(self, *begins):
        """The rest of the next line that begins with one of these words."""
        while True:
            line = (await self.process.stdout.readline()).decode().rstrip("\n")
            if not line:
                raise AssertionError("the attempt ended: " + "; ".join(self.lines))
            self.lines.append(line)
            for begin in begins:
                if line == begin or line.startswith(begin + " "):
                    return line[len(begin) + 1:]

    async def end(self):
        self.tell("quit")
        return await self.process.wait()


async def signal(peer, other):
    """Credentials and candidates, all at once: aioice connects with what it has."""
    ufrag, password = (await peer.wait_for("credentials")).split()
    await peer.wait_for("end")
    await other.gather_candidates()
    other.remote_username, other.remote_password = ufrag, password
    for line in peer.lines:
        if line.startswith("candidate "):
            await other.add_remote_candidate(aioice.Candidate.from_sdp(line.split(":", 1)[1]))
    await other.add_remote_candidate(None)
    peer.tell(f"credentials {other.local_username} {other.local_password}")
    for candidate in other.local_candidates:
        peer.tell("candidate candidate:" + candidate.to_sdp())
    peer.tell("end")


async def exchange(peer, other, word):
    peer.tell(f"send {word} from us")
    assert await other.recv() == f"{word} from us".encode()
    await other.send(f"{word} from them".encode())
    assert await peer.wait_for("received") == f"{word} from them"


async def until(condition):
    while not condition():
        await asyncio.sleep(0.01)


async def talk(role, family):
    peer = Peer()
    other = Watched(ice_controlling=role == "controlled", use_ipv4=family == "4", use_ipv6=family == "6")
    await peer.start(role, family)
    try:
        await signal(peer, other)
        await asyncio.gather(other.connect(), peer.wait_for("state connected"))
        other.watch_answers()
        await exchange(peer, other, "libnice")
        await until(lambda: other.answered >= CHECKS)
        asked, answered = other.asked, other.answered
        peer.tell("graduate")
        await peer.wait_for("note the socket is out of libnice's hands:")
        await exchange(peer, other, "endpoint")
        # Both ask for consent, and both are answered: theirs often, ours once at once.
        await until(lambda: other.asked > asked and other.answered >= answered + CHECKS)
        await exchange(peer, other, "consent")
        assert "state failed" not in peer.lines
        assert not any(line.startswith("note refused") for line in peer.lines), peer.lines
        return asked, other.asked
    finally:
        await other.close()
        assert await peer.end() == 0


class Interop(unittest.TestCase):
    def run_pair(self, role, family):
        asked, later = asyncio.run(asyncio.wait_for(talk(role, family), LIMIT))
        print(f"{role}, IPv{family}: checks of ours that aioice saw: {asked}, then {later}")

    def test_controlling_ipv4(self):
        self.run_pair("controlling", "4")

    def test_controlled_ipv4(self):
        self.run_pair("controlled", "4")

    def test_controlling_ipv6(self):
        self.run_pair("controlling", "6")

    def test_controlled_ipv6(self):
        self.run_pair("controlled", "6")


def enter_namespace():
    """Starts this program again in a network of its own, with an address of each family."""
    here = os.path.abspath(__file__)
    commands = ("ip link set lo up && ip addr add 192.0.2.1/32 dev lo && "
                "ip addr add 2001:db8::1/128 dev lo nodad && exec \"$@\"")
    if subprocess.run(["unshare", "-rn", "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        print("SKIP: no network namespace can be made here")
        sys.exit(77)
    os.environ["ICE_SESSION_INTEROP_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "-rn", "sh", "-ec", commands, "sh", sys.executable, here, *sys.argv[1:]])


if __name__ == "__main__":
    if "ICE_SESSION_INTEROP_NAMESPACE" not in os.environ:
        enter_namespace()
    unittest.main(verbosity=2)
