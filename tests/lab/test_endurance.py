# SPDX-License-Identifier: LGPL-2.1-or-later
"""Much data, little memory, and paths that come and go while it flows."""

import hashlib
import os
import resource
import tempfile
import time

import topology
import traffic
from lab import Lab
from process import expect_success
from testing import check, scenario

MIB = 1 << 20
SOAK = bool(os.environ.get("ICS_LAB_SOAK"))
FLIPS, FLIP_SECONDS = 12 if SOAK else 3, 5
MEMORY = 64_000_000
BIG_FILE = (10_000 if SOAK else 1_000) * 1_000_000
UNREAD = 1000 * MIB


@scenario(bulk=True)
def direct_path_comes_and_goes_every_5_s():
    """UDP but to the server is dropped for 5 s, then goes for 5 s, and so on. What the time decides is the fault, not the verdict."""
    with Lab(a="port-restricted", b="port-restricted") as lab:
        lab.start_server()
        pair = lab.pipes()
        exchange = traffic.Exchange(*pair)
        for process in pair:
            process.wait_for("path", kind="direct")
        for _ in range(FLIPS):
            lab.block_udp("a", topology.SERVER)
            time.sleep(FLIP_SECONDS)
            exchange.wait_progress()
            lab.restore("a")
            time.sleep(FLIP_SECONDS)
            exchange.wait_progress()
        for process in pair:
            process.events.wait_until(lambda events: [event for event in events if event.get("type") == "path"][-1]["kind"] == "direct",
                                      "way back to direct")
        exchange.wait_progress()
        exchange.finish()
        stalls = [event["ms"] for process in pair for event in process.events.all("stall")]
    return f"{len(pair[0].paths())} and {len(pair[1].paths())} paths, longest stall {max(stalls, default=0)} ms"


@scenario(bulk=True)
def reader_takes_1_kB_a_second():
    """The sender waits, with little memory at both ends; when the reader hurries, all is there."""
    with Lab(a="port-restricted", b="port-restricted") as lab:
        lab.start_server()
        first, second = lab.pipes()
        feeder = traffic.Feeder(first.popen.stdin, "slow", limit=UNREAD)
        drain = traffic.Drain(second.popen.stdout, rate=1000)
        for process in (first, second):
            process.wait_for("path", kind="direct")
        # Blocked: nothing more is taken while the reader takes a second's worth, three times in a row.
        waiting = 0
        while waiting < 3:
            before = feeder.bytes
            drain.wait_for(drain.bytes + 1000)
            waiting = waiting + 1 if feeder.bytes == before else 0
            check(feeder.bytes < UNREAD // 2, f"{feeder.bytes} bytes were taken for a reader that had {drain.bytes}")
        kept = feeder.bytes - drain.bytes
        peaks = [process.peak_memory() for process in (first, second)]
        check(max(peaks) < MEMORY, f"memory {peaks}")
        drain.hurry()
        drain.wait_for(UNREAD)
        peaks = [process.peak_memory() for process in (first, second)]
        check(max(peaks) < MEMORY, f"memory {peaks}")
        second.popen.stdin.close()
        check(feeder.result() == drain.result(), "other bytes")
        expect_success(first, second)
    return f"{kept / MIB:.1f} MiB under way, memory {', '.join(f'{peak / MIB:.0f} MiB' for peak in peaks)}"


def hash_of_zeros(size):
    digest = hashlib.sha256()
    block = bytes(MIB)
    for _ in range(size // MIB):
        digest.update(block)
    digest.update(block[:size % MIB])
    return digest.hexdigest()


@scenario(bulk=True)
def big_file_with_little_memory():
    """Data and stacks of each process are limited to 64 MB, and its resident memory stays below."""
    limits = ("prlimit", f"--data={MEMORY}", f"--stack={MIB}", "--")
    # Received on a disk: the folders of the laboratory are memory.
    with Lab(a="port-restricted", b="port-restricted") as lab, tempfile.TemporaryDirectory(dir=os.environ["ICS_LAB_LOGS"]) as folder:
        lab.start_server()
        with open(lab.folder("a") + "/big", "wb") as file:
            file.truncate(BIG_FILE)
        sender = lab.run("a", "send", "big", under=limits)
        code = sender.wait_for("code")["code"]
        receiver = lab.run("b", "receive", "--yes", "-o", folder, code=code, under=limits)
        expect_success(sender, receiver)
        peak = 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        check(peak < MEMORY, f"{peak} bytes of resident memory")
        done = receiver.events.last("done")
        check(done["bytes"] == BIG_FILE and done["sha256"] == hash_of_zeros(BIG_FILE), f"done says {done}")
        seconds = (done["at_ms"] - receiver.events.last("connected")["at_ms"]) / 1000
    return f"{BIG_FILE / 1e9:.0f} GB in {seconds:.0f} s, at most {peak / 1e6:.0f} MB resident"
