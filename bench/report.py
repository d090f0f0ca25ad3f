# SPDX-License-Identifier: LGPL-2.1-or-later
"""Medians, ratios, and the table."""

import statistics

BARE = "bare bbr2"      # what all is a ratio of


def median(results, *path):
    """Of one figure over the rounds of a measurement; None if no round has it."""
    values = []
    for entry in results:
        for key in path:
            entry = entry.get(key) if isinstance(entry, dict) else None
        if entry is not None:
            values.append(entry)
    return statistics.median(values) if values else None


def cpu_of_both(results):
    return median([{"sum": sum(entry["cpu"].values())} for entry in results if "cpu" in entry], "sum")


def show(value, digits=2):
    return "–" if value is None else f"{value:.{digits}f}"


def ratio(value, base, digits=2):
    return "–" if not value or not base else f"{value / base:.{digits}f}"


def spread(results):
    values = [entry["bps"] / 1e9 for entry in results if "bps" in entry]
    return f"{min(values):.2f}–{max(values):.2f}" if len(values) > 1 else "–"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def fast(measurements):
    base = measurements.get(BARE)
    bare_bps, bare_cpu = (median(base.results, "bps"), cpu_of_both(base.results)) if base else (None, None)
    rows = []
    for name, entry in measurements.items():
        bps, cpu = median(entry.results, "bps"), cpu_of_both(entry.results)
        rows.append([entry.title, show(bps and bps / 1e9), spread(entry.results), ratio(bps, bare_bps),
                     show(median(entry.results, "cpu", "sender")), show(median(entry.results, "cpu", "receiver")),
                     ratio(cpu, bare_cpu, 1)])
    return table(["one direction, a wire without limits", "Gbit/s", "from–to", "× bare", "CPU s/GB sender", "receiver",
                  "both × bare"], rows)


def compared(fast_measurements):
    """The two ratios that are promised."""
    figures = {name: median(entry.results, "bps") for name, entry in fast_measurements.items()}
    return [f"link ÷ bare ngtcp2 loop: {ratio(figures.get('link'), figures.get(BARE))}; "
            f"link ÷ libnice reliable: {ratio(figures.get('link'), figures.get('nice'), 1)}"]


def memory(entry):
    rows = [[f"link, {side}", show(_mb(median(entry.results, "idle_kb", side)), 1),
             show(_mb(median(entry.results, "peak_kb", side)), 1)] for side in ("sender", "receiver")]
    return table(["resident memory, MB", "idle on the direct path", "peak while busy"], rows)


def _mb(kilobytes):
    return kilobytes and kilobytes * 1024 / 1e6


def bottleneck(measurements, rtt, losses, rate):
    """measurements: {(name, rtt, loss): measurement}."""
    names = dict.fromkeys(name for name, of, _ in measurements if of == rtt)
    rows = []
    for name in names:
        row = []
        for loss in losses:
            entry, base = measurements[name, rtt, loss], measurements.get((BARE, rtt, loss))
            bps = median(entry.results, "bps")
            row.append(f"{show(bps and bps / 1e6, 1)} ({ratio(bps, rate)}, "
                       f"{ratio(bps, base and median(base.results, 'bps'))})")
        rows.append([measurements[name, rtt, losses[0]].title, *row])
    return table([f"Mbit/s (share of the wire, × bare), RTT {rtt} ms"] + [f"loss {loss} %" for loss in losses], rows)


START = {"connected": "connected", "first_byte": "first byte at the other host", "direct": "sending on the direct path"}


def start(measurements):
    """measurements: {rtt: measurement}."""
    rows = [[title] + [f"{show(median(entry.results, 'ms', key) / rtt, 1)} ({show(median(entry.results, 'ms', key), 0)} ms)"
                       if median(entry.results, "ms", key) else "–" for rtt, entry in measurements.items()]
            for key, title in START.items()]
    return table(["round trips since the joiner began"] + [f"RTT {rtt} ms" for rtt in measurements], rows)


def description(machine):
    return [f"- {name}: {value}" for name, value in machine.items()]
