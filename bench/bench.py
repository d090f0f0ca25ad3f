#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures ice-session beside others, in the same run, on one machine. See docs/performance.md."""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tests" / "lab")]

import namespaces   # noqa: E402
import machine      # noqa: E402
import report       # noqa: E402
import subjects     # noqa: E402
from wire import Wire  # noqa: E402

RATE = 100_000_000
BEGIN, END = "<!-- results: written by run-bench -->", "<!-- end of the results -->"


@dataclasses.dataclass
class Measurement:
    title: str
    spec: dict
    results: list = dataclasses.field(default_factory=list)


SUBJECTS = {
    "udp": ("plain UDP with GSO and GRO: what arrives", "udp", {}),
    "tcp cubic": ("TCP CUBIC (iperf3)", "tcp", {"congestion": "cubic"}),
    "tcp bbr": ("TCP BBR (iperf3)", "tcp", {"congestion": "bbr"}),
    "nice": ("libnice, its reliable mode", "nice", {}),
    "bare bbr2": ("**bare ngtcp2 loop**, BBR2", "bare", {"congestion": "bbr2"}),
    "bare cubic": ("bare ngtcp2 loop, CUBIC", "bare", {"congestion": "cubic"}),
    "bare plain": ("bare ngtcp2 loop, BBR2, no GSO and GRO", "bare", {"congestion": "bbr2", "plain": True}),
    "link": ("**ice-session**, the library, 4 streams", "link", {"streams": 4}),
    "link 1": ("ice-session, the library, 1 stream", "link", {"streams": 1}),
    "send": ("`ice-session send` and `receive`, a file", "send", {}),
    "pipe": ("`ice-session pipe`", "pipe", {}),
}
BOTTLENECK = ["tcp cubic", "tcp bbr", "nice", "bare bbr2", "bare cubic", "link", "link 1"]
BOTTLENECK_SHORT = ["tcp cubic", "tcp bbr", "bare bbr2", "link"]


def measurement(name, impair=None, **changes):
    title, subject, options = SUBJECTS[name]
    return Measurement(title, {"subject": subject, "options": options | changes.pop("options", {}), "impair": impair} | changes)


@dataclasses.dataclass
class Mode:
    """How much is measured: rounds, seconds that count and seconds before, bytes of a file, round trips in ms, losses in %."""
    rounds: int
    fast: tuple
    bottleneck: tuple
    size: int
    rtts: tuple
    losses: tuple


MODES = {
    "full": Mode(3, (4, 1), (8, 2), 1 << 30, (10, 50, 200), (0, 0.1, 1, 3)),
    "quick": Mode(1, (2, 1), (4, 2), 256 << 20, (50,), (0, 1)),
    "smoke": Mode(1, (1, 0), (1, 0), 16 << 20, (10,), (0,)),
}


class Plan:
    """What is measured."""

    def __init__(self, mode, words):
        self.mode = mode
        names = [name for name in SUBJECTS if self.available(name)]
        self.fast = {name: measurement(name, seconds=mode.fast[0], skip=mode.fast[1], options={"size": mode.size})
                     for name in names if wanted(words, f"fast {name}")}
        self.bottleneck = {(name, rtt, loss): measurement(name, {"delay": rtt / 2, "rate": RATE, "loss": loss},
                                                          seconds=mode.bottleneck[0], skip=mode.bottleneck[1])
                           for rtt in mode.rtts for name in (BOTTLENECK if rtt == 50 and mode.rounds > 1 else BOTTLENECK_SHORT)
                           for loss in mode.losses if name in names and wanted(words, f"bottleneck {name}")}
        self.start = {rtt: measurement("link", {"delay": rtt / 2}, seconds=1, skip=0)
                      for rtt in mode.rtts if wanted(words, "start")}

    @staticmethod
    def available(name):
        known = pathlib.Path("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text().split()
        return name != "tcp bbr" or "bbr" in known

    def jobs(self):
        """Alone: what takes the whole machine; the others may run side by side."""
        alone = [entry for _ in range(self.mode.rounds) for entry in self.fast.values()]
        beside = [entry for _ in range(self.mode.rounds) for entry in [*self.bottleneck.values(), *self.start.values()]]
        return alone, beside


def wanted(words, title):
    return not words or any(word in title for word in words)


class Bench:
    def __init__(self, options):
        self._options, self.failures = options, []

    def measure(self, entry):
        """One round of one measurement, in namespaces of its own."""
        command = [sys.executable, str(HERE / "bench.py"), "--programs", self._options.programs, "--worker", json.dumps(entry.spec)]
        environment = os.environ | {"ICS_LAB_TOOLS": os.path.join(self._options.programs, "tests/lab")}
        with namespaces.start_in_new(command, environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            output, errors = process.communicate()
        if process.returncode != 0:
            self.failures.append(f"{entry.title}, {entry.spec['impair'] or 'no limits'}: {errors.strip()[-1500:]}")
            return
        entry.results.append(json.loads(output))
        bps = entry.results[-1]["bps"]
        print(f"  {entry.title}, {entry.spec['impair'] or 'no limits'}: {bps / 1e6:.1f} Mbit/s", file=sys.stderr, flush=True)

    def run(self, plan):
        alone, beside = plan.jobs()
        for entry in alone:
            self.measure(entry)
        with concurrent.futures.ThreadPoolExecutor(self._options.jobs) as pool:
            list(pool.map(self.measure, beside))


def work(options):
    """The inside: one measurement, its result on standard output."""
    namespaces.die_with(options.lifeline)
    namespaces.set_up()
    spec = json.loads(options.worker)
    with Wire(spec["impair"]) as wire:
        print(json.dumps(subjects.ALL[spec["subject"]](subjects.Run(wire, options.programs, spec))))
    return 0


def lines_of(plan, about):
    rounds = plan.mode.rounds
    lines = ["Machine:", "", *report.description(about), "",
             "Each figure is from a single run." if rounds == 1 else f"Each figure is the median of {rounds} runs.", ""]
    if plan.fast:
        lines += report.fast(plan.fast) + [""] + report.compared(plan.fast) + [""]
    if not plan.available("tcp bbr"):
        lines += ["This kernel has no BBR for TCP.", ""]
    for rtt in plan.mode.rtts if plan.bottleneck else ():
        lines += report.bottleneck(plan.bottleneck, rtt, plan.mode.losses, RATE) + [""]
    if plan.start:
        lines += report.start(plan.start) + [""]
    if "link" in plan.fast:
        lines += report.memory(plan.fast["link"]) + [""]
    return lines


def write_document(path, lines):
    """Replaces what is between the two marks."""
    text = pathlib.Path(path).read_text()
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    pathlib.Path(path).write_text(f"{before}{BEGIN}\n\n" + "\n".join(lines) + f"\n{END}{after}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="measure only what has one of these words in its name")
    parser.add_argument("--programs", required=True, help="the build folder")
    parser.add_argument("--mode", choices=MODES, default="full",
                        help="quick: less, and each figure once; smoke: only to see that all of it runs")
    parser.add_argument("--jobs", type=int, default=4, help="measurements behind a bottleneck at a time (default 4)")
    parser.add_argument("--raw", help="write all results here, as JSON")
    parser.add_argument("--document", help="put the table into this document")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--lifeline", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = parse()
    if options.worker:
        return work(options)
    why = namespaces.problem()
    if why:
        print(f"no namespaces can be made here: {why}")
        return 1
    if not os.path.exists(os.path.join(options.programs, "bench/quic-bare")):
        print(f"{options.programs} has no programs to measure: build them with make bench-programs")
        return 1
    about, plan, bench = machine.describe(), Plan(MODES[options.mode], options.words), Bench(options)
    bench.run(plan)
    lines = lines_of(plan, about)
    print("\n".join(lines))
    if options.raw:
        everything = [*plan.fast.values(), *plan.bottleneck.values(), *plan.start.values()]
        pathlib.Path(options.raw).write_text(json.dumps(
            {"machine": about, "measurements": [dataclasses.asdict(entry) for entry in everything],
             "failures": bench.failures}, indent=1))
    if options.document:
        write_document(options.document, lines)
    for failure in bench.failures:
        print("failed:", failure)
    return 1 if bench.failures else 0


sys.exit(main())
