# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is measured: each subject moves bytes from machine a to machine b for a while and says how fast and at what cost.

The result of each: bps (bits per second that arrived), cpu (processor seconds per GB that arrived, of the sender and of the
receiver), peak_kb (memory of both at the most), and what else there is to say.
"""

import json
import os
import threading
import time

from process import Failure, Process
from wire import ADDRESS

import namespaces

PORT = 4000
RENDEZVOUS = f"{ADDRESS['b']}:8443"
LIMIT = 90          # seconds after which a program that hangs is ended; no verdict otherwise
FOLDER = "/run/lab"


class Run:
    """One measurement: where the programs are, the wire, and for how long."""

    def __init__(self, wire, programs, spec):
        self.wire, self.programs = wire, programs
        self.seconds, self.skip = spec["seconds"], spec["skip"]
        self.options = spec.get("options", {})

    def program(self, name):
        return os.path.join(self.programs, name)

    def bench(self, machine, name, *words, **streams):
        return self.wire.start(machine, [self.program(f"bench/{name}"), *map(str, words)], **streams)


def finish(popen, before=""):
    """What it printed to its end, and the processor seconds it took; fails with its status."""
    timer = threading.Timer(LIMIT, popen.kill)
    timer.start()
    output = before + (popen.stdout.read() if popen.stdout else "")
    _, status, usage = os.wait4(popen.pid, 0)
    timer.cancel()
    popen.returncode = os.waitstatus_to_exitcode(status)
    if popen.returncode != 0:
        raise Failure(f"{popen.args[-1]}: exit {popen.returncode}: {output[-500:]}")
    return output, usage.ru_utime + usage.ru_stime


def result(bps, total, sender_cpu, receiver_cpu, **more):
    gigabytes = max(total, 1) / 1e9
    return {"bps": bps, "bytes": total, "cpu": {"sender": sender_cpu / gigabytes, "receiver": receiver_cpu / gigabytes}, **more}


def own_result(sender, receiver, **more):
    """From the reports (bench/meter.c) at the end of what the own programs printed."""
    there, here = (json.loads(text.strip().splitlines()[-1]) for text in (sender, receiver))
    return result(here["bits_per_second"], here["total_bytes"], there["user_s"] + there["system_s"],
                  here["user_s"] + here["system_s"],
                  peak_kb={"sender": there["peak_kb"], "receiver": here["peak_kb"]}, **more)


def wait_line(popen, word):
    """The lines up to the first that contains a word."""
    lines = ""
    for line in popen.stdout:
        lines += line
        if word in line:
            return lines
    raise Failure(f"{popen.args[-1]}: ended without {word}: {lines[-500:]}")


def tcp(run):
    server = run.wire.start("b", ["iperf3", "-s", "-1", "-B", ADDRESS["b"], "--forceflush"], root=True)
    before = wait_line(server, "listening")
    client = run.wire.start("a", ["iperf3", "-c", ADDRESS["b"], "-t", str(run.seconds), "-O", str(run.skip), "-J",
                                  "-C", run.options["congestion"]], root=True)
    text, sender_cpu = finish(client)
    _, receiver_cpu = finish(server, before)
    report = json.loads(text)
    total = sum(interval["sum"]["bytes"] for interval in report["intervals"])
    return result(report["end"]["sum_received"]["bits_per_second"], total, sender_cpu, receiver_cpu)


def wait_bound(machine, port):
    """Until a UDP socket is bound there."""
    needle = f":{port:04X} "
    while True:
        with namespaces.inside(machine), open("/proc/thread-self/net/udp") as table:
            if needle in table.read():
                return
        time.sleep(0.005)


def datagrams(run, name, *both, sender=()):
    """The own programs that take --local and --remote."""
    receiving = run.bench("b", name, "--local", f"{ADDRESS['b']}:{PORT}", "--skip-ms", run.skip * 1000, *both)
    wait_bound("b", PORT)
    sending = run.bench("a", name, "--local", f"{ADDRESS['a']}:{PORT}", "--remote", f"{ADDRESS['b']}:{PORT}",
                        "--seconds", run.seconds + run.skip, *both, *sender)
    sent, _ = finish(sending)
    received, _ = finish(receiving)
    return own_result(sent, received)


def udp(run):
    return datagrams(run, "udp-plain")


def bare(run):
    plain = ["--plain"] if run.options.get("plain") else []
    return datagrams(run, "quic-bare", *plain, sender=["--congestion", run.options["congestion"]])


def nice(run):
    files = {machine: f"{FOLDER}/candidates-{machine}" for machine in ("a", "b")}
    receiving = run.bench("b", "nice-reliable", "--local", ADDRESS["b"], "--own", files["b"], "--peer", files["a"],
                          "--skip-ms", run.skip * 1000)
    sending = run.bench("a", "nice-reliable", "--local", ADDRESS["a"], "--own", files["a"], "--peer", files["b"], "--send",
                        "--seconds", run.seconds + run.skip)
    sent, _ = finish(sending)
    received, _ = finish(receiving)
    return own_result(sent, received)


# ice-session

def ice_session(run, machine, *words, **streams):
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": FOLDER, "TMPDIR": FOLDER, "GSETTINGS_BACKEND": "memory",
                   "GIO_USE_VFS": "local", "ICE_SESSION_SERVER": f"ws://{RENDEZVOUS}"} | streams.pop("variables", {})
    command = [run.program("ice-session"), *words, "--events-fd", "{events}"]
    return Process(machine, namespaces.command_in(machine, command), environment, lambda line: None, cwd=FOLDER, **streams)


def start_server(run):
    server = ice_session(run, "b", "server", "--listen", RENDEZVOUS, "--turn", "none", "--state-dir", f"{FOLDER}/state")
    server.wait_for("listening")
    return server


def events_of(text):
    return [entry for entry in map(json.loads, text.splitlines()) if "event" in entry]


def first(events, name, value=None):
    """The first such event; None if there is none."""
    return next((event for event in events if event["event"] == name and value in (None, event["value"])), None)


def link(run):
    """The library: bytes from memory over streams of a link, on a direct path."""
    start_server(run)
    receiving = run.bench("b", "link-bench", "--server", f"ws://{RENDEZVOUS}", "--skip-ms", run.skip * 1000)
    before = wait_line(receiving, '"code"')
    code = first(events_of(before), "code")["value"]
    sending = run.bench("a", "link-bench", "--server", f"ws://{RENDEZVOUS}", "--code", code,
                        "--seconds", run.seconds + run.skip, "--streams", run.options.get("streams", 4))
    sent, _ = finish(sending)
    received, _ = finish(receiving, before)
    return own_result(sent, received, **link_extra(events_of(sent), events_of(received)))


def link_extra(sender, receiver):
    start = first(sender, "start")["us"]
    since = {"connected": first(sender, "connected"), "first_byte": first(receiver, "first-byte"),
             "direct": first(sender, "path", "direct"), "direct_receiver": first(receiver, "path", "direct")}
    return {"ms": {name: (event["us"] - start) / 1000 for name, event in since.items() if event},
            "idle_kb": {"sender": first(sender, "idle")["rss_kb"], "receiver": first(receiver, "path", "direct")["rss_kb"]},
            "stalls_ms": [int(event["value"]) for event in receiver if event["event"] == "stall"]}


def make_file(size, name="data"):
    path = f"{FOLDER}/{name}"
    block = os.urandom(1 << 20)
    with open(path, "wb") as file:
        for _ in range(size >> 20):
            file.write(block)
    return path


def command_line(run, sender, receiver, size):
    """Start-up included: from the link to the end, as a user sees it."""
    usages = []
    for process in (sender, receiver):
        timer = threading.Timer(LIMIT, process.popen.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.popen.returncode = os.waitstatus_to_exitcode(status)
        if process.popen.returncode != 0:
            raise Failure(f"{process.name}: exit {process.popen.returncode}: {process.messages[-500:]}")
        process.events.wait_end()
        usages.append(usage.ru_utime + usage.ru_stime)
    span = receiver.events.last("done")["at_ms"] - receiver.events.last("connected")["at_ms"]
    return result(size * 8000 / span, size, *usages)


def send(run):
    start_server(run)
    size = run.options["size"]
    # The memory of the received file, once: what a virtual machine has never touched before may cost 3 s a GiB.
    os.unlink(make_file(size, "copy"))
    sender = ice_session(run, "a", "send", make_file(size))
    code = sender.wait_for("code")["code"]
    os.makedirs(f"{FOLDER}/in", exist_ok=True)
    receiver = ice_session(run, "b", "receive", "--yes", "-o", f"{FOLDER}/in", variables={"ICE_SESSION_CODE": code})
    return command_line(run, sender, receiver, size)


def pipe(run):
    start_server(run)
    size = run.options["size"]
    with open(make_file(size), "rb") as data, open("/dev/null", "wb") as nothing:
        sender = ice_session(run, "a", "pipe", stdin=data, stdout=nothing)
        code = sender.wait_for("code")["code"]
        receiver = ice_session(run, "b", "pipe", stdout=nothing, variables={"ICE_SESSION_CODE": code})
        return command_line(run, sender, receiver, size)


ALL = {function.__name__: function for function in (tcp, udp, bare, nice, link, send, pipe)}
