# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pairs of NAT kinds: the transfer completes exact, begins on the channel and ends on the path that the properties of the
kinds allow. All common kinds meet all common ones; the others meet themselves and some that represent the rest. Who listens and
who joins alternates. A soak runs every pair, in both roles.

Where random ports are searched for, what the record says of the search decides what is expected: that is no repetition."""

import itertools
import os

import nat
import test_search
from lab import Lab
from testing import scenario

SOAK = bool(os.environ.get("ICS_LAB_SOAK"))


# One of each answer that a peer's NAT can give to a kind with one new property.
REPRESENTATIVE = ("public", "port-restricted", "symmetric", "udp-blocked")


def _chosen(first, second):
    return first == second or all(nat.KINDS[name].common or other in REPRESENTATIVE
                                  for name, other in ((first, second), (second, first)))


def _pairs():
    if SOAK:
        return list(itertools.product(nat.KINDS, repeat=2))
    pairs = [pair for pair in itertools.combinations_with_replacement(nat.KINDS, 2) if _chosen(*pair)]
    return [pair if index % 2 else pair[::-1] for index, pair in enumerate(pairs)]


@scenario(each={f"{listener} x {joiner}": (listener, joiner) for listener, joiner in _pairs()})
def matrix(listener, joiner):
    expected = nat.expected_path(listener, joiner)
    with Lab(a=listener, b=joiner) as lab:
        lab.start_server()
        if nat.found_by_chance(listener, joiner):
            return lab.transfer(expect=test_search.path_found, options=("-v",))
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
