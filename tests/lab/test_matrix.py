# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every pair of NAT kinds: the transfer completes exact, begins on the channel and ends on the path that the properties of the
kinds allow. Who listens and who joins alternates; a soak runs both for every pair."""

import itertools
import os

import nat
from lab import Lab
from testing import scenario

SOAK = bool(os.environ.get("ICS_LAB_SOAK"))


def _pairs():
    if SOAK:
        return list(itertools.product(nat.KINDS, repeat=2))
    pairs = itertools.combinations_with_replacement(nat.KINDS, 2)
    return [pair if index % 2 else pair[::-1] for index, pair in enumerate(pairs)]


@scenario(each={f"{listener} x {joiner}": (listener, joiner) for listener, joiner in _pairs()})
def matrix(listener, joiner):
    expected = nat.expected_path(listener, joiner)
    with Lab(a=listener, b=joiner) as lab:
        lab.start_server()
        if expected != "direct":
            lab.transfer(expect=expected)
            return expected
        transport = nat.expected_transport(listener, joiner)
        lab.transfer(expect=expected, transport=transport)
    return expected if transport == "udp" else f"{expected}, {transport}"


def summary(outcomes):
    """One table: a line per listener, a column per joiner; the path each pair ended on."""
    names = list(nat.KINDS)
    ends = {outcome.scenario.arguments: outcome.result if outcome.passed else "FAILED" for outcome in outcomes}
    width = max(len(name) for name in names) + 3
    lines = ["| " + "listener \\ joiner".ljust(width) + " | "
             + " | ".join(str(number).ljust(11) for number in range(1, len(names) + 1)) + " |",
             "|" + "-" * (width + 2) + "|" + "|".join(["-" * 13] * len(names)) + "|"]
    for number, listener in enumerate(names, 1):
        cells = [ends.get((listener, joiner), "").ljust(11) for joiner in names]
        lines.append("| " + f"{number:2} {listener}".ljust(width) + " | " + " | ".join(cells) + " |")
    return "\n".join(lines)
