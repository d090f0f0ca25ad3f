# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the program says of a session that did not become direct."""

import traffic
from lab import Lab
from testing import check, scenario


def knows_why(events):
    return any(event["type"] == "record" and "not direct:" in event["line"] for event in events)


@scenario(each={
    "udp blocked on one side": ("udp-blocked", "symmetric", "turn", "no STUN server answered this host",
                                "the other host has private addresses only"),
    "no family in common": ("ipv6-only", "port-restricted", "turn", "this host has IPv6 only", "this host has IPv4 only"),
})
def evidence(a, b, kind, here, there):
    """When a search has failed the record has it; when the session ends, an event."""
    with Lab(a=a, b=b) as lab:
        lab.start_server()
        pair = lab.pipes(options=("-v",))
        exchange = traffic.Exchange(*pair, pause=0.5)
        for process in pair:
            process.events.wait_until(knows_why, "reason in the record")
            process.wait_for("path", kind=kind)
        exchange.finish()
        for process, expected in zip(pair, (here, there)):
            lab.check_paths(process, kind)
            why = process.events.last("why_not_direct")
            check(why and expected in why["why"], f"{process.name}: {why}")
