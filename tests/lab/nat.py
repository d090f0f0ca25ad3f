# SPDX-License-Identifier: LGPL-2.1-or-later
"""The NAT kinds: what each is made of, and which path two of them can end on.

A kind is described by its properties in the words of RFC 4787 and RFC 5780. The nftables rules are made from the
properties, and so is the expectation: there is no table of pairs anywhere.
"""

from dataclasses import dataclass

ANY = "endpoint-independent"
ADDRESS = "address-dependent"
ADDRESS_PORT = "address-and-port-dependent"

# RFC 4787 §4.2.1: which outside port does a new mapping get?
PRESERVING = "port-preserving"
RANDOM = "random"
SEQUENTIAL = "sequential"       # the one after that of the mapping before


@dataclass(frozen=True)
class Kind:
    name: str
    mapping: str = ANY          # RFC 4787 §4.1: does the outside port depend on the destination?
    filtering: str = ADDRESS_PORT  # RFC 4787 §5: who may send to it?
    allocation: str = PRESERVING
    translated: bool = True     # IPv4 goes through a NAT
    ipv4: bool = True
    ipv6: bool = False
    nat64: bool = False         # IPv4 is reached from IPv6, through a translator and a NAT
    udp: bool = True
    tcp_ports: tuple = ()       # the only destination ports allowed out; empty: all
    layers: int = 1             # NATs in a row
    common: bool = True         # the matrix pairs it with every other; else with some that represent the others

    @property
    def memories(self):
        """What _opened_ports() makes, in the words of nftables."""
        return {ANY: ["map ip nat mapped"], ADDRESS: ["map ip nat mapped", "set ip nat contacted"], ADDRESS_PORT: []}[
            self.filtering] if self.translated else []

    @property
    def reaches_ipv4(self):
        return self.ipv4 or self.nat64

    @property
    def drops_unsolicited(self):
        return self.filtering != ANY


KINDS = {kind.name: kind for kind in (
    Kind("public", filtering=ANY, translated=False),
    Kind("full-cone", filtering=ANY),
    Kind("address-restricted", filtering=ADDRESS),
    Kind("port-restricted"),
    Kind("symmetric", mapping=ADDRESS_PORT, allocation=RANDOM),
    Kind("udp-blocked", udp=False),
    Kind("only-tcp-443", udp=False, tcp_ports=(443,)),
    Kind("cgnat", layers=2),
    Kind("ipv6-only", translated=False, ipv4=False, ipv6=True),
    Kind("dual-stack", ipv6=True),
    Kind("sequential", mapping=ADDRESS_PORT, allocation=SEQUENTIAL, common=False),
    Kind("nat64", translated=False, ipv4=False, ipv6=True, nat64=True, common=False),
    Kind("nat64-symmetric", mapping=ADDRESS_PORT, allocation=RANDOM, translated=False, ipv4=False, ipv6=True, nat64=True, common=False),
    Kind("udp-blocked-symmetric", mapping=ADDRESS_PORT, allocation=RANDOM, udp=False, common=False),
)}


def _ipv4_punches(a, b):
    """Can checks between host and server-reflexive candidates open a way through both (RFC 5128 §3.3, RFC 8445)?"""
    if a.mapping == ANY and b.mapping == ANY:
        return True
    if a.mapping != ANY and b.mapping != ANY:
        return False
    # The mapped port of one side is unknown to the other, whose filter therefore must not look at ports.
    predictable = a if a.mapping == ANY else b
    return predictable.filtering != ADDRESS_PORT


def _without_udp(a, b):
    """A host without UDP has to have the relay, over TCP; so both have one where both are without."""
    relays = all(kind.udp or not kind.tcp_ports for kind in (a, b))     # the TURN server's port is not among those
    return "turn" if relays else "channel"


def _tcp_meets(a, b):
    """Does one TCP connection come about between the hosts (RFC 6544)?"""
    if a.tcp_ports or b.tcp_ports:
        return False
    if a.ipv6 and b.ipv6:
        return True             # SYNs that cross, through two stateful firewalls
    if not (a.reaches_ipv4 and b.reaches_ipv4):
        return False
    if a.mapping == ANY and b.mapping == ANY:
        return True             # SYNs that cross, through NATs that keep TCP ports as well
    # The memories of the filters that let others in are for UDP: over TCP only a host without NAT is open to all.
    return any(not (side.drops_unsolicited or side.translated) for side in (a, b))


def expected_transport(a, b):
    """Of a direct path between kinds a and b: "udp", or "tcp" where UDP is blocked."""
    return "udp" if KINDS[a].udp and KINDS[b].udp else "tcp"


def _search_gets_through(a, b):
    """Does the search for the port of a mapping, where ICE alone does not get through?"""
    if a.mapping != ANY and b.mapping != ANY:
        return RANDOM not in (a.allocation, b.allocation)
    return True


def found_by_chance(a, b):
    """Random ports are found in 98.3 % of all cases (docs/decisions.md); else the session stays on the relay."""
    a, b = KINDS[a], KINDS[b]
    return (expected_path(a.name, b.name) == "direct" != expected_path(a.name, b.name, search=False)
            and RANDOM in (a.allocation, b.allocation))


def expected_path(a, b, search=True):
    """The kind of path on which a session between kinds a and b ends: "direct", "turn" or "channel"."""
    a, b = KINDS[a], KINDS[b]
    if not (a.udp and b.udp):
        return "direct" if _tcp_meets(a, b) else _without_udp(a, b)
    if a.ipv6 and b.ipv6:
        return "direct"         # routed, and a stateful firewall keeps address and port as they are
    if not (a.reaches_ipv4 and b.reaches_ipv4):
        return "turn"           # a relay reaches the one family, and is reached over the other
    return "direct" if _ipv4_punches(a, b) or (search and _search_gets_through(a, b)) else "turn"


def router_rules(kind):
    """The nftables rules of one router with the interfaces "inside" (and "inside2") and "outside"."""
    rules = _filter_rules(kind)
    if kind.translated or kind.nat64:
        rules += _nat_rules(kind)
    return rules


def _filter_rules(kind):
    if not kind.drops_unsolicited and not kind.translated:
        return _filter_table(["accept"])
    lines = []
    if not kind.udp:
        lines.append("meta l4proto udp drop")
    lines.append("ct state established,related accept")
    if kind.tcp_ports:
        ports = ", ".join(str(port) for port in kind.tcp_ports)
        lines.append(f'iifname "inside*" tcp dport {{ {ports} }} accept')
    else:
        lines.append('iifname "inside*" accept')
    lines.append("ct status dnat accept")
    return _filter_table(lines)


def _filter_table(forward):
    body = "\n    ".join(forward)
    # An unsolicited packet must be dropped before its conntrack entry is confirmed (which happens last in the input and
    # postrouting hooks): a confirmed one would occupy the tuple, and the mapping of the host would get another port.
    return f"""
table inet filter {{
  chain verbs {{ }}
  chain forward {{
    type filter hook forward priority filter; policy drop;
    jump verbs
    {body}
  }}
  chain input {{
    type filter hook input priority filter; policy drop;
    meta l4proto {{ icmp, ipv6-icmp }} accept
    ct state established,related accept
    iifname "inside*" accept
  }}
}}
"""


# The counter is read once for each new flow. As a port it would have its bytes swapped.
SEQUENCE = range(32768, 32768 + 4096)
_COUNTER = f"numgen inc mod {len(SEQUENCE)} map {{ {', '.join(f'{i} : {port}' for i, port in enumerate(SEQUENCE))} }}"
# What follows "masquerade".
_ALLOCATIONS = {PRESERVING: "", RANDOM: " random,fully-random", SEQUENTIAL: f" to :{_COUNTER}"}


def _nat_rules(kind):
    masquerade = "masquerade" + _ALLOCATIONS[kind.allocation]
    return f"""
table ip nat {{
{_opened_ports(kind)}
  chain outgoing {{
    type nat hook postrouting priority srcnat; policy accept;
    oifname "outside" meta l4proto udp {masquerade}
    oifname "outside" meta l4proto tcp {masquerade}
    oifname "outside" masquerade
  }}
}}
"""


def hairpin_rules(outside, inside):
    """For a router of port-preserving kind, beside its own rules: two hosts behind it, on the interfaces `inside`, reach each other
    at its address `outside` and the mapped port, each seen under its own one (RFC 4787 §6, REQ-9)."""
    return f"""
table ip hairpin {{
  map mapped {{
    type inet_service : ipv4_addr
    size 65535
    flags dynamic,timeout
    timeout 2m
  }}
  chain remember {{
    type filter hook forward priority filter + 1; policy accept;
    oifname "outside" meta l4proto udp update @mapped {{ udp sport : ip saddr }}
  }}
  chain incoming {{
    type nat hook prerouting priority dstnat; policy accept;
    iifname {{ {inside} }} ip daddr {outside} dnat to udp dport map @mapped
  }}
  chain outgoing {{
    type nat hook postrouting priority srcnat; policy accept;
    oifname {{ {inside} }} ct status dnat snat to {outside}
  }}
}}
"""


def isolation_rules(inside):
    """No way between the networks of a router but through its NAT, as between a guests' network and the other one."""
    return f"""
table inet isolation {{
  chain forward {{
    type filter hook forward priority filter - 1; policy accept;
    iifname {{ {inside} }} oifname {{ {inside} }} ct status & dnat != dnat drop
  }}
}}
"""


def _opened_ports(kind):
    """A filter that looks at less than address and port needs a memory of its own: conntrack's looks at both.

    With one host inside a router and no random option, masquerade keeps the port. So the outside port is the inside one.
    """
    if kind.filtering == ADDRESS_PORT:
        return ""
    contacted, remember, match = "", "", ""
    if kind.filtering == ADDRESS:
        contacted = """
  set contacted {
    type inet_service . ipv4_addr
    size 65535
    flags dynamic,timeout
    timeout 2m
  }"""
        remember = "update @contacted { udp sport . ip daddr }"
        match = "udp dport . ip saddr @contacted "
    return f"""
  map mapped {{
    type inet_service : ipv4_addr
    size 65535
    flags dynamic,timeout
    timeout 2m
  }}{contacted}
  chain remember {{
    type filter hook forward priority filter + 1; policy accept;
    iifname "inside*" oifname "outside" meta l4proto udp update @mapped {{ udp sport : ip saddr }} {remember}
  }}
  chain incoming {{
    type nat hook prerouting priority dstnat; policy accept;
    iifname "outside" fib daddr type local {match}dnat to udp dport map @mapped
  }}"""
