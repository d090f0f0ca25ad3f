# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trouble that nobody has thought of: faults drawn at random, one upon the other, between NATs drawn at random.

Data flows both ways meanwhile. Then all is mended, and it has to arrive as it was sent, on the path that these NATs allow. The seed
is in the log; ICS_TEST_SEED repeats it (the first storm has that seed, the next one the next). What happens is repeated, not when.
"""

import os
import random
import sys
import time

import nat
import topology
from lab import Lab
from test_faults_link import Exchange
from testing import scenario

COUNT = int(os.environ.get("ICS_LAB_STORMS") or (40 if os.environ.get("ICS_LAB_SOAK") else 2))
FIRST = int(os.environ.get("ICS_TEST_SEED") or time.time_ns() // 1000 % 1000000)
KINDS = ("public", "full-cone", "address-restricted", "port-restricted", "symmetric", "cgnat", "dual-stack", "udp-blocked",
         "only-tcp-443", "ipv6-only")
STEPS = 12
KIB = 1 << 10
MIB = 1 << 20


def say(text):
    print(f"storm: {text}", file=sys.stderr, flush=True)


class Storm:
    def __init__(self, lab, draw, pair):
        self._lab, self._draw, self._pair = lab, draw, pair
        self._down, self._frozen = set(), []
        self._server = True

    def step(self):
        """Something gets worse, or better."""
        draw, side = self._draw, self._draw.choice("ab")
        draw.choice((self._bad_way, self._bad_way, self._good_way, self._filter, self._filter, self._mend_filters, self._nat, self._link,
                     self._address, self._freeze, self._serve, self._turn))(side)
        # How long a fault lasts belongs to the fault: nothing is waited for, and nothing is judged by it.
        time.sleep(draw.choice((0, 0.05, 0.3, 1, 2)))

    def _bad_way(self, side):
        draw = self._draw
        settings = {"delay": draw.choice((1, 20, 80, 300)), "jitter": draw.choice((0, 0, 5, 50)), "loss": draw.choice((0, 0.5, 3, 15, 40)),
                    "burst": draw.choice((0, 0, 5, 30)), "reorder": draw.choice((0, 0, 2, 30)), "duplicate": draw.choice((0, 0, 1, 20)),
                    "corrupt": draw.choice((0, 0, 0, 1, 5)), "rate": draw.choice((0, "256k", "2M", "20M", "100M")),
                    "mtu": draw.choice((0, 0, 0, 1300)), "blackhole": draw.random() < 0.1}
        settings["jitter"] = min(settings["jitter"], settings["delay"])
        way = draw.choice((None, "up", "down"))
        say(f"{side} {way or 'both ways'} {settings}")
        self._lab.impair(side, **({way: settings} if way else settings))

    def _good_way(self, side):
        say(f"{side} is good again")
        self._lab.impair(side)

    def _filter(self, side):
        way, spare = self._draw.choice((None, "in", "out")), self._draw.choice((None, topology.SERVER))
        everything = self._draw.random() < 0.3
        say(f"{side}: {'all' if everything else 'UDP'} blocked, {way or 'both ways'}, but {spare if not everything else None}")
        if everything:
            self._lab.block_all(side, way)
        else:
            self._lab.block_udp(side, spare, way, tcp=self._draw.random() < 0.5)

    def _mend_filters(self, side):
        say(f"{side}: nothing blocked")
        self._lab.restore(side)

    def _nat(self, side):
        if self._lab.sides[side].kind.translated:
            say(f"{side}: the NAT forgets")
            self._lab.rebind(side, tcp=self._draw.random() < 0.3)

    def _link(self, side):
        if side in self._down:
            say(f"{side}: link up")
            self._lab.link_up(side)
            self._down.remove(side)
        else:
            say(f"{side}: link down")
            self._lab.link_down(side)
            self._down.add(side)

    def _address(self, side):
        if side not in self._down:
            say(f"{side}: new address")
            self._lab.change_address(side)

    def _freeze(self, side):
        process = self._pair["ab".index(side)]
        if process not in self._frozen:
            say(f"{side}: sleeps")
            self._lab.freeze(process)
            self._frozen.append(process)
        else:
            say(f"{side}: wakes up")
            self._lab.thaw(process)
            self._frozen.remove(process)

    def _serve(self, side):
        if self._server:
            say("the server dies")
            self._lab.kill_server()
        else:
            say("the server is back")
            self._lab.start_server()
        self._server = not self._server

    def _turn(self, side):
        if self._server and self._lab.turn_pids():
            say("the TURN server dies")
            self._lab.kill_turn()

    def end(self):
        say("is over")
        for side in "ab":
            self._lab.impair(side)
            self._lab.restore(side)
        for side in list(self._down):
            self._link(side)
        self._lab.thaw(*self._frozen)
        if not self._server:
            self._lab.start_server()


@scenario(bulk=True, each={f"storm {number + 1} of {COUNT}": (FIRST + number,) for number in range(COUNT)})
def random_faults(seed):
    draw = random.Random(seed)
    kinds = draw.choices(KINDS, k=2)
    say(f"seed {seed}, {' x '.join(kinds)}")
    with Lab(*kinds, impair=("a", "b")) as lab:
        lab.start_server()
        pair = lab.pipes(options=("-v",))
        exchange = Exchange(pair, pause=0.02)
        exchange.require(64 * KIB)
        storm = Storm(lab, draw, pair)
        for _ in range(STEPS):
            storm.step()
        storm.end()
        begin = time.monotonic()
        # A search for ports succeeds most of the time, and is not repeated soon.
        exchange.wait_path(*{nat.expected_path(*kinds, search=search) for search in (True, False)})
        recovered = time.monotonic() - begin
        exchange.wait_progress(2 * MIB)
        exchange.finish()
    paths = [len(process.paths()) for process in pair]
    return f"{' x '.join(kinds)}: {sum(drain.bytes for drain in exchange.drains) >> 20} MiB, {paths[0]} and {paths[1]} paths, as at first after {recovered:.1f} s"
