# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `ice-session probe` says of a network, against what the laboratory made it of."""

import socket
import threading

import nat
import test_proxies
import topology
from lab import RENDEZVOUS_PORT, Lab
from process import PATIENCE, until
from testing import check, scenario


def probe(lab, machine, *options, status=0):
    process = lab.run(machine, "probe", *options)
    event = process.wait_for("probe")
    process.expect_exit(status)
    for address in (topology.SERVER, topology.SERVER_SECOND):      # the server answers first, and closes them then
        until(lambda address=address: not lab.relay_ports(address), f"no relay left behind at {address}")
    return event


def is_seen(event, **fields):
    for name, expected in fields.items():
        check(event[name] == expected, f"{name} is {event[name]}, expected {expected}: {event}")


def check_relays(event, expected):
    """expected: {transport: whether there are relays over it}; the rows stand in this order."""
    check(list(dict.fromkeys(relay["transport"] for relay in event["relays"])) == list(expected), f"expected {expected}: {event}")
    for relay in event["relays"]:
        works = expected[relay["transport"]]
        check(bool(relay["address"]) == works and (relay["error"] is None) == works, f"{relay}")
        check(not works or relay["setup_ms"] > 0 and relay["rtt_ms"] > 0, f"{relay}")


def check_kind(lab, machine):
    kind = lab.sides[machine].kind
    event = probe(lab, machine, "--no-port-mapping")
    is_seen(event, server_state="reachable", proxy=None, udp="yes" if kind.udp else "no")
    check(lab.sides[machine].address in event["local_addresses"], event)
    check(event["server_rtt_ms"] > 0, event)
    if not kind.udp:
        is_seen(event, nat="unknown", mapping="unknown", filtering="unknown", ports="unknown", mapped_addresses=[])
        check_relays(event, {"udp": False, "tcp": True})
        return event
    is_seen(event, nat="yes" if kind.translated else "no", mapping=kind.mapping, filtering=kind.filtering,
            mapping_varies="no" if kind.mapping == nat.ANY else "yes",
            ports="preserved" if kind.mapping == nat.ANY else "random",
            mapped_addresses=[lab.sides[machine].mapped_address])
    check_relays(event, {"udp": True, "tcp": True})
    return event


@scenario(each={f"{a}, {b}": (a, b) for a, b in (
    ("public", "full-cone"), ("address-restricted", "port-restricted"), ("symmetric", "udp-blocked"))})
def two_addresses(a, b):
    """A server with two addresses: all can be measured (RFC 5780)."""
    with Lab(a=a, b=b) as lab:
        lab.start_server("--public-address", topology.SERVER_SECOND)
        lab.wait_turn()
        return "; ".join(f"{lab.sides[machine].kind.name}: {check_kind(lab, machine)['verdict']}" for machine in ("a", "b"))


@scenario
def one_address():
    """A server with one: what the filter does nobody can say; of the mapping, what can be said is true. And a router that maps ports
    by UPnP alone."""
    with Lab(a="port-restricted", b="symmetric", gateways={"b": ("upnp",)}) as lab:
        lab.start_server()
        lab.wait_turn()
        for machine, varies in (("a", "no"), ("b", "yes")):
            event = probe(lab, machine)
            is_seen(event, udp="yes", nat="yes", filtering="unknown")
            check(event["mapping"] in ("unknown", lab.sides[machine].kind.mapping), event)
            check(event["mapping_varies"] in ("unknown", varies), event)
            found = event["port_mapping"]["upnp"]
            if machine == "a":
                check(found["maps"] == "no" and found["error"], f"UPnP: {found}")
            else:
                check(found == {"maps": "yes", "address": lab.sides["b"].outside, "error": None}, f"UPnP: {found}")
        check(not lab.gateways["b"].mappings(), f"left behind: {lab.gateways['b'].mappings()}")


@scenario
def gateway_and_proxy():
    """A router that maps ports by two of the protocols, and gets its mappings back; and a host that gets out through a proxy only."""
    with Lab(a="symmetric", b="port-restricted", gateways={"a": ("pcp",)}) as lab:
        lab.start_server()
        lab.wait_turn()
        _, *elsewhere = test_proxies.relay_options(test_proxies.start_relay(lab))
        options = (*elsewhere[2:], "--no-port-mapping")      # besides the server's own
        processes = (lab.run("a", "probe"), lab.run("b", "probe", *options, environment=test_proxies.start_proxy(lab, "b", "http")))
        mapped, proxied = (process.wait_for("probe") for process in processes)
        for process in processes:
            process.expect_exit(0)
        outside = lab.sides["a"].outside
        for protocol in ("pcp", "nat_pmp"):
            found = mapped["port_mapping"][protocol]
            check(found == {"maps": "yes", "address": outside, "error": None}, f"{protocol}: {found}")
        check(sum("PCP MAP: added mapping" in line for line in lab.gateways["a"].lines) == 1, "PCP did not map one port")
        check(mapped["port_mapping"]["upnp"]["maps"] == "no" and mapped["port_mapping"]["upnp"]["error"], mapped)
        check("the router maps a port" in mapped["verdict"], mapped)
        check(not lab.gateways["a"].mappings(), f"left behind: {lab.gateways['a'].mappings()}")
        check({row["maps"] for row in proxied["port_mapping"].values()} == {"not asked"}, proxied)
        is_seen(proxied, server_state="reachable", udp="no")
        check(proxied["proxy"].startswith("http://"), proxied)
        check_relays(proxied, {"udp": False, "tcp": True, "tls": True})
        check(all("no TURN server answered" in relay["error"] for relay in proxied["relays"] if relay["transport"] == "udp"), proxied)
        return f"{mapped['verdict']}; {proxied['verdict']}"


class Portal:
    """A log-in page in the server's place."""

    def __init__(self, lab, answer):
        self._socket = lab.socket("server", kind=socket.SOCK_STREAM)
        self._socket.bind((topology.SERVER, RENDEZVOUS_PORT))
        self._socket.listen()
        self._socket.settimeout(PATIENCE)
        threading.Thread(target=self._serve, args=(answer,), daemon=True).start()

    def _serve(self, answer):
        connection, _ = self._socket.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(answer)


@scenario(each={
    "redirect": (b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\n\r\n", "captive"),
    "page": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "captive"),
    "no http": (b"220 mail.example ESMTP\r\n\r\n", "captive"),
    "full": (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "refusing"),
    "nobody": (None, "unreachable"),
})
def somebody_else_answers(answer, state):
    with Lab(a="public", b="public") as lab:
        if answer is not None:
            Portal(lab, answer)
        event = probe(lab, "a", "--no-port-mapping", status=3)
        is_seen(event, server_state=state, udp="unknown", relays=[])
        return event["verdict"]
